//! `discover SOURCE`

use std::fmt;

use crate::{
    cli::{args, exit::Exit, failure::Failure, places, progress::follow, screen::Screen},
    cluster::{ClusterDescription, Edition, Node},
};

/// The arguments of `discover`.
#[derive(Debug, clap::Args)]
pub(crate) struct Discover {
    /// Where the cluster lives.
    source: String,
    #[command(flatten)]
    ids: args::Ids,
    #[command(flatten)]
    options: args::Source,
}

impl Discover {
    pub(crate) async fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let source = places::location(&self.source, &self.options.source_options)?;
        let what = self.ids.discover();
        let cluster = follow(crate::discover(&source, &what).start(), screen).await?;
        screen.answer(cluster.description(), Shown(cluster.description()))?;
        Ok(Exit::Done)
    }
}

struct Shown<'a>(&'a ClusterDescription);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cluster = self.0;
        match cluster.edition {
            Edition::Core => writeln!(f, "InfluxDB 3 Core, node {}", cluster.id())?,
            _ => writeln!(f, "InfluxDB 3 Enterprise, cluster {}", cluster.id())?,
        }
        writeln!(f, "at {}", cluster.location)?;
        cluster.nodes.iter().try_for_each(|node| writeln!(f, "  node {:<24} {}", node.id, roles(node)))?;
        for catalog in &cluster.catalogs {
            writeln!(f, "  catalog {}, {}", catalog.generation, catalog.state)?;
        }
        cluster.licenses.iter().try_for_each(|key| writeln!(f, "  license {key}"))?;
        cluster.unknown.iter().try_for_each(|name| writeln!(f, "  unknown, copied: {name}"))?;
        cluster.foreign.iter().try_for_each(|name| writeln!(f, "  foreign, not copied: {name}"))?;
        cluster.excluded_nodes.iter().try_for_each(|id| writeln!(f, "  node excluded: {id}"))?;
        cluster.notes.iter().try_for_each(|note| writeln!(f, "note [{}]: {}", note.code, note.message))?;
        cluster.evidence.iter().try_for_each(|evidence| writeln!(f, "evidence: {evidence}"))
    }
}

fn roles(node: &Node) -> String {
    node.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}
