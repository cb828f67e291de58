//! [`Executor`]: runs stages: barriers, concurrency, retries, cancellation, checks of the target. Decides nothing.

mod budget;
mod limits;
mod run;

pub use self::{
    budget::{Bandwidth, MemoryBudget, MemoryPermit},
    limits::{Durability, Limits, Retry},
    run::{Executor, Ledger, Outcome},
};
