//! What discovery finds.

/// Calls the macros with the tables of this subject.
#[macro_export]
macro_rules! cluster_tables {
    ($by_name:ident, $document:ident, $handle:ident) => {
        $by_name!(
            $crate::core::location::Provider,
            $crate::core::cluster::Edition,
            $crate::core::cluster::Role,
            $crate::core::cluster::GenerationState,
            $crate::core::layout::Generation
        );

        $document! {
            /// Who keeps the objects of a location, without any secret.
            Identity(it: $crate::core::location::Identity, text = it) {
                /// Which kind of store: `file`, `s3`, `azure`, `gcs` or `other`.
                provider = it.provider(),
            }

            /// One node of a cluster.
            Node(it: $crate::core::cluster::Node) {
                /// Its id, which is also its prefix. May contain `/`.
                id = it.id,
                /// What it does, sorted.
                roles = it.roles,
            }

            /// One generation of the catalog that the store has.
            FoundGeneration(it: $crate::core::cluster::FoundGeneration) {
                /// Which one.
                generation = it.generation,
                /// Whether it is the one that a server loads, or a frozen older one.
                state = it.state,
            }

            /// A node that the catalog names.
            CatalogNode(it: $crate::core::cluster::CatalogNode) {
                /// Its id.
                id = it.id,
                /// Whether the store has objects under it.
                in_store = it.in_store,
            }

            /// What a manifest keeps of a cluster: all of it but the location's credentials.
            ClusterDescription(it: $crate::core::cluster::ClusterDescription) {
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

        $handle! {
            /// A cluster at a location, as discovery found it. `description` is all that was found.
            Cluster(it: $crate::core::Cluster) {
                /// Where it lives.
                location = it.location(),
                /// The cluster id, or for Core the node id.
                id = it.id(),
                /// Core or Enterprise.
                edition = it.edition(),
                /// The nodes, sorted by id.
                nodes = it.nodes(),
                /// Where the catalog lies.
                catalog_prefix = it.catalog_prefix(),
                /// What was found that stops nothing.
                notes = it.notes(),
                /// Everything discovery found.
                description = it.description(),
            }
        }
    };
}
