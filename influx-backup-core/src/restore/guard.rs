//! The steps that release the boot guard. Its bytes, its paths and the order of the steps are in
//! [`layout::guard`](crate::layout::guard).

use bytes::Bytes;

use super::journal::RestoreJournal;
use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    layout::guard::restore_of,
    location::{Attributes, Location, Version},
    read_limits,
};

/// Puts a real root in the place of the guard of `restore`. Where something else stands there, a server has already
/// gone on from the root: it stays, also where it was written only just now. (A guard that is a file is looked at just before.)
pub(crate) async fn replace(
    target: &Location,
    key: &Key,
    restore: &str,
    root: Bytes,
    attributes: &Attributes,
) -> Result<()> {
    let written = match found(target, key, restore).await? {
        Found::Guard(version) => target.replace(key, &root, attributes, &version).await,
        Found::None => target.create_with_attributes(key, root, attributes).await,
        Found::Other => return Ok(()),
    };
    match written {
        Err(Error::Store { kind: StoreErrorKind::Changed | StoreErrorKind::AlreadyExists, .. }) => Ok(()),
        written => written.map(drop),
    }
}

/// Removes the guard of `restore`, and nothing else.
pub(crate) async fn remove(target: &Location, key: &Key, restore: &str) -> Result<()> {
    match found(target, key, restore).await? {
        Found::Guard(version) => target.delete_version(key, &version).await,
        Found::None | Found::Other => Ok(()),
    }
}

/// The keys of a journal's guard where it does not stand.
pub(crate) async fn missing(target: &Location, journal: &RestoreJournal) -> Result<Vec<Key>> {
    let mut missing = Vec::new();
    for key in &journal.guards {
        if !matches!(found(target, key, &journal.restore).await?, Found::Guard(_)) {
            missing.push(key.clone());
        }
    }
    Ok(missing)
}

/// What stands at the path of a root.
enum Found {
    /// The guard of the restore.
    Guard(Version),
    /// Something else: the root of a server, or a guard of another restore.
    Other,
    None,
}

async fn found(target: &Location, key: &Key, restore: &str) -> Result<Found> {
    Ok(match target.get_with_version(key, read_limits::SMALL).await? {
        None => Found::None,
        Some(Ok((bytes, version))) if restore_of(&bytes).as_deref() == Some(restore) => Found::Guard(version),
        Some(_) => Found::Other,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        layout::guard,
        testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    /// A server writes its root while the step is under way.
    #[tokio::test(start_paused = true)]
    async fn a_root_that_a_server_has_just_written_stays() {
        use std::time::Duration;
        let store = Location::in_memory();
        let key = Key::parse("n1/catalog/v3/snapshot").expect("a key");
        store.put(&key, guard::bytes("r1", "b1")).await.expect("put");
        let slow =
            Rule::new(Scope::of(Op::Put), When::Always, Fault::Delay(Duration::from_secs(10)..Duration::from_secs(11)));
        let plan = FaultPlan::none().with(slow);
        let target = store.through(|inner| Arc::new(FaultyStore::new(inner, plan.clone())) as Arc<_>);
        let server = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            store.put(&key, Bytes::from_static(b"a server's")).await.expect("put");
        };
        let none = Attributes::new();
        let step = replace(&target, &key, "r1", Bytes::from_static(b"of the backup"), &none);
        let (done, ()) = tokio::join!(step, server);
        done.expect("no failure");
        assert_eq!(store.get(&key, None).await.expect("read").expect("there"), "a server's");
    }

    /// The guard was removed, and a server writes its root while the step is under way: on files, too.
    #[tokio::test(start_paused = true)]
    async fn a_root_that_a_server_has_just_written_without_a_guard_stays() {
        use std::time::Duration;
        let directory = tempfile::tempdir().expect("made");
        let path = directory.path().to_str().expect("UTF-8");
        let files = Location::parse(path, &crate::location::StoreOptions::default()).expect("a location");
        for store in [Location::in_memory(), files] {
            let key = Key::parse("n1/catalog/v3/snapshot").expect("a key");
            let slow = Fault::Delay(Duration::from_secs(10)..Duration::from_secs(11));
            let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Get), When::Nth(1), slow));
            let target = store.through(|inner| Arc::new(FaultyStore::new(inner, plan.clone())) as Arc<_>);
            let server = async {
                tokio::time::sleep(Duration::from_millis(9_900)).await;
                store.put(&key, Bytes::from_static(b"a server's")).await.expect("put");
            };
            let none = Attributes::new();
            let step = replace(&target, &key, "r1", Bytes::from_static(b"of the backup"), &none);
            let (done, ()) = tokio::join!(step, server);
            done.expect("no failure");
            assert_eq!(store.get(&key, None).await.expect("read").expect("there"), "a server's", "{store}");
        }
    }

    /// A server writes its root after the guard was read and before its deletion.
    #[tokio::test(start_paused = true)]
    async fn a_root_that_a_server_has_just_written_is_not_removed() {
        use std::time::Duration;
        let store = Location::in_memory();
        let key = Key::parse("n1/catalog/v3/snapshot").expect("a key");
        store.put(&key, guard::bytes("r1", "b1")).await.expect("put");
        let slow = Fault::Delay(Duration::from_secs(10)..Duration::from_secs(11));
        let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Get), When::Nth(1), slow));
        let target = store.through(|inner| Arc::new(FaultyStore::new(inner, plan.clone())) as Arc<_>);
        let server = async {
            tokio::time::sleep(Duration::from_millis(9_900)).await;
            store.put(&key, Bytes::from_static(b"a server's")).await.expect("put");
        };
        let (done, ()) = tokio::join!(remove(&target, &key, "r1"), server);
        done.expect("no failure");
        assert_eq!(store.get(&key, None).await.expect("read").expect("there"), "a server's");
    }

    #[tokio::test]
    async fn a_guard_is_replaced_and_nothing_else() {
        let target = Location::in_memory();
        let key = Key::parse("n1/catalog/v3/snapshot").expect("a key");
        let root = Bytes::from_static(b"of the backup");
        let none = Attributes::new();
        let stands = || async { target.get(&key, None).await.expect("read") };
        replace(&target, &key, "r1", root.clone(), &none).await.expect("written");
        assert_eq!(stands().await.as_ref(), Some(&root), "where nothing stood");
        for (before, after) in
            [(guard::bytes("r1", "b1"), root.clone()), (guard::bytes("r2", "b1"), guard::bytes("r2", "b1"))]
        {
            target.put(&key, before.clone()).await.expect("put");
            replace(&target, &key, "r1", root.clone(), &none).await.expect("done");
            assert_eq!(stands().await, Some(after));
            target.put(&key, before).await.expect("put");
            remove(&target, &key, "r2").await.expect("done");
        }
        assert_eq!(stands().await, None, "the guard of r2 was removed by r2");
    }
}
