//! What only the tests of `influx-backup-core` need. Not published.
//!
//! [`loader`] says what a server would make of a tree: what it shows, what it replays, or why it does not start; it shares no
//! code with the certificate. [`replay`] plays what a real server wrote. [`model`] is a whole cluster that lives in virtual
//! time.

pub mod loader;
pub mod model;
pub mod replay;
