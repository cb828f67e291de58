//! Clusters made to measure, and a model of the server that loads them: for tests, examples and benches.
//!
//! [`write`](mod@write) makes the valid bytes of single objects, [`generate`] whole clusters of any size, and [`loader`] says what
//! a server would make of a tree: what it shows, what it replays, or why it does not start.

pub mod conformance;
pub mod generate;
pub mod loader;
pub mod write;
