//! What the bindings of `influx-backup-core` have in common: the attributes of each class, in tables, how events are
//! read, and how a request gets what its caller brings.
//!
//! Each table is a macro that hands itself to a macro of the binding, which makes a class of each entry:
//!
//! ```text
//! Name(it: type of the core, text = what a person reads) {
//!     attribute = value,
//!     attribute lazily = value that is made at each look,
//! }
//! ```
//!
//! `document!` and `plan!` make classes of data, which has JSON of its own; `handle!` makes those of what is alive.

mod callees;
mod certificate;
mod cluster;
mod error;
mod event;
mod finding;
mod generated;
mod objects;
mod plans;
mod progress;
mod reader;
mod reports;
mod repository;
mod target;

pub use self::reader::EventReader;
pub use influx_backup_core as core;
