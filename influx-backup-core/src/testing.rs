//! Clusters made to measure, and a model of the server that loads them: for tests, examples and benches.
//!
//! [`write`](mod@write) makes the valid bytes of single objects, [`generate`] whole clusters of any size, and [`loader`] says what
//! a server would make of a tree: what it shows, what it replays, or why it does not start. [`fault`] is a store that fails as real
//! ones do, [`replay`] plays what a real server wrote, [`model`] is a whole cluster that lives in virtual time.

pub mod conformance;
pub mod fault;
pub mod generate;
pub mod loader;
pub mod model;
pub mod replay;
pub mod write;
