//! Whatever a manifest says: what verification accepts, a restore accepts.

use Generation::{V2, V3};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::{options::VerifyOptions, verify::verify};

/// One thing that somebody changes in a manifest.
#[derive(Debug, Clone)]
enum Change {
    /// The id of a node, alone.
    Node(String),
    /// The id of the node, in the keys of its objects as well.
    Rename(String),
    ClusterId(Option<String>),
    Excluded(String),
    Catalogs(Vec<Generation>),
    Key(Index, String),
    StoredAt(Index, String),
    Sizes(Index, u64, u64),
    Swap(Index, Index),
    Twice(Index),
    Missing(Index),
    ObjectCount(u64),
    ByteCount(u64),
    Degraded,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("node1".to_owned()),
        Just("node2".to_owned()),
        Just("node1/catalog".to_owned()),
        Just("node1/catalog/v3".to_owned()),
        Just("_influx_backup".to_owned()),
        Just("..".to_owned()),
        Just("node1/../node1".to_owned()),
        Just(String::new()),
        Just("x".repeat(1025)),
        "[a-z./\u{7f}-\u{9f}]{1,8}",
    ]
}

fn tail() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("wal/00000000009.wal"),
        Just("catalog/v3/snapshot"),
        Just("catalog/v4/snapshot"),
        Just("catalog/v2/logs/00000000000000000001.catalog"),
        Just("unknown"),
        Just("_influx_backup/manifest.json"),
    ]
    .prop_map(ToOwned::to_owned)
}

fn object_key() -> impl Strategy<Value = String> {
    (name(), tail()).prop_map(|(name, tail)| format!("{name}/{tail}"))
}

fn change() -> impl Strategy<Value = Change> {
    let generations = vec(prop_oneof![Just(V2), Just(V3), Just(Generation::V1)], 0..3);
    prop_oneof![
        name().prop_map(Change::Node),
        name().prop_map(Change::Rename),
        proptest::option::of(name()).prop_map(Change::ClusterId),
        name().prop_map(Change::Excluded),
        generations.prop_map(Change::Catalogs),
        (any::<Index>(), object_key()).prop_map(|(at, key)| Change::Key(at, key)),
        (any::<Index>(), prop_oneof![Just("_shared/n0".to_owned()), Just("n0".to_owned()), name()])
            .prop_map(|(at, place)| Change::StoredAt(at, place)),
        (any::<Index>(), any::<u64>(), any::<u64>())
            .prop_map(|(at, content, stored)| Change::Sizes(at, content, stored)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Swap(a, b)),
        any::<Index>().prop_map(Change::Twice),
        any::<Index>().prop_map(Change::Missing),
        any::<u64>().prop_map(Change::ObjectCount),
        any::<u64>().prop_map(Change::ByteCount),
        Just(Change::Degraded),
    ]
}

/// Makes the change; says which bytes have to be moved for it.
fn apply(change: &Change, manifest: &mut Manifest, records: &mut Vec<ObjectRecord>, moves: &mut Vec<(Key, Key)>) {
    if records.is_empty() {
        return;
    }
    let length = records.len();
    match change {
        Change::Node(id) => manifest.cluster.nodes[0].id.clone_from(id),
        Change::Rename(id) => {
            manifest.cluster.nodes[0].id.clone_from(id);
            for record in records.iter_mut() {
                let Some(Ok(new)) = record.key.below("node1").map(|tail| Key::parse(format!("{id}/{tail}"))) else {
                    continue;
                };
                moves.push((key(&format!("n1/{}", record.key)), key(&format!("n1/{new}"))));
                record.key = new;
            }
            records.sort_by(|a, b| a.key.cmp(&b.key));
        }
        Change::ClusterId(id) => manifest.cluster.cluster_id.clone_from(id),
        Change::Excluded(id) => manifest.cluster.excluded_nodes.push(id.clone()),
        Change::Catalogs(generations) => {
            let live =
                |generation: &Generation| FoundGeneration { generation: *generation, state: GenerationState::Live };
            manifest.cluster.catalogs = generations.iter().map(live).collect();
        }
        Change::Key(at, to) => {
            let Ok(to) = Key::parse(to) else { return };
            let record = &mut records[at.index(length)];
            moves.push((key(&format!("n1/{}", record.key)), key(&format!("n1/{to}"))));
            record.key = to;
            records.sort_by(|a, b| a.key.cmp(&b.key));
        }
        Change::StoredAt(at, place) => {
            let record = &mut records[at.index(length)];
            let Ok(to) = Key::parse(format!("{place}/{}", record.key)) else { return };
            moves.push((key(&format!("n1/{}", record.key)), to.clone()));
            record.stored.at = Some(to);
        }
        Change::Sizes(at, content, stored) => {
            let record = &mut records[at.index(length)];
            (record.content.size, record.stored.size) = (*content, *stored);
        }
        Change::Swap(a, b) => records.swap(a.index(length), b.index(length)),
        Change::Twice(at) => records.insert(at.index(length), records[at.index(length)].clone()),
        Change::Missing(at) => drop(records.remove(at.index(length))),
        Change::ObjectCount(count) => manifest.object_count = *count,
        Change::ByteCount(count) => manifest.byte_count = *count,
        Change::Degraded => manifest.status = BackupStatus::Degraded,
    }
    if !matches!(change, Change::ObjectCount(_) | Change::ByteCount(_)) {
        manifest.object_count = records.len() as u64;
        manifest.byte_count = records.iter().fold(0, |sum, record| sum.wrapping_add(record.content.size));
    }
}

/// Whether the backup passes at each level of verification, and what a restore into an empty place says.
async fn verdicts(changes: &[Change]) -> (bool, bool, Result<RestorePlan>) {
    let repository = Location::in_memory();
    let mut moves = Vec::new();
    let cluster = core(1).upgraded([V2, V3]);
    let written = write_backup(&repository, &cluster, &[V2, V3], |manifest, records| {
        changes.iter().for_each(|change| apply(change, manifest, records, &mut moves));
    });
    let backup = match written.await {
        Ok(backup) => backup,
        Err(error) => return (false, false, Err(error)),
    };
    for (from, to) in moves {
        if let Some(bytes) = repository.get(&from, None).await.expect("read") {
            repository.put(&to, bytes).await.expect("written");
            repository.delete(&from).await.expect("moved");
        }
    }
    let passes = async |options| verify(&backup, options).await.is_ok_and(|report| report.passed());
    let listing = passes(VerifyOptions::listing()).await;
    let structure = passes(VerifyOptions::structure()).await;
    let target = Target::inspect(&Location::in_memory()).await.expect("inspected");
    let consent = RestoreOptions::empty().with_on_degraded(OnDegraded::Accept);
    (listing, structure, RestorePlan::new(&backup.contents(), &target, &consent))
}

/// One that says that it is degraded may lack its catalog: then it is as it says, and cannot be restored.
fn says_so(changes: &[Change], error: &Error) -> bool {
    changes.iter().any(|change| matches!(change, Change::Degraded)) && error.to_string().contains("catalog")
}

#[tokio::test]
async fn what_nothing_was_changed_in_is_accepted() {
    let (listing, _, plan) = verdicts(&[]).await;
    assert!(listing && plan.is_ok(), "{plan:?}");
    let (listing, _, plan) = verdicts(&[Change::Rename("node2".to_owned())]).await;
    assert!(listing && plan.is_ok(), "{plan:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn what_verification_accepts_a_restore_accepts(changes in vec(change(), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (listing, structure, plan) = runtime.block_on(verdicts(&changes));
        if let Err(error) = &plan {
            prop_assert!(!(listing || structure) || says_so(&changes, error), "{error}");
        }
    }
}
