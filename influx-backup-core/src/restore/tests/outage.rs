//! A store that does not answer is not damage of the backup.

use Generation::V3;

use super::*;
use crate::testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When};

/// What a restore says where the backup's store does not answer these operations.
async fn restored_without(scope: Scope, check: SourceCheck) -> (Error, Bed) {
    let repository = Location::in_memory();
    write_backup(&repository, &core(2).upgraded([V3]), &[V3], |_, _| {}).await.expect("a backup");
    let silent = FaultPlan::none().with(Rule::new(scope, When::Always, Fault::Fail(Failure::Unreachable)));
    let repository = repository.through(|store| Arc::new(FaultyStore::new(store, silent.clone())) as Arc<_>);
    let bed = Bed::over(Backup::open(&repository, "n1").await.expect("opened"));
    let error = bed.restore(&quick(RestoreOptions::empty().with_check(check))).await.expect_err("no answer");
    (error, bed)
}

#[tokio::test(start_paused = true)]
async fn an_outage_during_check_or_copy_is_an_error_of_the_store() {
    for (scope, check, begun) in [
        (Scope::of(Op::Get).containing("/wal/"), SourceCheck::Structure, false),
        (Scope::of(Op::Get).containing("/dbs/"), SourceCheck::Bytes, false),
        (Scope::of(Op::Get).containing("/catalog/v3/snapshot"), SourceCheck::Listing, false),
        (Scope::of(Op::Get).containing("/dbs/"), SourceCheck::Structure, true),
    ] {
        let (error, bed) = restored_without(scope, check).await;
        assert_eq!(error.code(), "unreachable", "{error}");
        let unfinished = bed.inspect().await.unfinished;
        assert_eq!(unfinished.is_some(), begun, "{check:?}: {error}");
    }
}
