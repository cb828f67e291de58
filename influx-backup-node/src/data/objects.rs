//! Objects of a location, and listings of them.

use crate::{convert::by_name, document::document};

influx_backup_bindings::objects_tables!(by_name, document);
