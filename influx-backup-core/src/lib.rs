//! Backup and restore of InfluxDB 3 clusters.

pub mod layout;
