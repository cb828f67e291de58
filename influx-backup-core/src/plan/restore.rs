//! [`RestorePlan`]: what a restore copies and deletes, in which order, and how the catalog's roots are released.

mod chosen;
mod held;
mod notes;
mod release;

use serde::{Deserialize, Serialize};

pub(crate) use self::held::expected;
use self::{
    chosen::Chosen,
    held::Ids,
    notes::notes,
    release::{guarded, guards, node_order, release},
};
use super::{Skipped, Stage, stable_hash};
use crate::{
    cluster::{Edition, Node, Note},
    error::{Error, Result},
    key::Key,
    layout::Generation,
    location::Location,
    manifest::Backup,
    options::{ExtraNodes, OnDegraded, OnUnfinished, Policy, RestoreOptions, Takeover},
    record::BackupStatus,
    restore::{LeaseHolder, Phase, Target},
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
    pub skipped: Vec<Skipped>,
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
    licenses_skipped: Vec<Key>,
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
    /// [`Error::Overlap`], [`Error::DegradedBackup`], [`Error::RestoreInProgress`], [`Error::RestoreUnfinished`], [`Error::NoRestore`],
    /// [`Error::TargetForeign`], [`Error::ExtraNodes`], [`Error::TargetNotEmpty`]; [`Error::DamagedBackup`] where the manifest names objects
    /// outside the cluster, or the backup lacks the root of its live catalog; [`Error::UnsupportedFormat`] where backup
    /// or target have a generation of the catalog that this release does not know.
    pub fn new(backup: &Backup, target: &Target, options: &RestoreOptions) -> Result<Self> {
        let place = target.place()?;
        [backup.repository(), backup.location()].into_iter().try_for_each(|other| other.require_apart(place))?;
        require_consent(backup, options)?;
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
        let (todos, findings) = notes(backup, target, options, &chosen, &split.kept);
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
            skipped: chosen.skipped,
            live: chosen.live,
            servers: chosen.live.servers().to_owned(),
            stop,
            start,
            todos,
            findings,
            deletions: split.deletions,
            licenses_skipped: chosen.licenses_skipped,
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

    /// The license files that are not restored.
    #[must_use]
    pub fn licenses_skipped(&self) -> &[Key] {
        &self.licenses_skipped
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

fn require_consent(backup: &Backup, options: &RestoreOptions) -> Result<()> {
    let manifest = backup.manifest();
    let whole = manifest.status == BackupStatus::Complete && manifest.certificate.holds();
    if whole || options.on_degraded == OnDegraded::Accept {
        return Ok(());
    }
    Err(Error::DegradedBackup { name: manifest.name.clone(), open: manifest.certificate.summary() })
}

/// Policy and answer to extra nodes: the caller's, or those of the restore that is resumed. A process that is at it keeps
/// all others out.
fn rules(backup: &Backup, target: &Target, options: &RestoreOptions) -> Result<(Policy, ExtraNodes)> {
    let location = || target.location.clone();
    if let Some(LeaseHolder { owner, silence }) =
        target.holder.clone().filter(|_| options.takeover != Takeover::Immediately)
    {
        return Err(Error::RestoreInProgress { location: location(), owner, silence });
    }
    match (&target.unfinished, options.on_unfinished) {
        (None, OnUnfinished::Refuse) => Ok((options.policy, options.extra_nodes)),
        (None, OnUnfinished::Resume) => Err(Error::NoRestore { location: location() }),
        (Some(begun), OnUnfinished::Resume) if begun.is_of(backup.name(), backup.sha256()) => {
            Ok((begun.policy, begun.extra_nodes))
        }
        (Some(begun), _) => Err(Error::RestoreUnfinished { location: location(), backup: begun.backup.clone() }),
    }
}

fn holds(target: &Target, key: &Key) -> bool {
    target.entries.binary_search_by(|entry| entry.key.cmp(key)).is_ok()
}
