use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart, memory::InMemory, path::Path,
};

use super::*;
use crate::{
    checksum::Crc64,
    copier::{Expect, LocalCopier},
    key::Key,
    limits::{Bandwidth, MemoryBudget},
    location::{Identity, Location, OpenWhile, StoreOptions},
    testing::{
        conformance::copier_conformance,
        fault::{FaultPlan, FaultyStore, Op},
    },
};

const PART: ByteSize = ByteSize(64 << 10);

fn small_parts() -> StreamCopier {
    StreamCopier::default().with_threshold(PART).with_part_size(PART)
}

fn directory() -> (tempfile::TempDir, Location) {
    let directory = tempfile::tempdir().expect("a directory");
    let location =
        Location::parse(directory.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location");
    (directory, location)
}

#[tokio::test]
async fn the_contract_from_memory_to_memory() {
    copier_conformance(&small_parts(), &Location::in_memory(), &Location::in_memory(), PART).await;
}

#[tokio::test]
async fn the_contract_from_file_to_memory() {
    let (_kept, from) = directory();
    copier_conformance(&small_parts(), &from, &Location::in_memory(), PART).await;
}

#[tokio::test]
async fn the_contract_from_memory_to_file() {
    let (_kept, to) = directory();
    copier_conformance(&small_parts(), &Location::in_memory(), &to, PART).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_from_file_to_file() {
    let ((_kept, from), (_kept_too, to)) = (directory(), directory());
    copier_conformance(&small_parts(), &from, &to, PART).await;
}

#[test]
fn parts_are_equal_and_not_too_many() {
    const TIB: u64 = 1 << 40;
    assert_eq!(part_size(1, 8 << 20), 8 << 20);
    for size in [1, 7, 100, 80_000 << 20, 5 * TIB] {
        let part = part_size(size, 8 << 20);
        let parts: Vec<_> = ranges(size, part).collect();
        assert!(parts.len() as u64 <= MOST_PARTS, "{size}");
        assert_eq!(parts.iter().map(|range| range.end - range.start).sum::<u64>(), size);
        assert!(parts.windows(2).all(|two| two[0].end == two[1].start && two[0].end - two[0].start == part));
    }
}

/// A store in memory that misbehaves as told, and counts.
#[derive(Debug, Clone, Default)]
struct Faulty(Arc<Faults>);

#[derive(Debug, Default)]
struct Faults {
    store: InMemory,
    body: Mutex<Body>,
    /// Which part fails, counted from 1; 0: none.
    failing_part: AtomicUsize,
    parts: AtomicUsize,
    aborted: AtomicUsize,
    completed: AtomicUsize,
    /// How long a part takes.
    slow: Mutex<Duration>,
    /// Bytes sent out and not yet taken back in by a store that shares the counter.
    held: Arc<HeldObject>,
}

#[derive(Debug, Default)]
struct HeldObject {
    now: AtomicU64,
    peak: AtomicU64,
}

#[derive(Debug, Clone, Copy, Default)]
enum Body {
    #[default]
    Whole,
    Short,
    Stuck,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

impl Faulty {
    fn location(&self) -> Location {
        Location::with_store(Arc::new(self.clone()), Path::default(), Identity::Test)
    }

    fn counting_with(other: &Self) -> Self {
        Self(Arc::new(Faults { held: Arc::clone(&other.0.held), ..Faults::default() }))
    }

    fn is_body(&self, body: Body) -> bool {
        std::mem::discriminant(&*self.0.body.lock().expect("unpoisoned")) == std::mem::discriminant(&body)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.0.store.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.0.store.put_multipart_opts(location, opts).await?;
        Ok(Box::new(FaultyUpload(Arc::clone(&self.0), upload)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        let mut answer = self.0.store.get_opts(location, options).await?;
        if head {
            return Ok(answer);
        }
        let GetResultPayload::Stream(body) = answer.payload else { return Ok(answer) };
        let chunks: Vec<Bytes> = body.map(|chunk| chunk.expect("memory")).collect().await;
        let bytes = chunks.concat();
        let short = bytes.len() / 2;
        let body: BoxStream<'static, Result<Bytes>> = if self.is_body(Body::Short) {
            stream::iter([Ok(Bytes::from(bytes[..short].to_vec()))]).boxed()
        } else if self.is_body(Body::Stuck) {
            stream::iter([Ok(Bytes::from(bytes[..short].to_vec()))]).chain(stream::pending()).boxed()
        } else {
            let now = self.0.held.now.fetch_add(bytes.len() as u64, Ordering::SeqCst) + bytes.len() as u64;
            self.0.held.peak.fetch_max(now, Ordering::SeqCst);
            stream::iter([Ok(Bytes::from(bytes))]).boxed()
        };
        answer.payload = GetResultPayload::Stream(body);
        Ok(answer)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.store.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload(Arc<Faults>, Box<dyn MultipartUpload>);

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let faults = Arc::clone(&self.0);
        let length = data.content_length() as u64;
        let part = self.1.put_part(data);
        let number = self.0.parts.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            let slow = *faults.slow.lock().expect("unpoisoned");
            tokio::time::sleep(slow).await;
            if number == faults.failing_part.load(Ordering::SeqCst) {
                return Err(object_store::Error::Generic {
                    store: "faulty",
                    source: "status code: 503 Service Unavailable: SlowDown".into(),
                });
            }
            part.await?;
            faults.held.now.fetch_sub(length.min(faults.held.now.load(Ordering::SeqCst)), Ordering::SeqCst);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let put = self.1.complete().await?;
        self.0.completed.fetch_add(1, Ordering::SeqCst);
        Ok(put)
    }

    async fn abort(&mut self) -> Result<()> {
        self.0.aborted.fetch_add(1, Ordering::SeqCst);
        self.1.abort().await
    }
}

async fn request(from: &Location, to: &Location, size: u64) -> CopyRequest {
    let key = Key::parse("node/dbs/x.parquet").expect("a key");
    let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
    from.put(&key, bytes.into()).await.expect("put");
    let source = from.head(&key).await.expect("answers").expect("there");
    CopyRequest::new(from.clone(), source, to.clone())
}

async fn nothing_at(to: &Location) -> bool {
    to.list("").await.expect("listed").is_empty()
}

#[tokio::test]
async fn a_short_body_is_corrupt() {
    for size in [10, PART.0 * 3] {
        let from = Faulty::default();
        let to = Faulty::default();
        let request = request(&from.location(), &to.location(), size).await;
        *from.0.body.lock().expect("unpoisoned") = Body::Short;
        let error = small_parts().copy(&request, &CopyContext::default()).await.expect_err("short");
        assert_eq!((error.code(), error.is_retryable()), ("copy-corrupt", true));
        assert!(nothing_at(&to.location()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_stalled() {
    for size in [10, PART.0 * 3] {
        let from = Faulty::default();
        let to = Faulty::default();
        let request = request(&from.location(), &to.location(), size).await;
        *from.0.body.lock().expect("unpoisoned") = Body::Stuck;
        let began = tokio::time::Instant::now();
        let error = small_parts().copy(&request, &CopyContext::default()).await.expect_err("stuck");
        assert_eq!((error.code(), error.is_retryable()), ("stalled", true));
        assert_eq!(began.elapsed().as_secs(), 60);
        assert!(nothing_at(&to.location()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_limits_is_not_a_stall() {
    let from = Faulty::default();
    let to = Faulty::default();
    let request = request(&from.location(), &to.location(), PART.0 * 8).await;
    *to.0.slow.lock().expect("unpoisoned") = Duration::from_secs(59);
    let context = CopyContext {
        bandwidth: Bandwidth::per_second(ByteSize(PART.0 / 300)),
        memory: MemoryBudget::new(PART),
        ..CopyContext::default()
    };
    small_parts().copy(&request, &context).await.expect("slow, not stalled");
}

#[tokio::test]
async fn an_upload_that_fails_is_aborted_and_says_why() {
    let from = Faulty::default();
    let to = Faulty::default();
    let request = request(&from.location(), &to.location(), PART.0 * 9).await;
    to.0.failing_part.store(5, Ordering::SeqCst);
    let error = small_parts().copy(&request, &CopyContext::default()).await.expect_err("part 5 fails");
    assert_eq!(error.code(), "throttled");
    assert_eq!((to.0.aborted.load(Ordering::SeqCst), to.0.completed.load(Ordering::SeqCst)), (1, 0));
    assert!(nothing_at(&to.location()).await);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_dropped_is_aborted() {
    let from = Faulty::default();
    let to = Faulty::default();
    let request = request(&from.location(), &to.location(), PART.0 * 9).await;
    *to.0.slow.lock().expect("unpoisoned") = Duration::from_secs(10);
    let copier = small_parts();
    let context = CopyContext::default();
    let copy = copier.copy(&request, &context);
    assert!(tokio::time::timeout(Duration::from_secs(15), copy).await.is_err(), "it was under way");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(to.0.parts.load(Ordering::SeqCst) > 0);
    assert_eq!((to.0.aborted.load(Ordering::SeqCst), to.0.completed.load(Ordering::SeqCst)), (1, 0));
    assert!(nothing_at(&to.location()).await);
}

#[tokio::test(start_paused = true)]
async fn memory_never_exceeds_the_budget_and_is_used() {
    let from = Faulty::default();
    let to = Faulty::counting_with(&from);
    *to.0.slow.lock().expect("unpoisoned") = Duration::from_millis(5);
    let request = request(&from.location(), &to.location(), PART.0 * 20).await;
    let budget = 3 * PART.0;
    let context = CopyContext { memory: MemoryBudget::new(ByteSize(budget)), ..CopyContext::default() };
    let copier = small_parts();
    let copies = (0..4).map(|number| {
        let mut request = request.clone();
        request.target = Key::parse(format!("copy/{number}")).expect("a key");
        let copier = &copier;
        let context = &context;
        async move { copier.copy(&request, context).await }
    });
    for copied in futures::future::join_all(copies).await {
        assert_eq!(copied.expect("copied").content.size, PART.0 * 20);
    }
    let peak = from.0.held.peak.load(Ordering::SeqCst);
    assert_eq!(peak, budget, "bytes held at once");
}

#[tokio::test(start_paused = true)]
async fn the_bandwidth_limit_holds() {
    let from = Location::in_memory();
    let to = Location::in_memory();
    let request = request(&from, &to, PART.0 * 20).await;
    let context = CopyContext { bandwidth: Bandwidth::per_second(ByteSize(PART.0)), ..CopyContext::default() };
    let began = tokio::time::Instant::now();
    small_parts().copy(&request, &context).await.expect("copied");
    assert_eq!(began.elapsed().as_secs_f64().round(), 20.0);
}

#[tokio::test]
async fn metadata_is_kept_and_given() {
    let named = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    for size in [10, PART.0 * 3] {
        let from = Location::in_memory();
        let to = Location::in_memory();
        let again = Location::in_memory();
        let mut first = request(&from, &to, size).await;
        first.attributes = Some(named("x-meta-owner", "db"));
        let copied = small_parts().copy(&first, &CopyContext::default()).await.expect("copied");
        assert!(copied.attributes.is_empty(), "the source returned none");
        let source = to.head(&first.target).await.expect("answers").expect("there");
        let mut second = CopyRequest::new(to.clone(), source, again.clone());
        second.attributes = Some(named("x-meta-owner", "another"));
        let copied = small_parts().copy(&second, &CopyContext::default()).await.expect("copied");
        assert_eq!(copied.attributes, named("x-meta-owner", "db"), "the target was given them");
        let head = GetOptions { head: true, ..GetOptions::default() };
        let given = again.store().get_opts(&again.path(&first.target), head).await.expect("head").attributes;
        assert_eq!(crate::location::attributes_of(&given), named("x-meta-owner", "another"), "the manifest's count");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_refused_where_the_location_says_so() {
    let (kept, from) = directory();
    std::fs::write(kept.path().join("outside"), "secret").expect("written");
    std::os::unix::fs::symlink(kept.path().join("outside"), kept.path().join("link")).expect("linked");
    let key = Key::parse("link").expect("a key");
    let source = from.head(&key).await.expect("answers").expect("there");
    let refusing = from.with_links(crate::location::Links::Never);
    let to = Location::in_memory();
    let request = |from| CopyRequest::new(from, source.clone(), to.clone());
    let error = small_parts().copy(&request(refusing), &CopyContext::default()).await.expect_err("a link");
    assert!(!error.is_retryable());
    assert!(nothing_at(&to).await);
    small_parts().copy(&request(from), &CopyContext::default()).await.expect("followed");
}

/// Another process takes over when the source has been read.
#[tokio::test]
async fn nothing_is_written_once_another_process_may_have_taken_over() {
    for size in [100, 3 * PART.0] {
        let (from, to) = (Location::in_memory(), Location::in_memory());
        let mut request = request(&from, &to, size).await;
        let plan = FaultPlan::none();
        let store = FaultyStore::new(Arc::clone(from.store()), plan);
        request.from = from.through(|_| Arc::new(store.clone()));
        let seen = store.clone();
        request.to = to.fenced(Arc::new(OpenWhile(move || seen.count(Op::Get) == 0)));
        let copied = small_parts().copy(&request, &CopyContext::default()).await;
        assert!(matches!(copied, Err(CopyError::Cancelled)), "{copied:?}");
        assert!(store.count(Op::Get) > 0);
        assert!(to.list("").await.expect("listed").is_empty());
    }
}

/// A mount that has not stored a file yet gives it another time at each opening. A restore knows what it holds.
#[tokio::test]
async fn known_content_tells_more_than_the_time_of_a_file() {
    let copiers: [&dyn Copier; 2] = [&small_parts(), &LocalCopier::default()];
    for copier in copiers {
        for size in [100, 3 * PART.0 as usize] {
            let ((source, from), (_kept, to)) = (directory(), directory());
            let (path, bytes) = (source.path().join("x"), vec![1; size]);
            std::fs::write(&path, &bytes).expect("written");
            let key = Key::parse("x").expect("a key");
            let listed = from.head(&key).await.expect("answers").expect("there");
            let opened = std::fs::File::options().write(true).open(&path).expect("open");
            opened.set_modified(std::time::UNIX_EPOCH).expect("set");
            let request = CopyRequest::new(from, listed, to.clone());
            let copied = async |crc64| {
                let expect = Expect::size(size as u64).with_crc64(crc64);
                copier.copy(&request.clone().with_expect(expect), &CopyContext::default()).await
            };
            let known = Some(Crc64::of(&bytes));
            assert_eq!(copied(known).await.expect("the same content").content.crc64, known);
            assert_eq!(to.get(&key, None).await.expect("read").expect("there"), bytes);
            assert!(matches!(copied(None).await, Err(CopyError::Changed)), "nothing else tells");
            assert!(matches!(copied(Some(Crc64(7))).await, Err(CopyError::Unexpected { .. })), "other content");
            opened.set_len(size as u64 - 1).expect("cut");
            assert!(matches!(copied(known).await, Err(CopyError::Changed)), "another length");
        }
    }
}
