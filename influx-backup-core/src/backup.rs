//! [`backup`](crate::Repository::backup): passes of list, plan, copy and certify, until the certificate closes.

mod claim;
mod commit;
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
    claim::claim,
    run::{check_places, run},
};
pub use self::{
    options::{BackupOptions, CorruptPolicy, Existing, MissingParquet, OpenCertificate, Passes},
    report::BackupReport,
    weakness::Weakness,
};
pub use crate::manifest::TakeOver;
