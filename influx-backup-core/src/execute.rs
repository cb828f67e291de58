//! [`Executor`]: runs stages: barriers, concurrency, retries, cancellation, checks of the target. Decides nothing.

mod attempt;
mod batch;
mod pin;
mod places;
mod run;
mod shard;

pub use self::{
    places::Places,
    run::{CopyOutcome, CopySink, Executor},
    shard::ShardReport,
};
