//! What is found.

use influx_backup_core::{
    Finding as CoreFinding,
    finding::{Clause, Severity},
};
use pyo3::prelude::*;

use crate::{convert::by_name, document::document};

by_name!(Clause, Severity);

document! {
    /// Something that was found. `str()` shows its message.
    Finding(it: CoreFinding, text = it) {
        /// What it is, by a stable code: one of `FINDING_CODES`.
        code = it.code,
        /// How serious it is: that of its code.
        severity = it.severity,
        /// The clause that it belongs to, where it belongs to one.
        clause = it.clause,
        /// The node concerned.
        node = it.node,
        /// The object concerned.
        key = it.key,
        /// A sentence for a person.
        message = it.message,
        /// The number that should be there: a size in bytes, a count of files, the number of a log.
        expected = it.expected,
        /// The number that is there instead.
        found = it.found,
        /// The first and the last number of a run of WAL files.
        range = it.range,
    }
}
