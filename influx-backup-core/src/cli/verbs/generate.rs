//! `generate DIRECTORY`

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    ByteSize, Generation,
    cli::{args, exit::Exit, failure::Failure, screen::Screen},
    cluster::Edition,
    testing::generate::GenerateOptions,
};

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// Where to write it: a directory that is missing or empty.
    directory: PathBuf,
    /// Which InfluxDB 3.
    #[arg(long, default_value_t = Edition::Enterprise, value_parser = args::choice::<Edition>(Edition::NAMES))]
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
        let made = self.options().generate_into(&self.directory, &screen.stop().asked)?;
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

    fn options(&self) -> GenerateOptions {
        let catalog = match self.catalog {
            Catalog::V1 => Generation::V1,
            Catalog::V2 => Generation::V2,
            Catalog::V3 => Generation::V3,
        };
        let Self { edition, nodes, snapshots, file_size, seed, .. } = *self;
        GenerateOptions { edition, nodes, snapshots, file_size, catalog, seed }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, cluster, nodes, objects, bytes } = self;
        writeln!(f, "cluster {cluster} with nodes {} in {}", nodes.join(", "), directory.display())?;
        writeln!(f, "{objects} objects, {bytes}")
    }
}
