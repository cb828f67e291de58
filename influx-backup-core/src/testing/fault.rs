//! [`FaultyStore`]: an object store that fails the way real ones do, by a script or by a seed.
//!
//! A [`FaultPlan`] is a list of [`Rule`]s: *which* operations ([`Scope`]), *when* ([`When`]), *what* happens ([`Fault`]). The store
//! counts and logs every operation ([`Entry`]), so that a test can assert on what was done and repeat a run exactly: all chance comes
//! from the plan's seed, all waiting is `tokio::time::sleep` and so runs in virtual time where the test's clock is paused.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use influx_backup_core::testing::fault::{Failure, Fault, FaultPlan, FaultyStore, Op, Rule, Scope, When};
//! use object_store::memory::InMemory;
//!
//! let plan = FaultPlan::seeded(7)
//!     .with(Rule::new(Scope::of(Op::Get).below("node1/dbs"), When::Chance(0.1), Fault::Fail(Failure::Throttled)).at_most(3))
//!     .with(Rule::new(Scope::any(), When::Always, Fault::Delay(Duration::ZERO..Duration::from_millis(20))))
//!     .crash_after_writes(40);
//! let store = FaultyStore::new(Arc::new(InMemory::new()), plan);
//! assert!(store.log().is_empty());
//! ```

mod decay;
mod hold;
mod plan;
mod state;
mod stream;
#[cfg(test)]
mod tests;

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
pub use hold::Hold;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
    path::Path,
};
pub use plan::{Decay, Failure, Fault, FaultPlan, Op, Rule, Scope, When};
pub use state::{Entry, Outcome};
use state::{Gate, State, Verdict};

/// A store around another one that does to its operations what a [`FaultPlan`] says. Clones share plan, counters and log.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    state: Arc<State>,
}

impl FaultyStore {
    /// Puts `plan` between the caller and `inner`. Times in the plan count from now.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>, plan: FaultPlan) -> Self {
        Self { inner, state: Arc::new(State::new(plan)) }
    }

    /// The store behind, without faults.
    #[must_use]
    pub fn inner(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inner)
    }

    /// Every operation so far, in the order they began.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state.log()
    }

    /// How many operations of one kind began so far.
    #[must_use]
    pub fn count(&self, op: Op) -> usize {
        self.state.count(|entry| entry.op == op)
    }

    /// How many operations did not simply pass.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.state.count(|entry| entry.outcome != Outcome::Passed)
    }

    /// Whether the crash of the plan came: every operation fails since.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.state.has_crashed()
    }

    /// Ends all faults, a crash included: the plan is empty from now on. The log stays.
    pub fn heal(&self) {
        self.state.heal();
    }

    /// Which objects did not stay as they were written so far, and since when.
    #[must_use]
    pub fn decays(&self) -> Vec<(Duration, String)> {
        self.state.decays()
    }

    async fn begin(&self, op: Op, path: &Path, bytes: u64) -> Result<Gate> {
        State::begin(&self.state, op, path, bytes).await
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faulty({})", self.inner)
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, mut opts: PutOptions) -> Result<PutResult> {
        let gate = self.begin(Op::Put, location, payload.content_length() as u64).await?;
        let is_ignored = match opts.mode {
            PutMode::Create => gate.verdict.ignore_create_only,
            PutMode::Update(_) => gate.verdict.ignore_version,
            PutMode::Overwrite => false,
        };
        if is_ignored {
            opts.mode = PutMode::Overwrite;
        }
        let decay = gate.verdict.decay;
        let (inner, path, late) = (Arc::clone(&self.inner), location.clone(), gate.verdict.late);
        let put = carry_out(late, async move { inner.put_opts(&path, payload, opts).await }).await;
        if let (Ok(_), Some(decay)) = (&put, decay) {
            self.decay(location, decay).await;
        }
        gate.end(put).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let gate = self.begin(Op::MultipartStart, location, 0).await?;
        let upload = gate.end(self.inner.put_multipart_opts(location, opts).await).await?;
        Ok(Box::new(FaultyUpload { inner: upload, path: location.clone(), state: Arc::clone(&self.state) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let op = if options.head { Op::Head } else { Op::Get };
        let gate = self.begin(op, location, 0).await?;
        let verdict = gate.verdict.clone();
        let mut result = gate.end(self.inner.get_opts(location, options).await).await?;
        result.meta = self.state.dated(result.meta);
        Ok(if op == Op::Get && verdict.changes_body() { with_faulty_body(result, verdict) } else { result })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let gate = self.begin(Op::Get, location, 0).await?;
        let verdict = gate.verdict.clone();
        let mut parts = gate.end(self.inner.get_ranges(location, ranges).await).await?;
        if let Some(cut) = verdict.cut {
            for part in &mut parts {
                part.truncate(stream::cut_at(part.len() as u64, cut.fraction) as usize);
            }
            cut.error(location)?;
        }
        Ok(parts)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .and_then(move |path| {
                let store = store.clone();
                async move {
                    let gate = store.begin(Op::Delete, &path, 0).await?;
                    let (inner, late, deleted) = (Arc::clone(&store.inner), gate.verdict.late, path.clone());
                    let done = carry_out(late, async move { inner.delete(&deleted).await }).await;
                    gate.end(done).await.map(|()| path)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::list(self.clone(), prefix.cloned(), None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::list(self.clone(), prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let gate = self.begin(Op::List, prefix.unwrap_or(&Path::default()), 0).await?;
        let mut level = gate.end(self.inner.list_with_delimiter(prefix).await).await?;
        level.objects = level.objects.into_iter().map(|meta| self.state.dated(meta)).collect();
        Ok(level)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let gate = self.begin(Op::Copy, to, 0).await?;
        let decay = gate.verdict.decay;
        let copied = self.inner.copy_opts(from, to, options).await;
        if let (Ok(()), Some(decay)) = (&copied, decay) {
            self.decay(to, decay).await;
        }
        gate.end(copied).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let gate = self.begin(Op::Rename, to, 0).await?;
        gate.end(self.inner.rename_opts(from, to, options).await).await
    }
}

/// Carries out a request, after a while where it is `late`, and then also where the caller waits no longer.
async fn carry_out<T: Send + 'static>(
    late: Option<Duration>,
    request: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let Some(late) = late else { return request.await };
    let carried_out = tokio::spawn(async move {
        tokio::time::sleep(late).await;
        request.await
    });
    carried_out.await?
}

/// The answer with its size and range as the store promised them, and a body that does not keep the promise.
fn with_faulty_body(result: GetResult, verdict: Verdict) -> GetResult {
    let meta = result.meta.clone();
    let range = result.range.clone();
    let attributes = result.attributes.clone();
    let extensions = result.extensions.clone();
    let length = range.end - range.start;
    let body = stream::body(result.into_stream(), meta.location.clone(), length, verdict);
    GetResult { payload: GetResultPayload::Stream(body), meta, range, attributes, extensions }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    path: Path,
    state: Arc<State>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        // The part's place in the object is settled by the order of these calls, so the inner call comes before any waiting.
        let bytes = data.content_length() as u64;
        let part = self.inner.put_part(data);
        let state = Arc::clone(&self.state);
        let path = self.path.clone();
        Box::pin(async move {
            let gate = State::begin(&state, Op::Part, &path, bytes).await?;
            gate.end(part.await).await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let gate = State::begin(&self.state, Op::Complete, &self.path, 0).await?;
        gate.end(self.inner.complete().await).await
    }

    async fn abort(&mut self) -> Result<()> {
        let gate = State::begin(&self.state, Op::Abort, &self.path, 0).await?;
        gate.end(self.inner.abort().await).await
    }
}
