//! [`backup`](crate::Repository::backup): passes of list, plan, copy and certify, until the certificate closes.

mod options;
mod report;
mod show;

pub use self::{
    options::{BackupOptions, CorruptPolicy, Existing, MissingParquet, OpenCertificate, Passes, TakeOver},
    report::BackupReport,
};
