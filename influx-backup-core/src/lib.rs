//! Backup and restore of InfluxDB 3 clusters.

pub mod layout;
#[cfg(feature = "testing")]
pub mod testing;
