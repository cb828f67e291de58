//! The proof.

use crate::{convert::by_name, document::document};

influx_backup_bindings::certificate_tables!(by_name, document);
