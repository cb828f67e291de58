//! What discovery finds.

use influx_backup_core::{Cluster as CoreCluster, cluster, layout::Generation, location};
use pyo3::prelude::*;

use crate::{
    convert::{ToPython, by_name, loads, to_json},
    document::{document, hash_of},
};

by_name!(location::Provider, cluster::Edition, cluster::Role, cluster::GenerationState, Generation);

/// Adds the classes of this file.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Cluster>()?;
    add_documents_to(module)
}

document! {
    /// Who keeps the objects of a location, without any secret.
    Identity(it: location::Identity, text = it) {
        /// Which kind of store: `file`, `s3`, `azure`, `gcs` or `other`.
        provider = it.provider(),
    }

    /// One node of a cluster.
    Node(it: cluster::Node) {
        /// Its id, which is also its prefix. May contain `/`.
        id = it.id,
        /// What it does, sorted.
        roles = it.roles,
    }

    /// One generation of the catalog that the store has.
    FoundGeneration(it: cluster::FoundGeneration) {
        /// Which one.
        generation = it.generation,
        /// Whether it is the one that a server loads, or a frozen older one.
        state = it.state,
    }

    /// A node that the catalog names.
    CatalogNode(it: cluster::CatalogNode) {
        /// Its id.
        id = it.id,
        /// Whether the store has objects under it.
        in_store = it.in_store,
    }

    /// What a manifest keeps of a cluster: all of it but the location's credentials.
    ClusterDescription(it: cluster::ClusterDescription) {
        /// The location as a URL.
        location = it.location,
        /// Who keeps the objects: what licenses were bound to before 3.10.
        identity = it.identity,
        /// Core or Enterprise.
        edition = it.edition,
        /// The cluster id; `None` for Core.
        cluster_id = it.cluster_id,
        /// The nodes, sorted by id.
        nodes = it.nodes,
        /// The generations of the catalog found, oldest first.
        catalogs = it.catalogs,
        /// Node ids that the catalog names, or `None` where it cannot be read.
        catalog_nodes = it.catalog_nodes,
        /// Node ids that the caller excluded by name.
        excluded_nodes = it.excluded_nodes,
        /// Prefixes that look like nodes of this cluster, or of none, and are neither among its nodes nor excluded by name.
        unclaimed_nodes = it.unclaimed_nodes,
        /// License files, by key.
        licenses = it.licenses,
        /// Names that belong to no node and not to the cluster (the prefixes of other clusters, too): not copied.
        foreign = it.foreign,
        /// Names below a node or the cluster that this release does not know: copied and reported.
        unknown = it.unknown,
        /// What was found that stops nothing.
        notes = it.notes,
        /// How the cluster was recognized, for a person.
        evidence = it.evidence,
        /// The cluster id, or for Core the node id.
        id = it.id(),
        /// Where the catalog lies.
        catalog_prefix = it.catalog_prefix(),
    }
}

/// A cluster at a location, as discovery found it. `description` is all that was found.
#[pyclass(frozen, module = "influx_backup")]
#[derive(Debug)]
pub(crate) struct Cluster(pub(crate) CoreCluster);

#[pymethods]
impl Cluster {
    /// Where it lives.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.location().to_python(py)
    }

    /// The cluster id, or for Core the node id.
    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    /// Core or Enterprise.
    #[getter]
    fn edition<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.edition().to_python(py)
    }

    /// The nodes, sorted by id.
    #[getter]
    fn nodes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.nodes().to_python(py)
    }

    /// Where the catalog lies.
    #[getter]
    fn catalog_prefix(&self) -> &str {
        self.0.catalog_prefix()
    }

    /// What was found that stops nothing.
    #[getter]
    fn notes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.notes().to_python(py)
    }

    /// The description as JSON. A cluster itself is not made from it: its location may need credentials.
    fn to_json(&self) -> PyResult<String> {
        to_json(self.0.description())
    }

    /// The description as dicts, lists and plain values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json()?)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same =
            |other: &CoreCluster| self.0.location() == other.location() && self.0.description() == other.description();
        other.cast::<Self>().is_ok_and(|other| same(&other.get().0))
    }

    fn __hash__(&self) -> PyResult<u64> {
        Ok(hash_of(&self.to_json()?))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Cluster {} at {}>", self.0.id(), self.0.location())
    }

    /// Everything discovery found.
    #[getter]
    fn description<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.description().to_python(py)
    }
}

impl ToPython for CoreCluster {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, Cluster(self.clone()))?.into_any())
    }
}
