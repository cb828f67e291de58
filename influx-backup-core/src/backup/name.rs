//! Names of backups.

use chrono::{DateTime, Utc};

use crate::{
    error::{Error, Result},
    key::Key,
    layout::OWN_DIRECTORY,
};

/// The name of a backup begun now: `backup-YYYYMMDD-HHMMSS`, UTC.
pub(super) fn default_name(now: DateTime<Utc>) -> String {
    now.format("backup-%Y%m%d-%H%M%S").to_string()
}

/// Refuses names that are no single directory.
pub(super) fn check_name(name: &str) -> Result<()> {
    let reason = match Key::parse(name) {
        Err(_) => "it cannot be the name of a directory",
        Ok(_) if name.contains('/') => "it has a `/`",
        Ok(_) if name.starts_with(['_', '.']) => "names that begin with `_` or `.` are kept for other things",
        Ok(_) if name.trim() != name => "it begins or ends with a space",
        Ok(_) if name == OWN_DIRECTORY => "it is reserved for the backup's own files",
        Ok(_) => return Ok(()),
    };
    Err(Error::InvalidRequest { option: "the backup's name", reason: reason.to_owned() })
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
    }
}
