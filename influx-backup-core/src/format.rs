//! Readers of the files that InfluxDB 3 writes. Pure: bytes in, facts or a [`FormatError`] out, never a panic.
//!
//! | file | reader |
//! |---|---|
//! | `wal/*.wal` | [`wal::check`] |
//! | `snapshots/*.info.json` | [`Snapshot::parse`] |
//! | `snapshot-checkpoints/*/*.checkpoint.json` | [`Checkpoint::parse`] |
//! | catalog roots and logs of every generation | [`CatalogFile::parse`] |
//! | `dbs/**.parquet` | [`parquet::check`], which needs only both ends of the file |
//!
//! The formats come from the public Core source, v3.0.0 to v3.10.1, and are checked against files that real servers
//! wrote. Unknown JSON fields are ignored, since later releases add some; what a server of today refuses is an error.

pub mod catalog;
mod checkpoint;
mod error;
mod files;
pub mod parquet;
mod snapshot;
pub mod wal;

pub use catalog::CatalogFile;
pub use checkpoint::Checkpoint;
pub use error::{End, FormatError};
pub use files::FileRef;
pub use snapshot::Snapshot;
