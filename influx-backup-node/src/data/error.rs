//! Errors as data.

use crate::document::document;

influx_backup_bindings::error_tables!(document);
