//! Plans: what a backup or a restore would do.

use influx_backup_core::{self as core, options::Policy, plan};
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name, loads},
    document::{self, document},
    error::raise,
};

by_name!(Policy, plan::RootAction);

/// Gives a plan its class.
macro_rules! plan {
    ($(#[doc = $doc:literal])+ $name:ident { $( $(#[doc = $attribute_doc:literal])+ $attribute:ident = |$it:ident| $value:expr, )* }) => {
        $(#[doc = $doc])+
        #[pyclass(frozen, module = "influx_backup")]
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) core::$name);

        impl ToPython for core::$name {
            fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(Bound::new(py, $name(self.clone()))?.into_any())
            }
        }

        #[pymethods]
        impl $name {
            $(
                $(#[doc = $attribute_doc])+
                #[getter]
                fn $attribute<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                    let $it = &self.0;
                    ToPython::to_python(&$value, py)
                }
            )*

            /// The plan as a JSON document, with a format version and its hash.
            fn to_json(&self) -> PyResult<String> {
                self.0.to_json().map_err(raise)
            }

            /// The plan as dicts, lists and plain values.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                loads(py, &self.to_json()?)
            }

            /// Reads what `to_json` wrote. Raises `UsageError` where it was altered or is something else.
            #[staticmethod]
            fn from_json(json: &str) -> PyResult<Self> {
                core::$name::from_json(json).map(Self).map_err(raise)
            }

            fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
                other.cast::<Self>().is_ok_and(|other| self.0.hash() == other.get().0.hash())
            }

            fn __hash__(&self) -> u64 {
                document::hash_of(&self.0.hash())
            }

            fn __str__(&self) -> String {
                self.0.to_string()
            }

            fn __repr__(&self) -> String {
                format!("<{}: {} objects, hash {}>", stringify!($name), self.0.objects(), self.0.hash())
            }

            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                document::reduce(slf.as_any())
            }
        }
    };
}

plan! {
    /// What a backup of a cluster would copy. `str()` shows it as text.
    BackupPlan {
        /// The cluster id, or for Core the node id.
        cluster = |it| it.cluster,
        /// Core or Enterprise.
        edition = |it| it.edition,
        /// The source, as a URL without credentials.
        source = |it| it.source,
        /// What is copied, in order: each stage is finished before the next one begins.
        stages = |it| it.stages().cloned().collect::<Vec<_>>(),
        /// What is skipped, and why.
        skipped = |it| it.skipped,
        /// How many objects it copies.
        objects = |it| it.objects(),
        /// How many bytes.
        bytes = |it| it.bytes(),
        /// The same for the same plan on every machine.
        hash = |it| it.hash(),
    }
}

plan! {
    /// What a restore would do: to be shown, approved and run. `str()` shows it as text.
    RestorePlan {
        /// The backup's name.
        backup = |it| it.backup,
        /// SHA-256 of its root manifest.
        manifest_sha256 = |it| it.manifest_sha256,
        /// The cluster id, or for Core the node id.
        cluster = |it| it.cluster,
        /// Core or Enterprise.
        edition = |it| it.edition,
        /// The target, as a URL without credentials.
        target = |it| it.target,
        /// Who keeps the objects of the target.
        target_identity = |it| it.target_identity,
        /// The `RestoreOptions` that the plan was made with, as a dict.
        options = |it| serde_json::to_value(&it.options).unwrap_or_default(),
        /// The policy that holds: that of an unfinished restore, where the plan resumes one.
        policy = |it| it.policy,
        /// The id of the unfinished restore that is resumed.
        resumes = |it| it.resumes,
        /// Where the boot guard is put, so that no server starts meanwhile.
        guards = |it| it.guards,
        /// What happens to each guard at the end, in order.
        release = |it| it.release,
        /// What is copied, in order: each stage is finished before the next one begins.
        stages = |it| it.stages().cloned().collect::<Vec<_>>(),
        /// What the target holds besides the backup: names, not touched.
        kept = |it| it.kept,
        /// What is skipped, and why.
        skipped = |it| it.skipped,
        /// The generation of the catalog that servers load.
        live = |it| it.live,
        /// Which server releases may open the result.
        servers = |it| it.servers,
        /// The nodes whose servers have to be stopped, in order.
        stop = |it| it.stop,
        /// The nodes whose servers are started again, in order.
        start = |it| it.start,
        /// What the caller has to do.
        todos = |it| it.todos,
        /// What else was found.
        findings = |it| it.findings,
        /// How many objects it copies.
        objects = |it| it.objects(),
        /// How many bytes.
        bytes = |it| it.bytes(),
        /// The same for the same plan on every machine.
        hash = |it| it.hash(),
        /// Keys at the target that would be overwritten.
        overwrites = |it| it.overwrites().collect::<Vec<_>>(),
        /// Keys at the target that would be deleted.
        deletions = |it| it.deletions().collect::<Vec<_>>(),
        /// License files that are not restored.
        licenses_skipped = |it| it.licenses_skipped().collect::<Vec<_>>(),
    }
}

document! {
    /// A set of copies: all of them are finished before the next stage begins.
    Stage(it: plan::Stage) {
        /// What it copies.
        kind = it.kind,
        /// How many objects it copies.
        objects = it.objects(),
        /// How many bytes.
        bytes = it.bytes(),
        /// The keys that it writes.
        keys = it.keys().collect::<Vec<_>>(),
    }

    /// What happens to the boot guard at the root of one generation of the catalog.
    RootStep(it: plan::RootStep) {
        /// The key of the root.
        key = it.key,
        /// Which generation's.
        generation = it.generation,
        /// `put`: the backup's root takes its place; `remove`: the backup has no catalog of this generation.
        action = it.action,
    }
}

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    add_documents_to(module)?;
    module.add_class::<BackupPlan>()?;
    module.add_class::<RestorePlan>()
}
