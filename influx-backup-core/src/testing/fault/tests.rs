use std::time::Duration;

use object_store::{memory::InMemory, path::Path};

use super::*;

fn path(key: &str) -> Path {
    Path::parse(key).expect("a valid key")
}

async fn filled(keys: &[&str]) -> Arc<InMemory> {
    let store = Arc::new(InMemory::new());
    for key in keys {
        store.put(&path(key), Bytes::from(format!("body of {key}")).into()).await.expect("memory takes it");
    }
    store
}

async fn names(store: &FaultyStore) -> Result<Vec<String>> {
    store.list(None).map_ok(|meta| meta.location.to_string()).try_collect().await
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn the_nth_operation_of_a_scope_fails_and_no_other() {
    let rule = Rule::new(Scope::of(Op::Get).below("a/"), When::Nth(2), Fault::Fail(Failure::Throttled));
    let store = FaultyStore::new(filled(&["a/1", "b/1"]).await, FaultPlan::none().with(rule));
    store.get(&path("a/1")).await.expect("the first passes");
    store.get(&path("b/1")).await.expect("outside the scope");
    let error = store.get(&path("a/1")).await.expect_err("the second");
    assert!(error.to_string().contains("503"), "{error}");
    store.get(&path("a/1")).await.expect("the third passes");
    let outcomes: Vec<Outcome> = store.log().into_iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [Outcome::Passed, Outcome::Passed, Outcome::Failed(Failure::Throttled), Outcome::Passed]);
}

#[tokio::test]
async fn a_store_that_ignores_create_only_overwrites() {
    let rule = Rule::new(Scope::of(Op::Put).containing("a"), When::Always, Fault::IgnoreCreateOnly);
    let store = FaultyStore::new(filled(&["a", "b"]).await, FaultPlan::none().with(rule));
    let create = async |key: &str| store.put_opts(&path(key), "new".into(), PutMode::Create.into()).await;
    create("a").await.expect("ignored");
    create("b").await.expect_err("outside the scope");
    let bytes = store.get(&path("a")).await.expect("there").bytes().await.expect("read");
    assert_eq!((bytes, store.faults()), (Bytes::from_static(b"new"), 1));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run() {
    async fn run(seed: u64) -> Vec<Entry> {
        let plan = FaultPlan::seeded(seed).latency(Duration::ZERO..20 * MS).with(Rule::new(
            Scope::any(),
            When::Chance(0.5),
            Fault::Fail(Failure::Unreachable),
        ));
        let store = FaultyStore::new(filled(&["a"]).await, plan);
        for _ in 0..20 {
            store.get(&path("a")).await.ok();
        }
        store.log()
    }
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
    assert!(first.last().expect("20 of them").at > MS, "latency passes in virtual time");
}

#[tokio::test(start_paused = true)]
async fn a_body_is_cut_with_an_error_or_without_a_word() {
    for (fault, fails) in [(Fault::CutBodyWithError(0.5), true), (Fault::CutBodySilently(0.5), false)] {
        let plan = FaultPlan::none().with(Rule::new(Scope::of(Op::Get), When::Always, fault));
        let store = FaultyStore::new(filled(&["a"]).await, plan);
        let result = store.get(&path("a")).await.expect("the answer itself comes");
        let promised = result.meta.size;
        let chunks: Vec<Result<Bytes>> = result.into_stream().collect().await;
        let got: u64 = chunks.iter().flatten().map(|bytes| bytes.len() as u64).sum();
        assert_eq!(got, promised / 2);
        assert_eq!(chunks.iter().any(Result::is_err), fails);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_listing_misses_what_appears_behind_its_cursor() {
    let inner = filled(&["b", "c", "d"]).await;
    let slow = Fault::SlowList { page: 1, pause: 10 * MS };
    let store = FaultyStore::new(
        Arc::<InMemory>::clone(&inner),
        FaultPlan::none().with(Rule::new(Scope::of(Op::List), When::Always, slow)),
    );
    let writer = async {
        tokio::time::sleep(15 * MS).await;
        inner.put(&path("a"), PutPayload::new()).await.expect("put");
        inner.put(&path("e"), PutPayload::new()).await.expect("put");
        inner.delete(&path("d")).await.expect("delete");
    };
    let (names, ()) = tokio::join!(names(&store), writer);
    assert_eq!(names.expect("listed"), ["b", "c", "e"]);
    assert_eq!(store.count(Op::List), 3);
}

#[tokio::test(start_paused = true)]
async fn pages_repeat_and_listings_break() {
    let keys = ["a", "b", "c"];
    let repeat = Rule::new(Scope::of(Op::List), When::Always, Fault::RepeatPages { page: 2 });
    let store = FaultyStore::new(filled(&keys).await, FaultPlan::none().with(repeat));
    assert_eq!(names(&store).await.expect("listed"), ["a", "b", "a", "b", "c", "c"]);
    let broken = Rule::new(Scope::of(Op::List), When::Nth(1), Fault::BreakList { after: 2 });
    let store = FaultyStore::new(filled(&keys).await, FaultPlan::none().with(broken));
    names(&store).await.expect_err("breaks after two keys");
    assert_eq!(names(&store).await.expect("the second listing"), keys);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_nothing_works_and_the_last_write_is_there() {
    let inner = filled(&[]).await;
    let store = FaultyStore::new(Arc::<InMemory>::clone(&inner), FaultPlan::none().crash_after_writes(2));
    store.put(&path("a"), PutPayload::new()).await.expect("the first write");
    store.put(&path("b"), PutPayload::new()).await.expect_err("the answer of the last write never comes");
    store.put(&path("c"), PutPayload::new()).await.expect_err("dead");
    names(&store).await.expect_err("dead");
    assert!(store.has_crashed());
    let there: Vec<ObjectMeta> = inner.list(None).try_collect().await.expect("list");
    assert_eq!(there.len(), 2);
    store.heal();
    assert_eq!(names(&store).await.expect("alive again").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_a_read_only_one_and_one_that_comes_back() {
    let store = FaultyStore::new(filled(&[]).await, FaultPlan::none().disk_full_after(5));
    store.put(&path("a"), Bytes::from_static(b"12345").into()).await.expect("there is room");
    let mut upload = store.put_multipart_opts(&path("b"), PutMultipartOptions::default()).await.expect("starts");
    upload.put_part(Bytes::from_static(b"6").into()).await.expect_err("full");

    let store = FaultyStore::new(filled(&["a"]).await, FaultPlan::none().read_only());
    store.delete(&path("a")).await.expect_err("read-only");
    store.copy(&path("a"), &path("b")).await.expect_err("read-only");
    store.get(&path("a")).await.expect("reading works");

    let store = FaultyStore::new(filled(&["a"]).await, FaultPlan::none().outage(MS, 10 * MS));
    store.head(&path("a")).await.expect("before");
    tokio::time::sleep(2 * MS).await;
    store.head(&path("a")).await.expect_err("away");
    tokio::time::sleep(10 * MS).await;
    store.head(&path("a")).await.expect("back");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_leaves_the_object() {
    let inner = filled(&[]).await;
    let lost = Rule::new(Scope::of(Op::Put), When::Always, Fault::LoseAnswer(Failure::Unreachable)).at_most(1);
    let store = FaultyStore::new(Arc::<InMemory>::clone(&inner), FaultPlan::none().with(lost));
    store.put(&path("a"), PutPayload::new()).await.expect_err("lost");
    inner.head(&path("a")).await.expect("carried out");
    store.put(&path("a"), PutPayload::new()).await.expect("once only");
    assert_eq!(store.faults(), 1);
}
