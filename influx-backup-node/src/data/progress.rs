//! How far a job is.

use crate::{convert::by_name, document::document};

influx_backup_bindings::progress_tables!(by_name, document);
