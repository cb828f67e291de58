//! Plans: what a backup or a restore would do.

use influx_backup_core::options::{Naming, RestoreOptions};
use napi::{Env, Result, Unknown};

use crate::{
    convert::{ToNode, by_name},
    document::{Document, data, document},
};

/// Gives plans their classes.
macro_rules! plan {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($it:ident: $core:ty) $fields:tt
    )+) => {
        $(data! {
            $name($it: $core, text = $it) $fields
            json($it.to_json().map(Some))
        })+

        /// The classes of plans.
        pub(crate) const PLANS: &[&str] = &[$(stringify!($name)),+];

        /// Reads the JSON of a plan.
        pub(crate) fn read_plan(class: &str, json: &str) -> Option<influx_backup_core::Result<Document>> {
            $(
                if class == stringify!($name) {
                    return Some(<$core>::from_json(json).map(Document::new));
                }
            )+
            None
        }
    };
}

influx_backup_bindings::plans_tables!(by_name, document, plan);

impl ToNode for RestoreOptions {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        Naming::CamelCase.write_all(serde_json::to_value(self).unwrap_or_default()).to_node(env)
    }
}
