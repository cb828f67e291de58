//! For tests of this crate and of what is built on it.
//!
//! [`write`](mod@write) makes the valid bytes of single objects, [`generate`] whole clusters of any size. [`conformance`] holds a
//! copier against its contract; [`fault`] is a store that fails as real ones do, [`fuzz`] every reader of bytes
//! that somebody else controls.

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod fault;
#[cfg(feature = "testing")]
pub mod fuzz;
pub mod generate;
pub mod write;
