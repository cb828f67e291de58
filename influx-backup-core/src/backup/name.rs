//! Names of backups.

use chrono::{DateTime, Utc};

use crate::{
    error::{Error, Result},
    key::Key,
};

/// The name of a backup begun now: `backup-YYYYMMDD-HHMMSS`, UTC.
pub(super) fn default_name(now: DateTime<Utc>) -> String {
    now.format("backup-%Y%m%d-%H%M%S").to_string()
}

/// Refuses names that are not a single directory.
pub(super) fn check_name(name: &str) -> Result<()> {
    let reason = match Key::parse(name) {
        Err(_) => "is not the name of a directory",
        Ok(_) if name.contains('/') => "contains a `/`",
        Ok(_) if name.starts_with(['_', '.']) => "begins with `_` or `.`, which is reserved",
        Ok(_) if name.trim() != name => "begins or ends with a space",
        Ok(_) => return Ok(()),
    };
    Err(Error::InvalidRequest {
        option: "name",
        reason: format!("`{}` {reason}: choose another one", name.escape_debug()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_are_single_directories() {
        let time = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
        assert_eq!(default_name(time), "backup-20260921-141320");
        check_name("backup-20260921-141320").expect("a good name");
        for bad in ["", "a/b", "..", "_influx_backup", "_shared", ".hidden", "monday ", " monday"] {
            assert_eq!(check_name(bad).expect_err(bad).code(), "invalid-request");
        }
        let messages = [
            ("a/b", "`name` cannot be used here: `a/b` contains a `/`: choose another one"),
            ("a\nb", "`name` cannot be used here: `a\\nb` is not the name of a directory: choose another one"),
        ];
        for (bad, message) in messages {
            assert_eq!(check_name(bad).expect_err(bad).to_string(), message);
        }
    }
}
