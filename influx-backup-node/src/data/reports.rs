//! What verbs did.

use crate::{convert::by_name, document::document};

influx_backup_bindings::reports_tables!(by_name, document);
