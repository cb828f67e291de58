//! Errors as data.

use pyo3::prelude::*;

use crate::document::document;

influx_backup_bindings::error_tables!(document);
