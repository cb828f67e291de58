//! What lies in a repository.

use influx_backup_core::{self as core, leftovers, manifest, repository};
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name},
    document::document,
};

by_name!(repository::BackupState, leftovers::LeftoverKind);

document! {
    /// The root of a backup.
    Manifest(it: manifest::Manifest) {
        /// The format that it was written in.
        format = it.format,
        /// The oldest format whose readers understand it. A release that knows only older ones refuses the backup.
        min_reader = it.min_reader,
        /// The backup's name.
        name = it.name,
        /// Complete, or degraded with the caller's consent.
        status = it.status,
        /// Which release of this crate wrote it.
        written_by = it.written_by,
        /// When the backup began: what was acknowledged before is in it.
        began = it.began,
        /// When it was committed.
        committed = it.committed,
        /// The cluster and its source, without credentials.
        cluster = it.cluster,
        /// How many objects.
        object_count = it.object_count,
        /// How many bytes.
        byte_count = it.byte_count,
        /// The proof as it was at the commit.
        certificate = it.certificate,
        /// What the passes cost and found.
        passes = it.passes,
    }

    /// One entry of the list of a repository.
    BackupSummary(it: repository::BackupSummary) {
        /// Its name.
        name = it.name,
        /// In which state it is.
        state = it.state,
        /// The cluster it was taken from.
        cluster = it.cluster,
        /// When it was begun.
        began = it.began,
        /// When it was committed.
        committed = it.committed,
        /// How many objects it holds.
        objects = it.objects,
        /// How many bytes.
        bytes = it.bytes,
        /// Why no more is known of it, where it is damaged, newer or unreadable: code, hint and causes, as of any other error.
        reason = it.reason,
    }

    /// What an attempt left that ended without a commit. It takes room until it is
    /// `removed`.
    ///
    /// An upload that never became an object counts as one object of no bytes: stores do not tell its size. A bucket's
    /// lifecycle rule (`AbortIncompleteMultipartUpload`) removes them too, and Azure does after a week.
    Leftover(it: leftovers::Leftover) {
        /// The directory of the repository that it lies in: a backup's name.
        name = it.name,
        /// What it is.
        kind = it.kind,
        /// How many files or objects.
        objects = it.objects,
        /// How many bytes.
        bytes = it.bytes,
    }

    /// The marker of a repository, `_influx_backup/repository.json`. The first backup writes it; it is never changed.
    RepositoryMarker(it: manifest::RepositoryMarker) {
        /// The version of the format.
        format = it.format,
        /// The oldest version of the format whose readers can read this repository.
        min_reader = it.min_reader,
        /// When the repository was made.
        created = it.created,
        /// Tells this repository from every other one: 32 hexadecimal digits, chosen at random.
        id = it.id,
        /// Which release of this crate made it.
        written_by = it.written_by,
    }
}

/// A committed backup, opened.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
pub(crate) struct Backup(pub(crate) core::Backup);

#[pymethods]
impl Backup {
    /// Its name: that of the place where it lies.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Where it lies.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.location().to_python(py)
    }

    /// SHA-256 of the root manifest: keep it elsewhere, and no change of the backup goes unnoticed.
    #[getter]
    fn sha256(&self) -> &str {
        self.0.sha256()
    }

    /// What the backup holds.
    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.manifest().to_python(py)
    }

    fn __repr__(&self) -> String {
        format!("<Backup {} in {}>", self.0.name(), self.0.repository())
    }
}

impl ToPython for core::Backup {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, Backup(self.clone()))?.into_any())
    }
}

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Backup>()?;
    add_documents_to(module)
}
