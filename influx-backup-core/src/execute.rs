//! [`Executor`]: runs stages: barriers, concurrency, retries, cancellation, checks of the target. Decides nothing.

mod attempt;
mod budget;
mod durable;
mod limits;
mod run;

pub(crate) use self::durable::make_durable;
pub use self::{
    budget::{Bandwidth, MemoryBudget, MemoryPermit},
    limits::{Durability, Limits, Retry},
    run::{Executor, Ledger, Outcome},
};
