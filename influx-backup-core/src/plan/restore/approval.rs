//! [`Approval`]: whether a restore does only what a person approved.

use std::{collections::HashSet, hash::Hash};

use super::{RestorePlan, RootAction};
use crate::{
    cluster::Node,
    error::{Error, PlanChange, PlanChangeKind, Result},
    key::Key,
    options::{Ownership, RestoreOptions},
    plan::Stage,
    table::Table,
};

/// How many things a change names.
const NAMED: usize = 5;

/// What was approved.
#[derive(Debug, Clone)]
pub(crate) enum Approval {
    /// Whatever the plan turns out to be when it runs.
    Any,
    /// This plan, or less.
    Plan(Box<RestorePlan>),
    /// The plan of this hash, and no other.
    Hash(String),
}

impl Approval {
    /// Fails where `plan` does anything that was not approved. A plan that does less is fine: an object that is to be
    /// deleted may be gone already, and a restore that is resumed finds what it copied before.
    pub(crate) fn check(&self, plan: &RestorePlan) -> Result<()> {
        let mut changes = Changes::default();
        match self {
            Self::Any => {}
            Self::Plan(approved) => changes.compare(approved, plan),
            Self::Hash(approved) => changes.value(PlanChangeKind::Hash, approved, &plan.hash()),
        }
        if changes.0.is_empty() {
            return Ok(());
        }
        Err(Error::PlanChanged { location: plan.target.clone(), changes: changes.0 })
    }
}

/// What a plan does beyond the approved one.
#[derive(Default)]
struct Changes(Vec<PlanChange>);

impl Changes {
    fn compare(&mut self, approved: &RestorePlan, now: &RestorePlan) {
        use PlanChangeKind as Kind;
        self.value(Kind::Backup, &approved.manifest_sha256, &now.manifest_sha256);
        self.value(Kind::Target, &place(approved), &place(now));
        self.value(Kind::Policy, &approved.policy.to_string(), &now.policy.to_string());
        self.set(Kind::Options, options(approved), options(now), String::clone);
        self.keys(Kind::Delete, approved.deletions(), now.deletions());
        if now.resumes.is_none() {
            // Behind the guard of a restore that is resumed, only that restore has written what it copies.
            self.keys(Kind::Overwrite, approved.overwrites(), now.overwrites());
        }
        self.keys(Kind::Copy, approved.stages().flat_map(Stage::keys), now.stages().flat_map(Stage::keys));
        self.keys(Kind::Guard, approved.guards.iter().cloned(), now.guards.iter().cloned());
        self.set(Kind::Release, release(approved), release(now), |(key, _)| key.to_string());
        self.set(Kind::Stop, ids(&approved.stop), ids(&now.stop), |id| (*id).to_owned());
        self.set(Kind::Start, ids(&approved.start), ids(&now.start), |id| (*id).to_owned());
    }

    /// A value that is not the approved one.
    fn value(&mut self, kind: PlanChangeKind, approved: &String, now: &String) {
        if approved != now {
            self.0.push(PlanChange { kind, count: 1, examples: vec![now.clone()] });
        }
    }

    /// Keys that were not approved, of which there may be a million.
    fn keys(&mut self, kind: PlanChangeKind, approved: impl Iterator<Item = Key>, now: impl Iterator<Item = Key>) {
        let approved: Table<Key> = approved.collect();
        let mut approved = approved.reader();
        self.added(kind, now.filter(|key| approved.get(key.as_str()).is_none()), Key::to_string);
    }

    /// What of `now` was not approved, in order.
    fn set<T: Eq + Hash>(
        &mut self,
        kind: PlanChangeKind,
        approved: impl Iterator<Item = T>,
        now: impl Iterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) {
        let approved: HashSet<T> = approved.collect();
        self.added(kind, now.filter(|item| !approved.contains(item)), name);
    }

    fn added<T>(&mut self, kind: PlanChangeKind, mut added: impl Iterator<Item = T>, name: impl Fn(&T) -> String) {
        let examples: Vec<String> = added.by_ref().take(NAMED).map(|item| name(&item)).collect();
        let count = (examples.len() + added.count()) as u64;
        if count > 0 {
            self.0.push(PlanChange { kind, count, examples });
        }
    }
}

/// The options but the policy, which a restore that is resumed may have from elsewhere.
fn options(plan: &RestorePlan) -> impl Iterator<Item = String> {
    let RestoreOptions {
        policy: _,
        extra_nodes,
        on_catalog_mismatch,
        linked_directories,
        ownership,
        licenses,
        on_degraded,
        check,
        expect_sha256,
        trust,
    } = &plan.options;
    let Ownership { owner, modes } = ownership;
    let options = [
        format!("extra_nodes: {extra_nodes}"),
        format!("on_catalog_mismatch: {on_catalog_mismatch}"),
        format!("linked_directories: {linked_directories}"),
        format!("ownership: {owner}, {modes}"),
        format!("licenses: {licenses}"),
        format!("on_degraded: {on_degraded}"),
        format!("check: {check}"),
        format!("expect_sha256: {}", expect_sha256.as_deref().unwrap_or("none")),
        format!("trust: {}", trust.as_deref().unwrap_or("none")),
    ];
    options.into_iter()
}

/// The target and the store that holds it: one URL may name buckets of two services.
fn place(plan: &RestorePlan) -> String {
    format!("{} ({})", plan.target, plan.target_identity)
}

fn release(plan: &RestorePlan) -> impl Iterator<Item = (&Key, RootAction)> {
    plan.release.iter().map(|step| (&step.key, step.action))
}

fn ids(nodes: &[Node]) -> impl Iterator<Item = &str> {
    nodes.iter().map(|node| node.id.as_str())
}
