//! [`Executor`]: runs stages: barriers, concurrency, retries, cancellation, checks of the target. Decides nothing.

mod attempt;
mod durable;
mod places;
mod run;
mod shard;

pub(crate) use self::durable::make_durable;
pub use self::{
    places::Places,
    run::{CopyOutcome, CopySink, Executor},
    shard::ShardReport,
};
