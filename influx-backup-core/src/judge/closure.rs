//! C1: every live file is in the backup with exactly the size its manifest says, or absent from the source too.

use std::collections::BTreeMap;

use super::{
    evidence::{Evidence, Provenance},
    fact::Fact,
    judgement::{ANYWHERE, At, Judgement, finding},
};
use chrono::DateTime;

use crate::{
    certificate::AbsentTable,
    cluster::Edition,
    finding::{Clause, FindingCode},
    format::FileRef,
    key::Key,
    layout::Component,
    options::AbsenceTolerance,
    record::AbsentRecord,
    table::Table,
};

/// What the files of one node are.
#[derive(Debug, Default)]
pub(crate) struct Closure {
    /// Live files by path: a server that replayed its WAL after a crash names one object under two ids, and what was
    /// written last is what is there.
    pub(crate) live: Table<FileRef>,
    /// Live files that the backup lacks.
    pub(crate) missing: Table<FileRef>,
}

impl Closure {
    /// That of a node which is not there.
    pub(crate) const NONE: Self = Self { live: Table::new(), missing: Table::new() };
}

/// Folds the manifests of one node up to its cut, and its checkpoints, and looks for every live file.
pub(super) fn close(evidence: &Evidence<'_>, node: &str) -> Closure {
    let cut = evidence.cut.of(node).unwrap_or(0);
    let live = fold(evidence, node, cut);
    let mut held = evidence.held.reader();
    let missing = live.iter().filter(|file| held.get(&file.path).is_none()).collect();
    Closure { live, missing }
}

/// How many changes are folded at once.
const CHANGES: usize = 4096;

/// What was live at the cut of a node: manifests and checkpoints ascending by sequence, a checkpoint after the manifest of
/// its own sequence, and the later entry wins.
fn fold(evidence: &Evidence<'_>, node: &str, cut: u64) -> Table<FileRef> {
    let manifests = evidence.manifests(node).map(|it| (it.snapshot.snapshot_sequence_number, it.key, None));
    let checkpoints = evidence.checkpoints(node).into_iter();
    let checkpoints = checkpoints.map(|(key, it)| (it.last_snapshot_sequence_number, key.clone(), Some(it)));
    let mut entries: Vec<_> = manifests.chain(checkpoints).filter(|(sequence, ..)| *sequence <= cut).collect();
    entries.sort_by_key(|(sequence, _, checkpoint)| (*sequence, checkpoint.is_some()));
    let mut facts = evidence.facts.reader();
    let mut live = Table::new();
    let mut changes: BTreeMap<String, Option<FileRef>> = BTreeMap::new();
    for (_, key, checkpoint) in entries {
        let files = match checkpoint {
            Some(checkpoint) => Some((&checkpoint.files, &checkpoint.pending_removed)),
            None => facts.manifest(&key).map(|snapshot| (&snapshot.added, &snapshot.removed)),
        };
        let Some((added, removed)) = files else { continue };
        let added = added.iter().map(|file| (file.path.clone(), Some(file)));
        for (path, file) in added.chain(removed.iter().map(|file| (file.path, None))) {
            changes.insert(path, file);
            if changes.len() == CHANGES {
                live.edit(std::mem::take(&mut changes), |_, file| file);
            }
        }
    }
    live.edit(changes, |_, file| file);
    live
}

/// Judges the clause, and says what is absent.
pub(super) fn judge(evidence: &Evidence<'_>) -> (Judgement, Table<AbsentRecord>) {
    let mut judgement = Judgement::of(Clause::Closure);
    let mut absent = Table::new();
    for node in evidence.cluster.stored_nodes() {
        let closure = evidence.closure(&node.id);
        check_held(evidence, &node.id, closure, &mut judgement);
        let mut is_absent = absent_in(evidence);
        let before = absent.len();
        let gone = closure.missing.iter().filter_map(|file| {
            if is_absent(&file.path) {
                return Some(record(&node.id, file));
            }
            let message = format!("`{}` is referenced by {} but missing from the backup", file.path, node.id);
            let key = Key::parse(&file.path).ok();
            let at = At { node: Some(&node.id), key: key.as_ref() };
            judgement.report(at, FindingCode::MissingParquet, message);
            None
        });
        absent.extend(gone);
        let gone = absent.len() - before;
        check_share(evidence, &node.id, closure.live.len(), gone, &mut judgement);
    }
    if !absent.is_empty() {
        let message = match evidence.provenance {
            Provenance::None => {
                format!("{} live files are missing; whether the source had them is not recorded", absent.len())
            }
            _ => format!("{} live files are absent from the source too", absent.len()),
        };
        judgement.not_attested = matches!(evidence.provenance, Provenance::None);
        judgement.report(ANYWHERE, FindingCode::AbsentParquet, message);
    }
    (judgement, absent)
}

/// Every live file that is held has the size its manifest says: queries read it by that.
fn check_held(evidence: &Evidence<'_>, node: &str, closure: &Closure, judgement: &mut Judgement) {
    let mut objects = evidence.held.reader();
    for file in &closure.live {
        let Some(held) = objects.get(&file.path) else { continue };
        let key = &held.key;
        if held.size != file.size_bytes {
            let message = format!("`{key}` has {} bytes, its manifest says {}", held.size, file.size_bytes);
            let wrong = finding(At::object(Some(node), key), FindingCode::WrongSizeParquet, message);
            judgement.add(wrong.with_numbers(Some(file.size_bytes), Some(held.size)));
        }
        if let Some(Fact::Parquet(error)) = evidence.facts.get(key) {
            judgement.report(At::object(Some(node), key), FindingCode::CorruptParquet, format!("`{key}`: {error}"));
        }
    }
}

/// Whether the source lacks a file too, as far as that is known.
fn absent_in<'a>(evidence: &Evidence<'a>) -> Box<dyn FnMut(&str) -> bool + 'a> {
    match evidence.provenance {
        Provenance::None => Box::new(|_| true),
        Provenance::Run(run) => {
            let mut absent = run.absent.reader();
            Box::new(move |path| absent.get(path).is_some())
        }
        Provenance::Manifest(record) => {
            let mut absent = record.absent.reader();
            Box::new(move |path| absent.get(path).is_some())
        }
    }
}

/// Core: a `dbs` that is empty under live references, or that lacks more than half of them, is probably not mounted.
fn check_share(evidence: &Evidence<'_>, node: &str, live: usize, gone: usize, judgement: &mut Judgement) {
    let accepted = evidence.absence_tolerance == AbsenceTolerance::Lenient;
    if evidence.cluster.edition != Edition::Core || gone == 0 || accepted {
        return;
    }
    let empty = evidence.held_of(node, Component::Parquet).next().is_none();
    if empty || gone * 2 > live {
        let message = format!("{gone} of {live} live files of {node} are gone from `{node}/dbs`: is a volume missing?");
        let expected = live as u64;
        let found = (live - gone) as u64;
        let missing = finding(At::node(node), FindingCode::MostParquetMissing, message);
        judgement.add(missing.with_numbers(Some(expected), Some(found)));
    }
}

fn record(node: &str, file: FileRef) -> AbsentRecord {
    AbsentRecord {
        node: node.to_owned(),
        path: file.path,
        database: file.database,
        table: file.table,
        rows: file.row_count,
        newest: DateTime::from_timestamp_nanos(file.max_time),
    }
}

/// Absent files per node and table.
pub(super) fn by_table(absent: &Table<AbsentRecord>) -> Vec<AbsentTable> {
    let mut tables: BTreeMap<(String, u64, u64), AbsentTable> = BTreeMap::new();
    for record in absent {
        let table = tables.entry((record.node.clone(), record.database, record.table)).or_insert_with(|| AbsentTable {
            node: record.node.clone(),
            database: record.database,
            table: record.table,
            files: 0,
            rows: 0,
            newest: record.newest,
        });
        table.files += 1;
        table.rows = table.rows.saturating_add(record.rows);
        table.newest = table.newest.max(record.newest);
    }
    tables.into_values().collect()
}

/// How many Parquet files no live reference names: copied, never certified.
pub(super) fn orphans(evidence: &Evidence<'_>) -> u64 {
    let mut orphans = 0;
    for node in evidence.cluster.stored_nodes() {
        let mut live = evidence.closure(&node.id).live.reader();
        let held = evidence.held_of(&node.id, Component::Parquet);
        orphans += held.filter(|held| live.get(held.key.as_str()).is_none()).count() as u64;
    }
    orphans
}
