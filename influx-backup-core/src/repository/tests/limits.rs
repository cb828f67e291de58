//! The limits of what only reads hold for `verify` and for `certify`, in virtual time.

use std::time::Duration;

use tokio::time::Instant;

use super::{looks::*, *};
use crate::{
    ByteSize, CertifyOptions, Limits,
    certify::{CertifyRequest, certify, certify_backup, certify_cluster},
    limits::Retry,
    testing::fault::{Failure, Fault, Op, Rule, Scope, When},
};

/// What was read, and how long it took, or how it failed.
type Took = (Result<u64>, Duration);

async fn verified(repository: &Repository, limits: &Limits) -> Took {
    let began = Instant::now();
    let report = repository.verify("a", VerifyOptions::bytes().with_limits(limits.clone())).await;
    let read = report.map(|report| {
        assert!(report.passed(), "{report}");
        report.read
    });
    (read, began.elapsed())
}

async fn certified(request: CertifyRequest, limits: &Limits) -> Took {
    let began = Instant::now();
    let certificate = request.with_options(CertifyOptions::default().with_limits(limits.clone())).await;
    (certificate.map(|certificate| certificate.clauses.len() as u64), began.elapsed())
}

/// Each verb that only reads, on a backup or a cluster whose store does this.
async fn each(fault: Fault, limits: &Limits) -> Vec<(&'static str, Took)> {
    let (cluster, repository, _) = bed().await;
    let rule = || Rule::new(Scope::of(Op::Get).containing("node1/"), When::Always, fault.clone());
    let opened = checked(through(repository.location(), rule()));
    let backup = opened.get("a").await.expect("opened");
    let source = through(cluster.location(), rule());
    vec![
        ("verify of a repository", verified(&opened, limits).await),
        ("certify", certified(certify(backup.location()), limits).await),
        ("certify of a repository", certified(opened.certify("a"), limits).await),
        ("certify_backup", certified(certify_backup(&backup), limits).await),
        ("certify_cluster", certified(certify_cluster(&cluster.clone().with_location(source)), limits).await),
    ]
}

fn second() -> Fault {
    Fault::Delay(SECOND..SECOND * 1001 / 1000)
}

#[tokio::test(start_paused = true)]
async fn as_many_objects_are_read_at_once_as_are_allowed() {
    let one = each(second(), &Limits::default().with_concurrency(1)).await;
    let ten = each(second(), &Limits::default().with_concurrency(10)).await;
    for ((what, (_, one)), (_, (_, ten))) in one.into_iter().zip(ten) {
        assert!(one > ten * 5, "{what}: {one:?} and {ten:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_held_in_memory_than_is_allowed() {
    let limits = Limits::default().with_concurrency(10);
    let all = each(second(), &limits).await;
    let few = each(second(), &limits.with_memory(ByteSize(1))).await;
    for ((what, (_, all)), (_, (_, few))) in all.into_iter().zip(few) {
        assert!(few > all * 5, "{what}: {all:?} and {few:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_moved_in_a_second_than_is_allowed() {
    let unlimited = Limits::default();
    let (_, repository, _) = bed().await;
    let backup = repository.get("a").await.expect("opened");
    let bytes: u64 = backup.objects().map(|record| record.stored.size).sum();
    for (what, (_, took)) in each(Fault::Delay(Duration::ZERO..Duration::from_nanos(1)), &unlimited).await {
        assert_eq!(took.as_secs(), 0, "{what}");
    }
    let hour = Limits::default().with_bandwidth(ByteSize(bytes / 3600));
    let (_, took) = verified(&repository, &hour).await;
    assert!((3600..7200).contains(&took.as_secs()), "{took:?}: all bytes, and what the certificate is made of again");
    for (what, (_, took)) in each(Fault::Delay(Duration::ZERO..Duration::from_nanos(1)), &hour).await {
        assert!(took.as_secs() > 60, "{what}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_waited_for_as_long_as_is_said() {
    for (max_outage, least, most) in [(None, 5, 60), (Some(5), 1, 10), (Some(200), 100, 260)] {
        let max_outage = max_outage.map(Duration::from_secs);
        let limits = Limits::default().with_retry(Retry { max_outage, ..Retry::default() });
        for (what, (read, took)) in each(Fault::Fail(Failure::Unreachable), &limits).await {
            assert_eq!(read.expect_err(what).code(), "unreachable");
            assert!((least..most).contains(&took.as_secs()), "{what}: {took:?} for {max_outage:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_moves_nothing_is_given_up_when_it_is_said() {
    // The store answers everything else: only these reads hang, each for the first time.
    for (stall, most) in [(2, 10), (40, 100)] {
        let limits = Limits::default()
            .with_stall_timeout(Duration::from_secs(stall))
            .with_retry(Retry::default().with_max_outage(Duration::from_secs(100)));
        let (_, repository, _) = bed().await;
        let hanging = Fault::Delay(3600 * SECOND..7200 * SECOND);
        let rule = Rule::new(Scope::of(Op::Get).containing("node1/"), When::Nth(1), hanging);
        let opened = checked(through(repository.location(), rule));
        let (read, took) = verified(&opened, &limits).await;
        assert!(read.expect("read again") > 0);
        assert!((stall..most).contains(&took.as_secs()), "{took:?} for {stall} s");
    }
}

#[tokio::test]
async fn limits_that_move_nothing_are_refused() {
    let (cluster, repository, _) = bed().await;
    let none = Limits::default().with_concurrency(0);
    let refused = [verified(&repository, &none).await.0, certified(certify_cluster(&cluster), &none).await.0];
    for refused in refused {
        assert_eq!(refused.expect_err("nothing moves").code(), "invalid-request");
    }
}
