//! WAL numbers that a source lacks: asked for one by one as far as that is cheap, and said to be what they are.
#![cfg(feature = "testing")]

mod meddling;

use std::{ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use influx_backup_core::{
    BackupReport, Certificate, DiscoverOptions, FindingCode, Location, Repository, VerifyOptions, certify, discover,
    location::{Identity, interop::object_store::path::Path},
    testing::{
        fault::{FaultPlan, FaultyStore, Op},
        write,
    },
};
use meddling::{Deed, ROOT, Source, core, deed, meddler, options, repository, wal_key};

/// A source whose last WAL file is `last`, and a store before it that counts.
struct Counted {
    source: Source,
    store: FaultyStore,
    last: u64,
}

impl Counted {
    async fn new() -> Self {
        let (source, generated) = Source::of(&core()).await;
        let store = FaultyStore::new(Arc::clone(&source.0) as _, FaultPlan::none());
        Self { last: generated.nodes["node1"].wal.expect("a tail").1, source, store }
    }

    /// Adds WAL files, each this many numbers after the last one of the cluster.
    async fn with_wal(self, after: &[u64]) -> Self {
        for number in after {
            self.source.put(&wal_key(self.last + number), write::wal(b"[1]")).await;
        }
        self
    }

    async fn back_up(&self, deeds: impl IntoIterator<Item = (&'static str, Deed)>) -> (BackupReport, Repository) {
        let location = Location::with_store(Arc::new(self.store.clone()), Path::from("data"), Identity::Test);
        let cluster = discover(&location, &DiscoverOptions::default()).await.expect("a cluster");
        let repository = repository().await;
        let report = repository.backup(&cluster, options()).with_copier(meddler(deeds)).start().await;
        (report.expect("a backup"), repository)
    }

    /// How many of these numbers, counted from the last one, were asked for by their keys.
    fn asked(&self, numbers: RangeInclusive<u64>) -> usize {
        let keys: Vec<_> = numbers.map(|number| format!("data/{}", wal_key(self.last + number))).collect();
        let log = self.store.log();
        log.iter().filter(|entry| entry.op == Op::Head && keys.contains(&entry.path)).count()
    }

    /// The holes that a certificate names, counted from the last number.
    fn holes(&self, certificate: &Certificate) -> Vec<(FindingCode, u64, u64)> {
        let holes = certificate.findings.iter().filter_map(|finding| {
            let (first, last) = finding.range?;
            Some((finding.code.clone(), first - self.last, last - self.last))
        });
        holes.collect()
    }
}

/// What is certified later, from the backup alone, says the same.
async fn certified_later(repository: &Repository) -> Certificate {
    let verified = repository.verify("n1", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{:?}", verified.problems);
    let backup = repository.get("n1").await.expect("it is there");
    certify(backup.location()).await.expect("certified")
}

#[tokio::test]
async fn each_number_of_a_small_hole_is_asked_for_once() {
    let counted = Counted::new().await.with_wal(&[6, 7, 9]).await;
    let (report, repository) = counted.back_up([]).await;
    let holes = [(FindingCode::WalHole, 1, 5), (FindingCode::WalHole, 8, 8)];
    assert_eq!(counted.holes(&report.certificate), holes);
    assert_eq!((counted.asked(1..=5), counted.asked(8..=8)), (5, 1));
    assert_eq!(counted.holes(&certified_later(&repository).await), holes);
    assert!(report.certificate.holds());
}

/// A thousand requests in all: of what is beyond them, only the listing says that it is missing.
#[tokio::test]
async fn what_is_not_asked_for_is_said_to_be_unconfirmed() {
    let counted = Counted::new().await.with_wal(&[601, 1_202, 1_204, 1_000_000_000]).await;
    let (report, repository) = counted.back_up([]).await;
    let holes = [
        (FindingCode::WalHole, 1, 600),
        (FindingCode::UnconfirmedWalHole, 602, 1_201),
        (FindingCode::WalHole, 1_203, 1_203),
        (FindingCode::UnconfirmedWalHole, 1_205, 999_999_999),
    ];
    assert_eq!(counted.holes(&report.certificate), holes);
    assert_eq!((counted.asked(1..=600), counted.asked(602..=1_201), counted.asked(1_203..=1_203)), (600, 0, 1));
    let wal = counted.store.log().iter().filter(|entry| entry.op == Op::Head && entry.path.contains("/wal/")).count();
    assert!(wal <= 1_000, "{wal} requests");
    let certificate = certified_later(&repository).await;
    assert_eq!(counted.holes(&certificate), holes);
    let messages: Vec<_> = certificate.findings.iter().map(|finding| finding.message.as_str()).collect();
    let said = |code: &str| messages.iter().filter(|message| message.contains(code)).count();
    assert_eq!((said("does not exist in the source"), said("not asked for by its key")), (2, 2), "{messages:?}");
    assert!(certificate.holds(), "a hole of the source is no violation");
}

/// The limit is one of requests, not of holes: at it, all are asked for.
#[tokio::test]
async fn a_thousand_numbers_are_asked_for() {
    let counted = Counted::new().await.with_wal(&[1_001, 1_003]).await;
    let (report, _) = counted.back_up([]).await;
    let holes = [(FindingCode::WalHole, 1, 1_000), (FindingCode::UnconfirmedWalHole, 1_002, 1_002)];
    assert_eq!(counted.holes(&report.certificate), holes);
    assert_eq!((counted.asked(1..=1_000), counted.asked(1_002..=1_002)), (1_000, 0));
}

/// A number that a listing lacked, and that is there when it is asked for, is no hole: another pass copies it.
#[tokio::test]
async fn a_hole_that_fills_is_none() {
    let counted = Counted::new().await.with_wal(&[2]).await;
    let fills = deed(ROOT, {
        let (source, key) = (counted.source.clone(), wal_key(counted.last + 1));
        async move { source.put(&key, write::wal(b"[2]")).await }
    });
    let (report, repository) = counted.back_up([fills]).await;
    assert_eq!((report.passes.len(), counted.holes(&report.certificate)), (2, Vec::new()));
    let backup = repository.get("n1").await.expect("it is there");
    let key = influx_backup_core::Key::parse(wal_key(counted.last + 1)).expect("a key");
    let held: Option<Bytes> = backup.location().get(&key, None).await.expect("read");
    assert_eq!(held.expect("it is held"), write::wal(b"[2]"));
}
