//! [`backup`](crate::Repository::backup): passes of list, plan, copy and certify, until the certificate closes.

mod audit;
mod commit;
mod history;
mod index;
mod journal;
mod lease;
mod name;
mod pass;
mod passes;
mod prove;
mod report;
mod request;
mod resume;
mod rules;
mod run;
mod seen;
mod show;
mod sink;
mod stability;
mod timeline;
mod trim;
mod verdict;
mod witness;

pub(crate) use self::{lease::acquire, request::plan_backup, run::check_places};
pub use self::{report::BackupReport, request::BackupRequest};
#[doc(hidden)]
pub use self::{
    rules::{Rules, Trim},
    witness::{AbsenceListing, AbsenceRule, VanishedFile},
};
