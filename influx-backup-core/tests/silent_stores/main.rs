//! Stores that no longer answer. These tests mostly wait: in one binary they wait at the same time.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod first_contact;
mod outages;
#[path = "../servers/mod.rs"]
mod servers;
mod stalled_connections;
