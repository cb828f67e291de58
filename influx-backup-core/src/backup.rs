//! [`backup`](crate::Repository::backup): passes of list, plan, copy and certify, until the certificate closes.

mod commit;
mod journal;
mod lease;
mod name;
mod options;
mod pass;
mod passes;
mod report;
mod resume;
mod run;
mod show;
mod stability;
mod timeline;
mod trim;
mod weakness;
mod witness;

pub(crate) use self::{
    lease::claim,
    run::{check_places, run},
};
pub use self::{
    options::{BackupOptions, OnCorrupt, OnExisting, OnViolation, Passes},
    report::BackupReport,
    weakness::Weakness,
};
pub use crate::lease::Takeover;
