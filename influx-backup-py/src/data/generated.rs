//! What `influx_backup.testing` writes.

use pyo3::prelude::*;

use crate::document::document;

/// As [`document!`], in the module for tests.
macro_rules! testing_document {
    ($($documents:tt)+) => {
        document! { in "influx_backup.testing": $($documents)+ }
    };
}

influx_backup_bindings::generated_tables!(testing_document);
