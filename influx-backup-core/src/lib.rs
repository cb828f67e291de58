//! Backup and restore of InfluxDB 3 clusters.

pub mod format;
pub mod layout;
