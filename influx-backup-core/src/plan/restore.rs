//! [`RestorePlan`]: what a restore copies and deletes, in which order, and how the catalog's roots are released.

mod approval;
mod diff;
mod notes;
mod release;
mod selection;

use serde::{Deserialize, Serialize};

pub(crate) use self::{approval::Approval, diff::expected};
use self::{
    diff::ForeignPrefixes,
    notes::notes,
    release::{guarded, guards, node_order, release},
    selection::Selection,
};
use super::{Skipped, Stage, stable_hash};
use crate::{
    cluster::{Edition, Node},
    error::{Error, Result},
    finding::Finding,
    key::Key,
    layout::{Generation, ServerReleases},
    location::Identity,
    named::named,
    options::{ExtraNodes, OnDegraded, Policy, RestoreOptions},
    record::{BackupContents, BackupStatus, ObjectRecord},
    table::{Sequence, Table},
    target::{LeaseHolder, Target},
    units::total,
};

/// What a restore does, in order: guard, stages, deletions, release.
///
/// Data: made from a backup and an inspected [`Target`] without any I/O, printed with `Display`, kept as JSON without
/// loss, identified by [`RestorePlan::hash`]. A dry run is a plan that is printed and not run. When it is run, the target
/// is inspected again behind stopped servers, and the restore fails with [`Error::PlanChanged`] where it would do anything
/// that is not in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Who keeps the objects there.
    pub target_identity: Identity,
    /// The options that it was made with.
    pub options: RestoreOptions,
    /// What happens to what is there: the policy of the options, or that of the restore that is resumed.
    pub policy: Policy,
    /// The id of the unfinished restore that this one resumes.
    pub resumes: Option<String>,
    /// Where the boot guard stands, in the order in which it is set.
    pub guards: Vec<Key>,
    /// The roots of the catalog, in the order in which the guard gives way to them.
    pub release: Vec<RootStep>,
    /// What the target holds and keeps besides the backup: names.
    pub kept: Vec<String>,
    /// What of the backup is not restored, and why.
    pub skipped: Vec<Skipped>,
    /// The generation of the catalog that servers load.
    pub live: Generation,
    /// Which server releases may open the result.
    pub servers: ServerReleases,
    /// The nodes in the order in which they are stopped.
    pub stop: Vec<Node>,
    /// The nodes in the order in which they are started again: data nodes, then the compactor, as documented.
    pub start: Vec<Node>,
    /// What the caller has to do.
    pub todos: Vec<Finding>,
    /// What is worth knowing.
    pub findings: Vec<Finding>,
    pub(crate) stages: Vec<Stage>,
    overwrites: Sequence<Key>,
    pub(crate) deletions: Table<Key>,
    licenses_skipped: Vec<Key>,
}

/// What happens at the root path of one generation when the guard is released.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RootStep {
    /// The root path.
    pub key: Key,
    /// Which generation's.
    pub generation: Generation,
    /// What becomes of the guard.
    pub action: RootAction,
}

/// What becomes of the guard at one root path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RootAction {
    /// The backup's root takes its place.
    Put,
    /// It is removed: the backup has no catalog of this generation.
    Remove,
}

named!(RootAction, "root action", {
    Put => "put",
    Remove => "remove",
});

impl RestorePlan {
    /// Plans a restore; at a target with an unfinished restore of this backup, what is left of that one. Whether backup and target lie apart is for the caller to check: see
    /// [`Repository::plan_restore`](crate::Repository::plan_restore), which does.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] as [`RestoreOptions::check`]; [`Error::DegradedBackup`]; [`Error::RestoreInProgress`] where
    /// another process restores to the target; [`Error::RestoreUnfinished`] where a restore of another backup was begun
    /// there; [`Error::TargetForeign`], [`Error::ExtraNodes`], [`Error::TargetNotEmpty`]; [`Error::DamagedBackup`] where the
    /// manifest names objects outside the cluster, or the backup lacks the root of its live catalog;
    /// [`Error::UnsupportedFormat`] where backup or target have a generation of the catalog that this release does not
    /// know.
    pub fn new(backup: &BackupContents<'_>, target: &Target, options: &RestoreOptions) -> Result<Self> {
        options.check()?;
        require_consent(backup, options)?;
        let (policy, extra_nodes) = effective_policy(backup, target, options)?;
        let mut selection = Selection::new(backup, target, options.licenses)?;
        let foreign = ForeignPrefixes::of(backup.cluster, target)?;
        let mut diff = foreign.diff(target, extra_nodes, policy, &selection)?;
        if policy == Policy::Empty
            && target.unfinished.is_none()
            && let Some(found) = diff.first_own
        {
            let found = format!("`{found}` and {} more objects", diff.own - 1);
            return Err(Error::TargetNotEmpty { location: target.location.clone(), found });
        }
        if extra_nodes == ExtraNodes::Refuse && !foreign.extra_nodes.is_empty() {
            return Err(Error::ExtraNodes { location: target.location.clone(), nodes: foreign.extra_nodes });
        }
        if target.is_releasing() {
            // Servers may have started and gone on: only the release itself is left to do.
            selection.stages.iter_mut().for_each(Stage::clear);
            diff.deletions = Table::new();
        }
        let guarded = guarded(target, &selection);
        let (stop, start) = node_order(backup.cluster, &foreign.extra_nodes, extra_nodes);
        let (todos, findings) = notes(target, options, &selection, &diff.kept);
        let mut found = target.objects.reader();
        let copied = selection.stages.iter().flat_map(Stage::keys);
        Ok(Self {
            backup: backup.name.to_owned(),
            manifest_sha256: backup.manifest_sha256.to_owned(),
            cluster: backup.cluster.id().to_owned(),
            edition: backup.cluster.edition,
            target: target.location.clone(),
            target_identity: target.identity.clone(),
            policy,
            options: options.clone(),
            resumes: target.unfinished.as_ref().map(|unfinished| unfinished.restore.clone()),
            guards: guards(&guarded)?,
            overwrites: copied.filter(|key| found.get(key.as_str()).is_some()).collect(),
            release: release(&guarded, &selection)?,
            kept: diff.kept,
            skipped: selection.skipped,
            live: selection.live,
            servers: selection.live.servers(),
            stop,
            start,
            todos,
            findings,
            deletions: diff.deletions,
            licenses_skipped: selection.licenses_skipped,
            stages: selection.stages,
        })
    }

    /// All stages, in the documented order, including those that copy nothing. The catalog's roots are not among the
    /// copies: see [`RestorePlan::release`].
    pub fn stages(&self) -> impl ExactSizeIterator<Item = &Stage> {
        self.stages.iter()
    }

    /// The keys of copies that overwrite an object of the target, in the order of the copies.
    pub fn overwrites(&self) -> impl ExactSizeIterator<Item = Key> {
        self.overwrites.iter()
    }

    /// The objects of the target that are deleted, sorted.
    pub fn deletions(&self) -> impl ExactSizeIterator<Item = Key> {
        self.deletions.iter()
    }

    /// The license files that are not restored, sorted.
    pub fn licenses_skipped(&self) -> impl ExactSizeIterator<Item = &Key> {
        self.licenses_skipped.iter()
    }

    /// What of the backup lies behind the guard: everything that is restored but the roots.
    pub(crate) fn copied<'a>(&self, backup: BackupContents<'a>) -> impl Iterator<Item = ObjectRecord> + use<'a> {
        let is_copied = self.is_copied();
        backup.objects.iter().filter(move |record| is_copied(&record.key))
    }

    /// Whether an object of the backup lies behind the guard.
    pub(crate) fn is_copied(&self) -> impl Fn(&Key) -> bool + Send + use<> {
        let others: Vec<Key> = self.guards.iter().chain(&self.licenses_skipped).cloned().collect();
        move |key| !others.contains(key)
    }

    /// Tells which keys of the target the restore writes: those of the backup that it restores, and its guards.
    pub(crate) fn writes<'a>(&'a self, backup: BackupContents<'a>) -> impl FnMut(&Key) -> bool + 'a {
        let mut records = backup.objects.reader();
        move |key| self.guards.contains(key) || records.get(key.as_str()).is_some() && self.restores(key)
    }

    /// Drops what it says of single objects.
    pub(crate) fn forget_objects(&mut self) {
        self.stages.clear();
        self.overwrites = Sequence::default();
        self.deletions = Table::new();
    }

    /// Whether an object of the backup is restored, behind the guard or as a root.
    pub(crate) fn restores(&self, key: &Key) -> bool {
        self.licenses_skipped.binary_search(key).is_err()
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
        total(self.stages.iter().map(Stage::bytes))
    }

    /// SHA-256, in hex, over what the plan does and the options that say so: two plans that do the same have the same hash
    /// on every machine, regardless of what else they say about the target.
    #[must_use]
    pub fn hash(&self) -> String {
        stable_hash(&(
            (&self.backup, &self.manifest_sha256, &self.cluster),
            (&self.target, &self.target_identity),
            (self.policy, &self.resumes),
            &self.options,
            (&self.guards, &self.stages, &self.overwrites, &self.deletions, &self.release),
            (&self.licenses_skipped, &self.stop, &self.start),
        ))
    }
}

fn require_consent(backup: &BackupContents<'_>, options: &RestoreOptions) -> Result<()> {
    let is_whole = backup.status == BackupStatus::Complete && backup.certificate.holds();
    if is_whole || options.on_degraded == OnDegraded::Accept {
        return Ok(());
    }
    Err(Error::DegradedBackup { name: backup.name.to_owned(), violated: backup.certificate.violated_clauses() })
}

/// Policy and answer to extra nodes: the caller's, or those of the restore that is resumed. A process that is restoring
/// keeps all others out.
fn effective_policy(
    backup: &BackupContents<'_>,
    target: &Target,
    options: &RestoreOptions,
) -> Result<(Policy, ExtraNodes)> {
    let location = target.location.clone();
    if let Some(LeaseHolder { owner, silence }) = &target.holder {
        return Err(Error::RestoreInProgress { location, owner: owner.clone(), silence: *silence });
    }
    match &target.unfinished {
        None => Ok((options.policy, options.extra_nodes)),
        Some(begun) if begun.is_restore_of(backup.manifest_sha256) => Ok((begun.policy, begun.extra_nodes)),
        Some(begun) => Err(Error::RestoreUnfinished { location, backup: begun.backup.clone() }),
    }
}
