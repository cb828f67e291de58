//! What lies in a repository.

use influx_backup_core::{self as core, leftovers, manifest, record, repository};
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name},
    document::{document, hash_of},
    error::raise,
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
        /// Which release of influx-backup wrote it.
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
        /// In which state it is, such as `complete` or `damaged`.
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

    /// What an attempt left that ended without a commit. It takes room until `Repository.remove` deletes it.
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

    /// One object of a backup.
    ObjectRecord(it: record::ObjectRecord) {
        /// Its key in the source, and where it is restored to.
        key = it.key,
        /// How many bytes it had in the source.
        size = it.content.size,
        /// The checksum of these bytes (CRC-64/NVME), where they were read on the way.
        crc64 = it.content.crc64,
        /// The version of the source that was copied.
        version = it.version,
        /// What the copy was compared by.
        checked_by = it.checked_by,
        /// Metadata that the source's store returned with it.
        attributes = it.attributes,
        /// Where its bytes lie, relative to the repository; `None`: under its own key in the backup.
        stored_at = it.stored.at,
        /// How many bytes lie there.
        stored_size = it.stored.size,
    }

    /// A Parquet file that is referred to and that neither the backup nor the source has.
    AbsentRecord(it: record::AbsentRecord) {
        /// The node.
        node = it.node,
        /// The database's id.
        database = it.database,
        /// The table's id.
        table = it.table,
        /// Its key.
        path = it.path,
        /// How many rows it had.
        rows = it.rows,
        /// The newest row's time.
        newest = it.newest,
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
        /// Which release of influx-backup made it.
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

    /// The repository that it lies in.
    #[getter]
    fn repository<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.repository().to_python(py)
    }

    /// Every object that it holds, sorted by key. Made anew at each look.
    #[getter]
    fn objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.objects().cloned().collect::<Vec<_>>().to_python(py)
    }

    /// Parquet files that live manifests name and that were gone from the source, with the consent of the caller.
    #[getter]
    fn absent<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.absent().cloned().collect::<Vec<_>>().to_python(py)
    }

    /// The object of this key; `None` where it holds none. Raises `UsageError` for a text that is no key.
    fn object<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyAny>> {
        let key = core::Key::parse(key).map_err(|error| raise(error.into()))?;
        self.0.object(&key).cloned().to_python(py)
    }

    /// What the backup holds.
    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.manifest().to_python(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same = |other: &core::Backup| self.0.location() == other.location() && self.0.sha256() == other.sha256();
        other.cast::<Self>().is_ok_and(|other| same(&other.get().0))
    }

    fn __hash__(&self) -> u64 {
        hash_of(self.0.sha256())
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
