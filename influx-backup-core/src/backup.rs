//! [`backup`](crate::Repository::backup): passes of list, plan, copy and certify, until the certificate closes.

mod commit;
mod lease;
mod name;
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
pub use self::{report::BackupReport, weakness::Weakness};
