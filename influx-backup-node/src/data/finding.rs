//! What is found.

use crate::{convert::by_name, document::document};

influx_backup_bindings::finding_tables!(by_name, document);
