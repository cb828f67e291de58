//! What lies in a repository.

use influx_backup_core::{leftovers, manifest, repository};
use pyo3::prelude::*;

use crate::{convert::by_name, document::document};

by_name!(repository::BackupState, leftovers::LeftoverKind);

document! {
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
