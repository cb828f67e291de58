//! What the benches have in common: processes and what they take, a MinIO, places, tables and plots.

mod cost;
mod minio;
mod plot;
mod report;
mod setup;

pub use self::{
    cost::{Cost, median},
    minio::Minio,
    plot::{Bar, Bars, Lines},
    report::{Report, Table},
    setup::{Setup, files_below, fresh, settle},
};
