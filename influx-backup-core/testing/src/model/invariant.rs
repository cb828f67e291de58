//! What a backup owes, as a check.

use std::{collections::BTreeMap, time::Duration};

use super::{History, read_back::LoadedRows};

/// How a restored tree breaks the promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Rows acknowledged before the backup began, and not removed before it ended, are not there.
    #[error("{} of {owed} rows owed are lost, the first is row {} of node {node} (WAL {wal}, table {table})", rows.len(), rows.first().copied().unwrap_or_default())]
    Lost {
        /// All rows lost.
        rows: Vec<u64>,
        /// How many rows the backup owed.
        owed: usize,
        /// The node of the first.
        node: String,
        /// The WAL file of the first.
        wal: u64,
        /// The table of the first.
        table: u32,
    },
    /// A row is there that its node cannot have stored by the recovery point.
    #[error("row {row} of node {node} (WAL {wal}) lies beyond the recovery point {reached:?}")]
    Beyond {
        /// The row.
        row: u64,
        /// Its node.
        node: String,
        /// Its WAL file.
        wal: u64,
        /// The WAL number that the node's recovery point reaches; `None` where the node has none.
        reached: Option<u64>,
    },
    /// A row is there that was written after the backup ended, or never.
    #[error("row {row} was not written before the backup ended")]
    Unknown {
        /// The row.
        row: u64,
    },
    /// A row is there although the catalog had its table dropped before the backup began.
    #[error("row {row} is back, though table {table} was dropped before the backup began")]
    Resurrected {
        /// The row.
        row: u64,
        /// Its table.
        table: u32,
    },
}

/// Checks that (rows acknowledged before the backup began, minus those dropped, expired or deleted before it ended) ⊆ restored rows ⊆
/// rows stored up to each node's recovery point.
///
/// `reached` is the recovery point that the backup claims: node id → highest WAL number it reaches, at least what its newest snapshot
/// covers. [`LoadedRows::reached`] is what the restored tree itself shows.
///
/// # Errors
/// The first [`Violation`]; lost rows come first.
pub fn invariant(
    history: &History,
    began: Duration,
    ended: Duration,
    restored: &LoadedRows,
    reached: &BTreeMap<String, u64>,
) -> Result<(), Violation> {
    let owed: Vec<_> = history.owed(began, ended).collect();
    let lost: Vec<_> = owed.iter().filter(|row| !restored.rows.contains(&row.id)).collect();
    if let Some(first) = lost.first() {
        let rows = lost.iter().map(|row| row.id).collect();
        return Err(Violation::Lost {
            rows,
            owed: owed.len(),
            node: first.node.clone(),
            wal: first.wal,
            table: first.table,
        });
    }
    for &id in &restored.rows {
        let Some(row) = history.row(id).filter(|row| row.written <= ended) else {
            return Err(Violation::Unknown { row: id });
        };
        let reached = reached.get(&row.node).copied();
        if reached.is_none_or(|reached| row.wal > reached) {
            return Err(Violation::Beyond { row: id, node: row.node.clone(), wal: row.wal, reached });
        }
        let dropped = history.tables.get(&row.table).and_then(|table| table.dropped);
        if dropped.is_some_and(|time| time < began) {
            return Err(Violation::Resurrected { row: id, table: row.table });
        }
    }
    Ok(())
}
