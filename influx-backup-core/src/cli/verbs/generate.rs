//! `generate DIRECTORY`

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    ByteSize, Generation,
    cli::{exit::Exit, failure::Failure, places, screen::Screen},
    testing::generate::{CompactorData, Derived, Generate as Recipe},
};

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// Where to write it: a directory that is missing or empty.
    directory: PathBuf,
    /// Which InfluxDB 3.
    #[arg(long, value_enum, default_value_t = Edition::Enterprise)]
    edition: Edition,
    /// How many nodes hold data (Enterprise).
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=99))]
    nodes: u16,
    /// How many snapshots each node has taken.
    #[arg(long, value_name = "N", default_value_t = 10)]
    snapshots: u32,
    /// How long each Parquet file is.
    #[arg(long, value_name = "SIZE", default_value = "64KiB")]
    file_size: ByteSize,
    /// The generation of the catalog.
    #[arg(long, value_enum, default_value_t = Catalog::V3)]
    catalog: Catalog,
    /// Another seed: other ids and sizes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// Which InfluxDB 3.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Edition {
    /// One node.
    Core,
    /// Nodes and a compactor.
    Enterprise,
}

/// The generation of the catalog.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Catalog {
    /// 3.0 to 3.3.
    V1,
    /// 3.4 to 3.9.
    V2,
    /// 3.10 and later.
    V3,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    directory: PathBuf,
    cluster: String,
    nodes: Vec<String>,
    objects: usize,
    bytes: ByteSize,
}

impl Generate {
    pub(crate) fn run(self, screen: &Screen) -> Result<Exit, Failure> {
        let free = places::is_free(&self.directory).map_err(|error| Failure::io("look into the directory", &error))?;
        if !free {
            let directory = self.directory.display();
            return Err(Failure::usage(format!("`{directory}` is not empty: give a directory that is, or a new one")));
        }
        let made = self.recipe().generate_into(&self.directory);
        let made = made.map_err(|error| Failure::io("write the cluster", &error))?;
        let written = Written {
            directory: self.directory,
            cluster: made.catalog_owner.clone(),
            nodes: made.registered.iter().cloned().collect(),
            objects: made.objects.len(),
            bytes: ByteSize(made.bytes()),
        };
        screen.answer(&written, &written)?;
        Ok(Exit::Done)
    }

    fn recipe(&self) -> Recipe {
        let generation = match self.catalog {
            Catalog::V1 => Generation::V1,
            Catalog::V2 => Generation::V2,
            Catalog::V3 => Generation::V3,
        };
        let recipe = match self.edition {
            Edition::Core => Recipe::core("node01"),
            Edition::Enterprise => Recipe::enterprise("cluster01")
                .nodes((1..=self.nodes).map(|number| format!("ingester{number:02}")))
                .compactor("compactor01", CompactorData::None),
        };
        let size = usize::try_from(self.file_size.0).unwrap_or(usize::MAX);
        recipe
            .catalog(generation)
            .snapshots(self.snapshots.into())
            .parquet_size(size)
            .derived(Derived::All)
            .seed(self.seed)
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, cluster, nodes, objects, bytes } = self;
        writeln!(f, "cluster {cluster} with nodes {} in {}", nodes.join(", "), directory.display())?;
        writeln!(f, "{objects} objects, {bytes}")
    }
}
