//! What Python and Node show of the data of `influx-backup-core`: the attributes of each class, in tables.
//!
//! Each table is a macro that hands itself to a macro of the binding, which makes a class of each entry:
//!
//! ```text
//! Name(it: type of the core, text = what a person reads) {
//!     attribute = value,
//!     attribute lazily = value that is made at each look,
//! }
//! ```

mod certificate;
mod cluster;
mod error;
mod event;
mod finding;
mod generated;
mod objects;
mod plans;
mod progress;
mod reports;
mod repository;
mod target;

pub use influx_backup_core as core;
