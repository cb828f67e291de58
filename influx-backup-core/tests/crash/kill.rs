//! Death at a chosen write: SIGKILL, which no destructor and no signal handler sees.

use std::{
    fmt,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use influx_backup_core::{
    Copier, Location,
    copier::{Copied, CopyContext, CopyRequest, LocalCopier},
    error::CopyError,
    location::interop::object_store::{
        CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
        PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, path::Path,
    },
    units::ByteSize,
};
use serde::{Deserialize, Serialize};

/// When, within a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Moment {
    /// Nothing of it is there.
    Before,
    /// A part of it lies under a staging name.
    Within,
    /// It is there, and its answer was lost.
    After,
}

impl Moment {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::Within, Self::After];
}

/// Counts writes, and kills this process at one of them.
#[derive(Debug)]
pub(crate) struct Killer {
    write: u64,
    moment: Moment,
    writes: AtomicU64,
}

impl Killer {
    /// Kills at the `write`-th write, counted from 1; never with 0.
    pub(crate) fn at(write: u64, moment: Moment) -> Arc<Self> {
        Arc::new(Self { write, moment, writes: AtomicU64::new(0) })
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// A write begins: the number that its other moments are told by.
    fn begin(&self) -> u64 {
        let write = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        self.pass(write, Moment::Before);
        write
    }

    fn pass(&self, write: u64, moment: Moment) {
        if self.is_due(write, moment) {
            kill();
        }
    }

    fn is_due(&self, write: u64, moment: Moment) -> bool {
        (self.write, self.moment) == (write, moment)
    }

    /// The same place, with this killer at every write of its store.
    pub(crate) fn through(self: &Arc<Self>, location: &Location) -> Location {
        location.through(|inner| Arc::new(KillingStore { inner, killer: Arc::clone(self) }))
    }

    /// The copier of files, with this killer at every copy and with a pause before each.
    pub(crate) fn copier(self: &Arc<Self>, pause: Duration) -> Arc<dyn Copier> {
        // Small blocks, so that every file is copied in several steps.
        let inner = LocalCopier::default().with_block(ByteSize(16));
        Arc::new(KillingCopier { inner, killer: Arc::clone(self), pause })
    }
}

/// Ends this process at once.
fn kill() -> ! {
    let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    // The signal is on its way, or never will be.
    std::thread::sleep(Duration::from_secs(10));
    panic!("this process survived its end: {killed:?}");
}

#[derive(Debug)]
struct KillingCopier {
    inner: LocalCopier,
    killer: Arc<Killer>,
    pause: Duration,
}

#[async_trait]
impl Copier for KillingCopier {
    async fn copy(&self, request: &CopyRequest, context: &CopyContext) -> std::result::Result<Copied, CopyError> {
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
        let write = self.killer.begin();
        let killer = Arc::clone(&self.killer);
        let mut context = context.clone();
        context.progress = Arc::new(move |_| killer.pass(write, Moment::Within));
        let copied = self.inner.copy(request, &context).await;
        self.killer.pass(write, Moment::After);
        copied
    }
}

/// A store of files whose writes may be the last thing that this process does.
#[derive(Debug)]
struct KillingStore {
    inner: Arc<dyn ObjectStore>,
    killer: Arc<Killer>,
}

impl fmt::Display for KillingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Killing({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for KillingStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let write = self.killer.begin();
        if self.killer.is_due(write, Moment::Within) {
            // As the store itself does it: half of the bytes, under a staging name.
            let path = PathBuf::from(format!("/{location}#1"));
            let bytes: Bytes = payload.into();
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            std::fs::write(path, &bytes[..bytes.len() / 2]).expect("written");
            kill();
        }
        let put = self.inner.put_opts(location, payload, options).await;
        self.killer.pass(write, Moment::After);
        put
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("files are copied by the local copier")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let inner = Arc::clone(&self.inner);
        let killer = Arc::clone(&self.killer);
        let delete = move |path: Result<Path>| {
            let inner = Arc::clone(&inner);
            let killer = Arc::clone(&killer);
            async move {
                let path = path?;
                let write = killer.begin();
                inner.delete(&path).await?;
                killer.pass(write, Moment::After);
                Ok(path)
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
