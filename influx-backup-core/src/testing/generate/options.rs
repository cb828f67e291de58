//! [`GenerateOptions`]: a small cluster of the usual shape, from options that are data.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use super::{CompactorData, Derived, Generate, Generated};
use crate::{
    cancellation::Cancellation,
    cluster::Edition,
    error::{Error, Result},
    layout::Generation,
    units::ByteSize,
};

/// A small cluster of the usual shape, to try things on: what the program's `generate` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GenerateOptions {
    /// Which InfluxDB 3.
    pub edition: Edition,
    /// How many nodes hold data (Enterprise).
    pub nodes: u16,
    /// How many snapshots each node has taken.
    pub snapshots: u32,
    /// How long each Parquet file is.
    pub file_size: ByteSize,
    /// The generation of the catalog.
    pub catalog: Generation,
    /// Another seed: other ids and sizes.
    pub seed: u64,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            edition: Edition::Enterprise,
            nodes: 2,
            snapshots: 10,
            file_size: ByteSize(64 << 10),
            catalog: Generation::V3,
            seed: 0,
        }
    }
}

impl GenerateOptions {
    /// Writes the cluster into a directory that is missing or empty, until it is cancelled. What was written by then stays.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a directory that is not empty, [`Error::Cancelled`], [`Error::Store`].
    pub fn generate_into(&self, directory: &Path, cancellation: &Cancellation) -> Result<Generated> {
        let failed = |operation| move |error| Error::io(operation, "", directory.display(), error);
        if !is_free(directory).map_err(failed("list"))? {
            let reason = format!("`{}` is not empty: give one that is, or a new one", directory.display());
            return Err(Error::invalid_request("directory", reason));
        }
        self.recipe().write_unless_cancelled(directory, cancellation).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted if cancellation.is_cancelled() => Error::Cancelled { done: 0, total: 0 },
            _ => failed("write")(error),
        })
    }

    fn recipe(&self) -> Generate {
        let recipe = match self.edition {
            Edition::Core => Generate::core("node01"),
            Edition::Enterprise => Generate::enterprise("cluster01")
                .nodes((1..=self.nodes).map(|number| format!("ingester{number:02}")))
                .compactor("compactor01", CompactorData::None),
        };
        recipe
            .catalog(self.catalog)
            .snapshots(self.snapshots.into())
            .parquet_size(usize::try_from(self.file_size.0).unwrap_or(usize::MAX))
            .derived(Derived::All)
            .seed(self.seed)
    }
}

/// Whether a directory is missing or empty.
fn is_free(directory: &Path) -> io::Result<bool> {
    match std::fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_empty_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("data");
        let options: GenerateOptions =
            serde_json::from_str(r#"{"edition": "core", "snapshots": 2, "file_size": "2KiB"}"#).expect("options");
        let made = options.generate_into(&place, &Cancellation::new()).expect("written");
        assert_eq!(made.catalog_owner, "node01");
        assert_eq!(made.nodes["node01"].last_snapshot, Some(2));
        let error = options.generate_into(&place, &Cancellation::new()).expect_err("refused");
        assert_eq!(error.code(), "invalid-request");
        assert!(error.to_string().contains("data` is not empty"), "{error}");
    }

    /// All of it would take minutes.
    #[test]
    fn it_stops_when_it_is_cancelled() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("data");
        let options =
            GenerateOptions { snapshots: 1_000_000, file_size: ByteSize(1 << 10), ..GenerateOptions::default() };
        let cancellation = Cancellation::new();
        let cancels = cancellation.clone();
        let begun = place.clone();
        let canceller = std::thread::spawn(move || {
            while is_free(&begun).expect("a look") {
                std::thread::yield_now();
            }
            cancels.cancel();
        });
        let error = options.generate_into(&place, &cancellation).expect_err("cancelled");
        canceller.join().expect("no panic");
        assert_eq!(error.code(), "cancelled");
        let written = walkdir::WalkDir::new(&place).into_iter().count();
        assert!((2..1_000_000).contains(&written), "{written}");
    }
}
