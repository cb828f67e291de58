//! [`restore`]: target, guard, stages, release.

mod orchestrate;

pub use self::orchestrate::{Orchestrator, Stopped};
