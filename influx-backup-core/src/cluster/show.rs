//! A [`Cluster`] as text.

use std::fmt;

use super::{Cluster, ClusterDescription, Edition, Node};
use crate::naming::visible;

/// All that discovery found, for a person.
impl fmt::Display for ClusterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.edition {
            Edition::Core => writeln!(f, "InfluxDB 3 Core, node {}", visible(self.id()))?,
            Edition::Enterprise => writeln!(f, "InfluxDB 3 Enterprise, cluster {}", visible(self.id()))?,
        }
        writeln!(f, "at {}", visible(&self.location))?;
        self.nodes.iter().try_for_each(|node| writeln!(f, "  node {:<24} {}", visible(&node.id), roles(node)))?;
        for catalog in &self.catalogs {
            writeln!(f, "  catalog {}, {}", catalog.generation, catalog.state)?;
        }
        self.licenses.iter().try_for_each(|key| writeln!(f, "  license {}", visible(key)))?;
        self.unknown.iter().try_for_each(|name| writeln!(f, "  unknown, copied: {}", visible(name)))?;
        self.foreign.iter().try_for_each(|name| writeln!(f, "  foreign, not copied: {}", visible(name)))?;
        self.excluded_nodes.iter().try_for_each(|id| writeln!(f, "  node excluded: {}", visible(id)))?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note [{}]: {note}", note.code))?;
        self.evidence.iter().try_for_each(|evidence| writeln!(f, "evidence: {}", visible(evidence)))
    }
}

/// Its [description](Cluster::description).
impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.description().fmt(f)
    }
}

fn roles(node: &Node) -> String {
    node.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::Role,
        finding::{Finding, FindingCode},
        location::{Identity, Location},
    };

    #[test]
    fn a_cluster_is_shown_with_its_nodes_and_notes() {
        let nodes = vec![Node::new("n1", [Role::Data, Role::Compactor])];
        let mut description = ClusterDescription::new("s3://b", Identity::Test, Some("prod".to_owned()), nodes);
        description.notes.push(Finding::new(FindingCode::NoCatalog, "it has none"));
        description.evidence.push("a file".to_owned());
        let text = "InfluxDB 3 Enterprise, cluster prod\nat s3://b\n  node n1                       data, compactor\n\
                    note [no-catalog]: it has none\nevidence: a file\n";
        assert_eq!(description.to_string(), text);
        assert_eq!(Cluster::new(Location::in_memory(), description).to_string(), text);
    }
}
