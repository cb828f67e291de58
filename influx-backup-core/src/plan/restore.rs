//! [`RestorePlan`]: what a restore copies and deletes, in which order, and how the catalog's roots are released.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{CopyTask, LeftOut, Reason, Stage, StageKind, restore_order, stable_hash};
use crate::{
    discover::{ClusterDescription, Edition, GenerationState, Node, Note, Object, Role},
    error::{Error, Result},
    key::Key,
    layout::{Component, Generation},
    location::{Entry, Location},
    manifest::{Backup, OWN_DIRECTORY, ObjectRecord},
    restore::{ExtraNodes, Licences, Phase, Policy, RestoreOptions, Target, Unfinished, guard},
};

/// The code of the finding that a target was written to just before it was inspected.
pub(crate) const RECENTLY_WRITTEN: &str = "recently-written";

/// What a restore does, in order: guard, stages, deletions, release.
///
/// Pure: built from a backup's manifest and an inspected [`Target`], printed with `Display`, kept as JSON, identified by
/// [`RestorePlan::hash`]. A dry run is a plan that is printed and not run. When it runs, the target is inspected again
/// behind stopped servers, and the same function plans once more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestorePlan {
    /// The backup's name.
    pub backup: String,
    /// SHA-256 of its root manifest.
    pub manifest_sha256: String,
    /// The cluster's id, or for Core the node's.
    pub cluster: String,
    /// Core or Enterprise.
    pub edition: Edition,
    /// Where it is restored to, as a URL without credentials.
    pub target: String,
    /// What happens to what is there.
    pub policy: Policy,
    /// The id of the unfinished restore that this one goes on with.
    pub resumes: Option<String>,
    /// Where the boot guard stands, in the order in which it is set.
    pub guards: Vec<Key>,
    /// The copies, in the documented order; none is left out, even where it copies nothing. The catalog's roots are not
    /// among them.
    pub stages: Vec<Stage>,
    /// How many of the copies overwrite an object.
    pub overwrites: u64,
    /// The roots of the catalog, in the order in which the guard gives way to them.
    pub release: Vec<RootStep>,
    /// What the target holds and keeps besides the backup: names.
    pub kept: Vec<String>,
    /// What of the backup is not restored, and why.
    pub left_out: Vec<LeftOut>,
    /// The generation of the catalog that servers load.
    pub live: Generation,
    /// Which server releases may open the result.
    pub servers: String,
    /// The nodes in the order in which they are stopped.
    pub stop: Vec<Node>,
    /// The nodes in the order in which they are started again: data nodes, then the compactor, as documented.
    pub start: Vec<Node>,
    /// What the caller has to do.
    pub todos: Vec<Note>,
    /// What is worth saying.
    pub findings: Vec<Note>,
    deletions: Vec<Key>,
    licences_left_out: Vec<Key>,
    #[serde(skip)]
    bound: Option<Bound>,
}

/// What a plan needs to run, and what its JSON does not hold.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) backup: Backup,
    pub(crate) target: Location,
    pub(crate) options: RestoreOptions,
}

/// What happens at the root path of one generation when the guard is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStep {
    /// The root path.
    pub key: Key,
    /// Which generation's.
    pub generation: Generation,
    /// What becomes of the guard.
    pub action: RootAction,
}

/// What becomes of the guard at one root path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootAction {
    /// The backup's root takes its place.
    Put,
    /// It is removed: the backup has no catalog of this generation.
    Remove,
}

impl RestorePlan {
    /// Plans a restore.
    ///
    /// # Errors
    /// [`Error::Overlap`], [`Error::RestoreUnfinished`], [`Error::NoRestore`], [`Error::TargetForeign`],
    /// [`Error::ExtraNodes`], [`Error::TargetNotEmpty`]; [`Error::DamagedBackup`] where the manifest names objects
    /// outside the cluster, or the backup lacks the root of its live catalog; [`Error::UnsupportedFormat`] where backup
    /// or target have a generation of the catalog that this release does not know.
    pub fn new(backup: &Backup, target: &Target, options: &RestoreOptions) -> Result<Self> {
        let place = target.place()?;
        check_overlap(backup, place)?;
        let cluster = &backup.manifest().cluster;
        let (policy, extra_nodes) = rules(backup, target, options)?;
        let mut chosen = Chosen::of(backup, target, options)?;
        let ids = Ids::of(cluster, target)?;
        let mut split = ids.split(cluster, target, extra_nodes, policy, &chosen)?;
        if policy == Policy::Empty
            && target.unfinished.is_none()
            && let Some(found) = split.inside.first()
        {
            let found = format!("`{found}` and {} more objects", split.inside.len() - 1);
            return Err(Error::TargetNotEmpty { location: target.location.clone(), found });
        }
        if extra_nodes == ExtraNodes::Refuse && !ids.extra.is_empty() {
            return Err(Error::ExtraNodes { location: target.location.clone(), nodes: ids.extra });
        }
        if target.unfinished.as_ref().is_some_and(|begun| begun.phase == Phase::Releasing) {
            // Servers may have started and gone on: only the release itself is left to do.
            chosen.stages.iter_mut().for_each(|stage| stage.tasks.clear());
            split.deletions.clear();
        }
        let guarded = guarded(cluster, target, &chosen);
        let (stop, start) = node_order(cluster, &ids.extra, extra_nodes);
        let (todos, findings) = notes(backup, target, &chosen, &split.kept);
        let keys = chosen.stages.iter().flat_map(Stage::keys);
        Ok(Self {
            backup: backup.name().to_owned(),
            manifest_sha256: backup.sha256().to_owned(),
            cluster: cluster.id().to_owned(),
            edition: cluster.edition,
            target: target.location.clone(),
            policy,
            resumes: target.unfinished.as_ref().map(|unfinished| unfinished.restore.clone()),
            guards: guards(&guarded)?,
            overwrites: keys.filter(|key| holds(target, key)).count() as u64,
            release: release(cluster, &guarded, &chosen)?,
            kept: split.kept,
            left_out: chosen.left_out,
            live: chosen.live,
            servers: chosen.live.servers().to_owned(),
            stop,
            start,
            todos,
            findings,
            deletions: split.deletions,
            licences_left_out: chosen.licences_left_out,
            stages: chosen.stages,
            bound: Some(Bound { backup: backup.clone(), target: place.clone(), options: options.clone() }),
        })
    }

    /// Gives a plan that was read back from JSON what its JSON does not hold. It is planned anew when it runs.
    #[must_use]
    pub fn bind(mut self, backup: &Backup, target: &Location, options: &RestoreOptions) -> Self {
        self.bound = Some(Bound { backup: backup.clone(), target: target.clone(), options: options.clone() });
        self
    }

    pub(crate) fn bound(&self) -> Result<Bound> {
        self.bound.clone().ok_or_else(|| Error::InvalidRequest {
            option: "the plan",
            reason: "it was read back without its locations: bind it to them".to_owned(),
        })
    }

    /// The objects of the target that are deleted, sorted.
    #[must_use]
    pub fn deletions(&self) -> &[Key] {
        &self.deletions
    }

    /// The licence files that are not restored.
    #[must_use]
    pub fn licences_left_out(&self) -> &[Key] {
        &self.licences_left_out
    }

    /// How many objects it copies, the catalog's roots included.
    #[must_use]
    pub fn objects(&self) -> u64 {
        let roots = self.release.iter().filter(|step| step.action == RootAction::Put).count() as u64;
        roots + self.stages.iter().map(Stage::objects).sum::<u64>()
    }

    /// How many bytes it copies, the catalog's roots apart.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.stages.iter().map(Stage::bytes).sum()
    }

    /// SHA-256 over the plan's JSON, in hex.
    #[must_use]
    pub fn hash(&self) -> String {
        stable_hash(self)
    }
}

fn check_overlap(backup: &Backup, target: &Location) -> Result<()> {
    for other in [backup.repository(), backup.location()] {
        for (outer, inner) in [(other, target), (target, other)] {
            if outer.contains(inner) {
                return Err(Error::Overlap { inner: inner.to_string(), outer: outer.to_string() });
            }
        }
    }
    Ok(())
}

/// Policy and answer to extra nodes: the caller's, or those of the restore that is resumed.
fn rules(backup: &Backup, target: &Target, options: &RestoreOptions) -> Result<(Policy, ExtraNodes)> {
    let location = || target.location.clone();
    match (&target.unfinished, options.unfinished) {
        (None, Unfinished::Refuse) => Ok((options.policy, options.extra_nodes)),
        (None, Unfinished::Resume) => Err(Error::NoRestore { location: location() }),
        (Some(begun), Unfinished::Resume) if begun.is_of(backup.name(), backup.sha256()) => {
            Ok((begun.policy, begun.extra_nodes))
        }
        (Some(begun), _) => Err(Error::RestoreUnfinished { location: location(), backup: begun.backup.clone() }),
    }
}

/// What of the backup is restored.
struct Chosen<'a> {
    stages: Vec<Stage>,
    /// Roots by key: of the cluster's catalog, and of stale ones below nodes that were promoted.
    roots: BTreeMap<Key, (&'a str, Generation)>,
    live: Generation,
    left_out: Vec<LeftOut>,
    licences_left_out: Vec<Key>,
    backup: &'a Backup,
}

impl<'a> Chosen<'a> {
    fn of(backup: &'a Backup, target: &Target, options: &RestoreOptions) -> Result<Self> {
        let cluster = &backup.manifest().cluster;
        let live = live_generation(cluster).ok_or_else(|| no_root(cluster.catalog_prefix()))?;
        let mut tasks: BTreeMap<StageKind, Vec<CopyTask>> = BTreeMap::new();
        let mut roots = BTreeMap::new();
        let mut licences: Vec<&ObjectRecord> = Vec::new();
        for record in backup.objects() {
            let object = cluster.classify(&record.key).filter(|_| record.key.below(OWN_DIRECTORY).is_none());
            let object = object.ok_or_else(|| Error::DamagedBackup {
                object: record.key.to_string(),
                reason: "it lies outside every prefix of the cluster".to_owned(),
            })?;
            if let Component::CatalogRoot(generation) = object.component {
                roots.insert(record.key.clone(), (object.owner, generation));
            } else if object.kind().is_licence() && !restores_licence(cluster, live, target, options.licences) {
                licences.push(record);
            } else {
                known_generation(&record.key, object)?;
                let source = Entry { key: record.key.clone(), size: record.size, version: record.version.clone() };
                let kind = stage_of(cluster.edition, object);
                tasks.entry(kind).or_default().push(CopyTask::new(source, object.kind()));
            }
        }
        let root = Key::parse(format!("{}/{}", cluster.catalog_prefix(), live.root()))?;
        if !roots.contains_key(&root) {
            return Err(no_root(root.as_str()));
        }
        let stage =
            |kind: &StageKind| Stage { kind: *kind, relist: None, tasks: tasks.remove(kind).unwrap_or_default() };
        let stages = restore_order(cluster.edition).iter().map(stage).collect();
        Ok(Self {
            stages,
            roots,
            live,
            left_out: left_out(&licences),
            licences_left_out: licences.into_iter().map(|record| record.key.clone()).collect(),
            backup,
        })
    }

    /// Whether the restore puts an object under this key.
    fn restores(&self, key: &Key) -> bool {
        let held = self.backup.objects().binary_search_by(|record| record.key.cmp(key)).is_ok();
        held && !self.licences_left_out.contains(key)
    }

    fn has_generation(&self, owner: &str, generation: Generation) -> bool {
        self.roots.values().any(|root| *root == (owner, generation))
    }
}

fn no_root(object: &str) -> Error {
    let reason = "the root of the live catalog is missing: a server would start with a new, empty catalog".to_owned();
    Error::DamagedBackup { object: object.to_owned(), reason }
}

fn live_generation(cluster: &ClusterDescription) -> Option<Generation> {
    let live = cluster.catalogs.iter().filter(|found| found.state == GenerationState::Live);
    live.map(|found| found.generation).max()
}

/// A generation that is not known cannot be guarded.
fn known_generation(key: &Key, object: Object<'_>) -> Result<()> {
    let tail = key.below(object.owner).and_then(|tail| tail.strip_prefix("catalog/v"));
    let number = tail.and_then(|tail| tail.split('/').next()).and_then(|number| number.parse().ok());
    match number {
        Some(found) if object.component == Component::CatalogOther && found > 3 => {
            Err(Error::UnsupportedFormat { object: key.to_string(), found, supported: 3 })
        }
        _ => Ok(()),
    }
}

/// Before 3.10 a licence is bound to store and cluster id; from 3.10 it is portable.
fn restores_licence(cluster: &ClusterDescription, live: Generation, target: &Target, licences: Licences) -> bool {
    match licences {
        Licences::Restore => true,
        Licences::LeaveOut => false,
        Licences::Auto => live >= Generation::V3 || target.identity == cluster.identity,
    }
}

fn left_out(licences: &[&ObjectRecord]) -> Vec<LeftOut> {
    let left_out = |record: &&ObjectRecord| LeftOut {
        what: record.key.to_string(),
        reason: Reason::LicenceElsewhere,
        objects: 1,
        bytes: record.size,
    };
    licences.iter().map(left_out).collect()
}

/// The stage that restores an object: the counterpart of the backup's choice.
fn stage_of(edition: Edition, object: Object<'_>) -> StageKind {
    let kind = match (object.kind(), object.node) {
        (Component::Other, None) => StageKind::ClusterRest,
        (component, _) => StageKind::of(component),
    };
    match (edition, kind) {
        (Edition::Core, StageKind::Licences) => StageKind::ClusterRest,
        (Edition::Core, StageKind::Compactor) => StageKind::NodeRest,
        (_, kind) => kind,
    }
}

fn holds(target: &Target, key: &Key) -> bool {
    target.entries.binary_search_by(|entry| entry.key.cmp(key)).is_ok()
}

/// The prefixes of the target that are not the backup's.
struct Ids {
    /// Nodes that the backup lacks.
    extra: Vec<String>,
}

/// The target's objects, told apart.
#[derive(Default)]
struct Split {
    deletions: Vec<Key>,
    kept: Vec<String>,
    /// Everything below the cluster's own prefixes.
    inside: Vec<Key>,
}

impl Ids {
    fn of(cluster: &ClusterDescription, target: &Target) -> Result<Self> {
        let ours = |id: &str| cluster.is_node(id) || cluster.cluster_id.as_deref() == Some(id);
        // What lay beside the cluster at its source belongs to others, and may lie beside it here.
        let beside = |id: &str| {
            let top = id.split('/').next().unwrap_or(id);
            cluster.foreign.iter().any(|foreign| foreign == id || foreign == top)
        };
        let strangers: Vec<_> = target.prefixes.iter().filter(|p| !ours(&p.id) && !beside(&p.id)).collect();
        let known = target.prefixes.iter().any(|prefix| ours(&prefix.id));
        let home = target.prefix(cluster.catalog_prefix()).is_some_and(|prefix| prefix.has_catalog());
        // A catalog without a node, beside a Core node, is an Enterprise cluster that the node was promoted to.
        let foreign = strangers.iter().find(|stranger| {
            let promoted = cluster.edition == Edition::Core && !stranger.is_node();
            !known || (stranger.has_catalog() && (!home || promoted))
        });
        if let Some(stranger) = foreign {
            return Err(Error::TargetForeign {
                location: target.location.clone(),
                found: format!("`{}`", stranger.id),
                expected: expected(cluster),
            });
        }
        let extra = strangers.into_iter().filter(|stranger| stranger.is_node() && !stranger.has_catalog());
        Ok(Self { extra: extra.map(|stranger| stranger.id.clone()).collect() })
    }

    fn split(
        &self,
        cluster: &ClusterDescription,
        target: &Target,
        extra_nodes: ExtraNodes,
        policy: Policy,
        chosen: &Chosen<'_>,
    ) -> Result<Split> {
        let mut split = Split::default();
        let mut kept: BTreeSet<String> = target.others.iter().cloned().collect();
        for entry in &target.entries {
            let extra = self.extra.iter().filter(|id| entry.key.below(id).is_some()).max_by_key(|id| id.len());
            let object = cluster.classify(&entry.key);
            let object = object.filter(|object| extra.is_none_or(|extra| extra.len() < object.owner.len()));
            let (owner, component) = match (object, extra) {
                (Some(object), _) => {
                    split.inside.push(entry.key.clone());
                    known_generation(&entry.key, object)?;
                    (object.owner, object.component)
                }
                (None, Some(extra)) if extra_nodes == ExtraNodes::Delete => {
                    (extra.as_str(), entry.key.below(extra).map_or(Component::Other, Component::of))
                }
                (None, extra) => {
                    let name = extra.cloned().or_else(|| prefix_of(target, &entry.key));
                    kept.extend(name);
                    continue;
                }
            };
            let deleted = match policy {
                Policy::Overlay => is_dropped_by_overlay(component, owner, chosen),
                _ => is_in_known_directory(component),
            };
            if chosen.restores(&entry.key) || matches!(component, Component::CatalogRoot(_)) {
                // Overwritten, or under the guard.
            } else if deleted {
                split.deletions.push(entry.key.clone());
            } else if !is_in_known_directory(component) {
                let top = entry.key.below(owner).and_then(|tail| tail.split('/').next()).unwrap_or_default();
                kept.insert(format!("{owner}/{top}"));
            }
        }
        split.kept = kept.into_iter().collect();
        Ok(split)
    }
}

fn prefix_of(target: &Target, key: &Key) -> Option<String> {
    target.prefixes.iter().find(|prefix| key.below(&prefix.id).is_some()).map(|prefix| prefix.id.clone())
}

pub(crate) fn expected(cluster: &ClusterDescription) -> String {
    match &cluster.cluster_id {
        Some(id) => format!("cluster `{id}`"),
        None => format!("node `{}`", cluster.id()),
    }
}

/// Whether an object lies in a directory whose exact state the backup knows. Left over there, it would undo the restore:
/// newer WAL, manifests and catalog logs win over what was restored.
fn is_in_known_directory(component: Component) -> bool {
    !component.is_licence() && !matches!(component, Component::Other | Component::EnterpriseConfig)
}

/// Derived files that are not the backup's would be ahead of its data; logs without their root make 3.10 rebuild one
/// with another uuid, and then never start again.
fn is_dropped_by_overlay(component: Component, owner: &str, chosen: &Chosen<'_>) -> bool {
    match component {
        Component::CatalogLog(generation) => !chosen.has_generation(owner, generation),
        component => component.is_derived(),
    }
}

/// The owners whose roots are guarded: the catalog's, first, then nodes that had a catalog of their own before they were
/// promoted, in the backup or at the target.
fn guarded(cluster: &ClusterDescription, target: &Target, chosen: &Chosen<'_>) -> Vec<String> {
    let in_backup = chosen.roots.values().map(|(owner, _)| (*owner).to_owned());
    let at_target = target.prefixes.iter().filter(|prefix| cluster.is_node(&prefix.id) && prefix.has_catalog());
    let mut owners: BTreeSet<String> = in_backup.chain(at_target.map(|prefix| prefix.id.clone())).collect();
    owners.remove(cluster.catalog_prefix());
    std::iter::once(cluster.catalog_prefix().to_owned()).chain(owners).collect()
}

fn guards(owners: &[String]) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    for owner in owners {
        keys.extend(guard::roots(owner)?.into_iter().map(|(_, key)| key));
    }
    Ok(keys)
}

/// Stale catalogs of promoted nodes first, the cluster's own last: no server of the cluster starts before.
fn release(cluster: &ClusterDescription, owners: &[String], chosen: &Chosen<'_>) -> Result<Vec<RootStep>> {
    let mut steps = Vec::new();
    for owner in owners.iter().rev() {
        let newest = || chosen.roots.values().filter(|(of, _)| of == owner).map(|(_, generation)| *generation).max();
        let live = if owner == cluster.catalog_prefix() { Some(chosen.live) } else { newest() };
        for generation in guard::release_order(live) {
            let key = Key::parse(format!("{owner}/{}", generation.root()))?;
            let action = if chosen.roots.contains_key(&key) { RootAction::Put } else { RootAction::Remove };
            steps.push(RootStep { key, generation, action });
        }
    }
    Ok(steps)
}

fn node_order(cluster: &ClusterDescription, extra: &[String], extra_nodes: ExtraNodes) -> (Vec<Node>, Vec<Node>) {
    let turn = |node: &&Node| match node {
        node if node.is(Role::Compactor) => 1,
        node if node.is(Role::QueryOnly) => 2,
        _ => 0,
    };
    let mut start: Vec<&Node> = cluster.nodes.iter().collect();
    start.sort_by_key(turn);
    let extra = extra.iter().map(|id| Node { id: id.clone(), roles: vec![Role::Data] });
    let (extra, start): (Vec<Node>, Vec<Node>) = (extra.collect(), start.into_iter().cloned().collect());
    let stop = start.iter().rev().chain(&extra).cloned().collect();
    let kept = if extra_nodes == ExtraNodes::Keep { extra } else { Vec::new() };
    (stop, start.into_iter().chain(kept).collect())
}

fn notes(backup: &Backup, target: &Target, chosen: &Chosen<'_>, kept: &[String]) -> (Vec<Note>, Vec<Note>) {
    let mut todos = Vec::new();
    if !chosen.licences_left_out.is_empty() {
        todos.push(Note::new(
            "licence-elsewhere",
            "licence files were left out: before 3.10 a licence is bound to the place and cluster it was issued for; ask \
             InfluxData support for one for this target",
        ));
    }
    if chosen.live == Generation::V1 {
        todos.push(Note::new("catalog-v1", format!("open the result with servers {}", Generation::V1.servers())));
    }
    todos.push(Note::new(
        "not-covered",
        "plugin directory, server configuration, TLS and token files and offline licence files are in no backup of an \
         object store: bring them yourself",
    ));
    let mut findings = Vec::new();
    if let Some(silence) = target.signs_of_life().filter(|_| target.unfinished.is_none()) {
        let seconds = silence.num_seconds().max(0);
        let message = format!("the target was written to {seconds} s before it was inspected: is a server running?");
        findings.push(Note::new(RECENTLY_WRITTEN, message));
    }
    if !kept.is_empty() {
        let message = format!("the target keeps what is not the backup's: {}", kept.join(", "));
        findings.push(Note::new("kept", message));
    }
    let absent = backup.manifest().certificate.absent_files();
    if absent > 0 {
        let message = format!("{absent} live files were absent from the source already; queries on them fail");
        findings.push(Note::new("absent-files", message));
    }
    findings.push(Note::new(
        "retention",
        "retention goes by the clock: expired data is deleted soon after the servers start",
    ));
    (todos, findings)
}
