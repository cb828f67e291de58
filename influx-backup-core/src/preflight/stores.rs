//! Conditional writes, which stores have or lack: asked for on the probe, as runs will ask for them.
//!
//! Leases and commits rely on them. Without them two runs at once would write over one another and not notice.

use bytes::Bytes;

use super::{PROBE, within};
use crate::{
    error::{CREATE_ONLY, Error, Result, StoreErrorKind},
    key::Key,
    location::{Location, Version},
};

/// What a second create-only write would make of the probe.
const SECOND_PROBE: &[u8] = b"influx-backup write probe, written again; safe to delete\n";

/// Creates the probe. A store that refuses that and takes the same write without its condition has no conditional writes.
pub(super) async fn create(location: &Location, key: &Key) -> Result<Version> {
    let bytes = || Bytes::from_static(PROBE);
    match within(location, "put", location.create(key, bytes())).await {
        Err(refused @ Error::Store { kind, .. }) if may_be_condition(kind) && location.directory().is_none() => {
            within(location, "put", location.put(key, bytes())).await?;
            Err(unsupported(location, key, CREATE, "refuses a create-only write", Some(refused)))
        }
        done => done,
    }
}

/// Whether the condition may be what a store means by this. Nothing has the name of a probe.
const fn may_be_condition(kind: StoreErrorKind) -> bool {
    use StoreErrorKind::{AlreadyExists, Changed, Invalid, Unsupported};
    matches!(kind, AlreadyExists | Changed | Invalid | Unsupported)
}

/// A second create-only write of the probe has to fail.
pub(super) async fn require_create_only(location: &Location, key: &Key) -> Result<()> {
    match within(location, "put", location.create(key, Bytes::from_static(SECOND_PROBE))).await {
        Err(Error::Store { kind: StoreErrorKind::AlreadyExists, .. }) => Ok(()),
        Err(refused @ Error::Store { kind, .. }) if may_be_condition(kind) && location.directory().is_none() => {
            let did = "refuses a create-only write of an object that exists";
            Err(unsupported(location, key, CREATE, did, Some(refused)))
        }
        Err(error) => Err(error),
        Ok(version) => {
            let did = format!("answered a second create-only write of the same object with success{}", tag(&version));
            Err(unsupported(location, key, CREATE, &did, None))
        }
    }
}

/// A write in the place of another version than the probe has to fail: a process that was thought dead must not write over
/// what the one after it wrote. Where a store says that it cannot, a lease is renewed without a condition, as on files.
pub(super) async fn require_replace_only(location: &Location, key: &Key, written: &Version) -> Result<()> {
    let second = Bytes::from_static(SECOND_PROBE);
    match within(location, "put", location.replace_another(key, &second, written)).await {
        Ok(None) => Ok(()),
        Err(Error::Store { kind, .. }) if may_be_condition(kind) => Ok(()),
        Err(error) => Err(error),
        Ok(Some(version)) => {
            let did = format!("answered a write in the place of another version with success{}", tag(&version));
            Err(unsupported(location, key, REPLACE, &did, None))
        }
    }
}

fn tag(version: &Version) -> String {
    version.e_tag.as_ref().map_or_else(String::new, |e_tag| format!(" (entity tag {e_tag})"))
}

/// The condition of a create-only write. Google's own API has other names for both.
const CREATE: &str = "If-None-Match";

/// The condition of a write in the place of one version.
const REPLACE: &str = "If-Match";

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "conditional writes (`{condition}`) are missing: the store {did}. Two backups at once could write over one another. Use a \
     store that has them; or, where exactly one scheduler writes there, set the option `object_store_single_writer`"
)]
struct Missing {
    condition: &'static str,
    did: String,
    source: Option<Box<Error>>,
}

fn unsupported(location: &Location, key: &Key, condition: &'static str, did: &str, refused: Option<Error>) -> Error {
    let reason = Missing { condition, did: did.to_owned(), source: refused.map(Box::new) };
    Error::Store {
        operation: CREATE_ONLY,
        key: key.to_string(),
        location: location.to_string(),
        kind: StoreErrorKind::Unsupported,
        source: Box::new(reason),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::{ObjectStore, memory::InMemory};

    use super::*;
    use crate::{
        finding::FindingCode,
        location::{CreateOnly, Identity, ObjectTable},
        preflight::target,
        testing::fault::{Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When},
    };

    #[tokio::test]
    async fn a_store_without_create_only_writes_is_refused_unless_there_is_one_writer() {
        let ignored = Rule::new(Scope::of(Op::Put), When::Always, Fault::IgnoreCreateOnly);
        let plan = FaultPlan::none().with(ignored);
        let memory = Location::in_memory();
        let location = memory.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let error = target(&location).await.expect_err("refused");
        assert_eq!(error.code(), "store-unsupported", "{error:?}");
        assert_eq!(error.hints()[0].option, "object_store_single_writer");
        let answer = std::error::Error::source(&error).expect("the answer").to_string();
        for part in ["conditional writes (`If-None-Match`)", "with success (entity tag", "Two backups at once"] {
            assert!(answer.contains(part), "{answer}");
        }
        assert_eq!(memory.list("").await.expect("listed"), ObjectTable::default(), "nothing is left");
        let answer = target(&memory).await.expect("one that has them");
        assert_eq!(answer.abilities.create_only, CreateOnly::ConditionalPut);
        assert_eq!(memory.lacks(), []);
        let single = location.for_single_writer();
        let answer = target(&single).await.expect("one writer needs none");
        assert_eq!(answer.abilities.create_only, CreateOnly::SingleWriter);
        let said: Vec<_> = single.lacks().into_iter().map(|finding| finding.code).collect();
        assert_eq!(said, [FindingCode::SingleWriter]);
        assert_eq!(memory.list("").await.expect("listed"), ObjectTable::default(), "nothing is left");
    }

    #[tokio::test]
    async fn a_store_that_replaces_any_version_is_refused_unless_there_is_one_writer() {
        let ignored = Rule::new(Scope::of(Op::Put), When::Always, Fault::IgnoreVersion);
        let plan = FaultPlan::none().with(ignored);
        let memory: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let identity = Identity::S3 { endpoint: String::new(), bucket: "b".to_owned(), region: "r".to_owned() };
        let good = Location::with_store(memory, "vault".into(), identity);
        let location = good.through(|store| Arc::new(FaultyStore::new(store, plan.clone())) as Arc<_>);
        let error = target(&location).await.expect_err("refused");
        assert_eq!(error.code(), "store-unsupported", "{error:?}");
        assert_eq!(error.hints()[0].option, "object_store_single_writer");
        let answer = std::error::Error::source(&error).expect("the answer").to_string();
        for part in ["conditional writes (`If-Match`)", "another version with success (entity tag"] {
            assert!(answer.contains(part), "{answer}");
        }
        assert_eq!(good.list("").await.expect("listed"), ObjectTable::default(), "nothing is left");
        target(&good).await.expect("one that has them");
        target(&location.for_single_writer()).await.expect("one writer needs none");
        assert_eq!(good.list("").await.expect("listed"), ObjectTable::default(), "nothing is left");
    }
}
