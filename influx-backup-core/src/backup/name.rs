//! The default name of a backup.

use chrono::{DateTime, Utc};

/// The name of a backup begun now: `backup-YYYYMMDD-HHMMSS`, UTC.
pub(super) fn default_name(now: DateTime<Utc>) -> String {
    now.format("backup-%Y%m%d-%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time() {
        let time = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
        assert_eq!(default_name(time), "backup-20260921-141320");
    }
}
