//! What `influx-backup/testing` writes.

use crate::document::document;

influx_backup_bindings::generated_tables!(document);
