//! C4: the live catalog is whole and not older than what needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    evidence::{Evidence, Provenance},
    fact::{Fact, Unreadable},
    judgement::{ANYWHERE, At, Judgement, finding},
};
use crate::{
    cluster::Edition,
    finding::{Clause, FindingCode},
    format::{CatalogFile, catalog::Kind},
    key::Key,
    layout::{Generation, Group, catalog_log_sequence},
};

type Parsed<'a> = &'a Result<Box<CatalogFile>, Unreadable>;

/// One generation of the catalog as the tree has it.
#[derive(Debug)]
pub(crate) struct GenerationFiles<'a> {
    pub(crate) generation: Generation,
    pub(crate) root: Option<(&'a Key, Parsed<'a>)>,
    /// By the number in their name.
    pub(crate) logs: BTreeMap<u64, (&'a Key, Parsed<'a>)>,
    /// Objects among the logs that have other names.
    pub(crate) stray: Vec<&'a Key>,
}

impl<'a> GenerationFiles<'a> {
    /// Every generation of which the tree has anything, oldest first.
    pub(crate) fn all(evidence: &Evidence<'a>) -> Vec<Self> {
        Generation::ALL.iter().copied().filter_map(|generation| Self::of(evidence, generation)).collect()
    }

    fn of(evidence: &Evidence<'a>, generation: Generation) -> Option<Self> {
        let prefix = evidence.cluster.catalog_prefix();
        let root_key = format!("{prefix}/{}", generation.root());
        let root = evidence.below(&root_key).into_iter().find(|(key, _)| key.as_str() == root_key);
        let root = root.and_then(|(key, fact)| Some((key, catalog(fact)?)));
        let mut logs = BTreeMap::new();
        let mut stray = Vec::new();
        for (key, fact) in evidence.below(&format!("{prefix}/{}/", generation.logs())) {
            match (catalog_log_sequence(key.name()), catalog(fact)) {
                (Some(sequence), Some(parsed)) => {
                    logs.insert(sequence, (key, parsed));
                }
                _ => stray.push(key),
            }
        }
        let found = root.is_some() || !logs.is_empty() || !stray.is_empty();
        found.then_some(Self { generation, root, logs, stray })
    }

    /// Whether an upgrade froze this generation: it has a terminator log.
    pub(crate) fn is_terminated(&self) -> bool {
        self.logs.values().any(|(_, parsed)| matches!(parsed, Ok(file) if file.kind == Kind::Terminator))
    }

    /// Whether the bytes are those of this generation: a server of one does not read those of another.
    fn is_own(&self, file: &CatalogFile) -> bool {
        file.generation.is_none_or(|generation| generation == self.generation)
    }

    fn root_sequence(&self) -> Option<u64> {
        self.root.as_ref().and_then(|(_, parsed)| parsed.as_ref().ok()?.sequence)
    }

    /// The sequence that a server reaches after loading root and logs.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.sequence_with(|_| true)
    }

    /// The same with only those logs that count.
    fn sequence_with(&self, counts: impl Fn(&Key) -> bool) -> Option<u64> {
        let is_log = |parsed: Parsed<'_>| matches!(parsed, Ok(file) if file.kind == Kind::Log);
        let logs = self.logs.iter().filter(|(_, (key, parsed))| is_log(parsed) && counts(key));
        self.root_sequence().max(logs.map(|(sequence, _)| *sequence).next_back())
    }
}

fn catalog(fact: &Fact) -> Option<Parsed<'_>> {
    match fact {
        Fact::Catalog(parsed) => Some(parsed),
        _ => None,
    }
}

/// The generation that a server loads: the newest that no upgrade froze.
pub(crate) fn live<'a, 'b>(generations: &'b [GenerationFiles<'a>]) -> Option<&'b GenerationFiles<'a>> {
    generations.iter().rev().find(|generation| !generation.is_terminated())
}

pub(super) fn judge(evidence: &Evidence<'_>) -> (Judgement, Option<u64>) {
    let mut judgement = Judgement::of(Clause::Catalog);
    let generations = GenerationFiles::all(evidence);
    let live = live(&generations);
    match live {
        None if generations.is_empty() => judgement.report(ANYWHERE, FindingCode::NoCatalog, "there is no catalog"),
        None => judgement.report(
            ANYWHERE,
            FindingCode::NoLiveCatalog,
            "every catalog was frozen by an upgrade: the newer one is missing",
        ),
        Some(live) => {
            check_root(live, &mut judgement);
            check_logs(live, &mut judgement);
            check_uuid(live, &mut judgement);
            check_listed(evidence, live, &mut judgement);
        }
    }
    let sequence = live.and_then(GenerationFiles::sequence);
    // How new a catalog is that cannot be read is not known, and the clause is violated already.
    if !judgement.has(&FindingCode::CorruptCatalog) {
        check_new_enough(evidence, sequence, &mut judgement);
        check_went_on(evidence, live, &mut judgement);
    }
    report_frozen(&generations, live, &mut judgement);
    report_enterprise(evidence, &mut judgement);
    (judgement, sequence)
}

/// A missing root is damage even where a server hides it: 3.10 rebuilds it once and then never starts again.
fn check_root(live: &GenerationFiles<'_>, judgement: &mut Judgement) {
    match &live.root {
        None => {
            let message = format!("the catalog {} has no root", live.generation);
            judgement.report(ANYWHERE, FindingCode::MissingCatalogRoot, message);
        }
        Some((key, Err(error))) => {
            judgement.report(At::object(None, key), FindingCode::CorruptCatalog, format!("`{key}`: {error}"));
        }
        Some((key, Ok(file))) if file.kind != Kind::Root || !live.is_own(file) => {
            judgement.report(
                At::object(None, key),
                FindingCode::CorruptCatalog,
                format!("`{key}` is not the root of a catalog {}", live.generation),
            );
        }
        Some(_) => {}
    }
}

/// Logs above the root are valid and without a gap; below it they are never read. Stray names stop a server.
fn check_logs(live: &GenerationFiles<'_>, judgement: &mut Judgement) {
    for key in &live.stray {
        let message = format!("`{key}` is not a valid catalog log name; servers refuse to start with it");
        judgement.report(At::object(None, key), FindingCode::StrayCatalogLog, message);
    }
    let mut expected = live.root_sequence().map(|sequence| sequence.saturating_add(1));
    for (sequence, (key, parsed)) in &live.logs {
        let at = At::object(None, key);
        let needed = expected.is_none_or(|expected| *sequence >= expected);
        let problem = match parsed {
            Err(error) => Some(error.to_string()),
            Ok(file) if file.kind == Kind::Root => Some("it is a root, not a log".to_owned()),
            Ok(file) if !live.is_own(file) => Some(format!("it is not a log of a catalog {}", live.generation)),
            Ok(file) => file.check_name(key.name()).err().map(|error| error.to_string()),
        };
        match problem {
            Some(problem) if needed => judgement.report(at, FindingCode::CorruptCatalog, format!("`{key}`: {problem}")),
            Some(problem) => {
                let message = format!("`{key}`: {problem}; the root is newer, servers do not read it");
                judgement.report(at, FindingCode::CorruptOldCatalogLog, message);
            }
            None => {}
        }
        if !needed {
            continue;
        }
        if let Some(expected) = expected.filter(|expected| sequence > expected) {
            let message = format!("catalog log {expected} is missing before `{key}`");
            let gap = finding(at, FindingCode::CatalogGap, message);
            judgement.add(gap.with_numbers(Some(expected), Some(*sequence)));
        }
        expected = Some(sequence.saturating_add(1));
    }
}

/// Root and logs belong to one catalog: a server refuses logs with another uuid.
fn check_uuid(live: &GenerationFiles<'_>, judgement: &mut Judgement) {
    let root = live.root.as_ref().and_then(|(_, parsed)| parsed.as_ref().ok()?.uuid.as_deref());
    for (key, parsed) in live.logs.values() {
        let log = parsed.as_ref().ok().and_then(|file| file.uuid.as_deref());
        if let (Some(root), Some(log)) = (root, log)
            && root != log
        {
            let message = format!("`{key}` belongs to catalog {log}, the root to {root}");
            judgement.report(At::object(None, key), FindingCode::CatalogUuid, message);
        }
    }
}

/// Every log above the root that was listed is held: where the last ones went before their copy, no gap shows.
fn check_listed(evidence: &Evidence<'_>, live: &GenerationFiles<'_>, judgement: &mut Judgement) {
    let Provenance::Run(run) = evidence.provenance else { return };
    let logs = format!("{}/{}", evidence.cluster.catalog_prefix(), live.generation.logs());
    let listings = run.listings.iter().filter(|listing| listing.group == Group::Catalog);
    let mut held = evidence.held.reader();
    for entry in listings.flat_map(|listing| &listing.entries) {
        let sequence = entry.key.below(&logs).and_then(catalog_log_sequence);
        if sequence.is_some() && sequence > live.root_sequence() && !held.holds(&entry) {
            let message = format!("`{}` was listed and is not held", entry.key);
            judgement.report(At::object(None, &entry.key), FindingCode::MissingCatalogLog, message);
        }
    }
}

/// A server with a catalog older than the manifests drops rows silently; a newer one is safe.
fn check_new_enough(evidence: &Evidence<'_>, sequence: Option<u64>, judgement: &mut Judgement) {
    for node in evidence.cluster.stored_nodes() {
        let needed = evidence.manifests(&node.id).map(|manifest| manifest.snapshot.catalog_sequence_number).max();
        if needed > sequence {
            let needs = shown(needed);
            let has = shown(sequence);
            let message = format!("{} needs catalog sequence {needs}, the catalog has {has}", node.id);
            let old = finding(At::node(&node.id), FindingCode::OldCatalog, message);
            judgement.add(old.with_numbers(needed, sequence));
        }
    }
}

/// The sequence never falls between passes: in the source, whatever logs of earlier passes are still held.
fn check_went_on(evidence: &Evidence<'_>, live: Option<&GenerationFiles<'_>>, judgement: &mut Judgement) {
    let Provenance::Run(run) = evidence.provenance else { return };
    let listings = run.listings.iter().filter(|listing| listing.group == Group::Catalog);
    let listed: BTreeSet<Key> = listings.flat_map(|listing| &listing.entries).map(|entry| entry.key).collect();
    let now = live.and_then(|live| live.sequence_with(|key| listed.contains(key)));
    if run.catalog_before > now {
        let before = shown(run.catalog_before);
        let after = shown(now);
        let message = format!("the catalog sequence went backwards, from {before} to {after}");
        let root = live.and_then(|live| live.root.map(|(key, _)| key));
        let back = finding(At { node: None, key: root }, FindingCode::CatalogWentBack, message);
        judgement.add(back.with_numbers(run.catalog_before, now));
    }
}

fn shown(sequence: Option<u64>) -> String {
    sequence.map_or_else(|| "none".to_owned(), |sequence| sequence.to_string())
}

/// Frozen generations only matter to a downgrade: what is wrong with them is a finding.
fn report_frozen(generations: &[GenerationFiles<'_>], live: Option<&GenerationFiles<'_>>, judgement: &mut Judgement) {
    let frozen = generations.iter().filter(|g| live.is_none_or(|live| live.generation != g.generation));
    for generation in frozen {
        for (key, parsed) in generation.root.iter().chain(generation.logs.values()) {
            if let Err(error) = parsed {
                let message = format!("`{key}`: {error}; a newer catalog is in use");
                judgement.report(At::object(None, key), FindingCode::CorruptFrozenCatalog, message);
            }
        }
    }
}

/// Enterprise keeps a configuration beside its catalog.
fn report_enterprise(evidence: &Evidence<'_>, judgement: &mut Judgement) {
    let prefix = evidence.cluster.catalog_prefix();
    let has = |name: &str| evidence.held.get(&format!("{prefix}/{name}")).is_some();
    if evidence.cluster.edition == Edition::Enterprise && !has("enterprise") {
        let message = format!("`{prefix}/enterprise` is missing");
        judgement.report(ANYWHERE, FindingCode::NoEnterpriseFile, message);
    }
}
