//! What is at the place that a backup is restored to.

use crate::{convert::by_name, document::document};

influx_backup_bindings::target_tables!(by_name, document);
