//! A store in memory that dies after a number of writes: the kill that no process survives.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};

#[derive(Debug, Clone)]
pub(super) struct Limited {
    inner: Arc<InMemory>,
    writes: Arc<AtomicU64>,
    allowed: Arc<AtomicU64>,
    kind: Arc<std::sync::Mutex<std::io::ErrorKind>>,
}

impl Default for Limited {
    fn default() -> Self {
        Self {
            inner: Arc::default(),
            writes: Arc::default(),
            allowed: Arc::new(AtomicU64::new(u64::MAX)),
            kind: Arc::new(std::sync::Mutex::new(std::io::ErrorKind::BrokenPipe)),
        }
    }
}

impl Limited {
    /// The store without the limit.
    pub(super) fn inner(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inner) as _
    }

    /// From now on, dies after this many writes: every operation fails from then on.
    pub(super) fn die_after(&self, writes: u64) {
        self.fail_after(writes, std::io::ErrorKind::BrokenPipe);
    }

    /// From now on, fails with this error after this many writes.
    pub(super) fn fail_after(&self, writes: u64, kind: std::io::ErrorKind) {
        self.writes.store(0, Ordering::SeqCst);
        self.allowed.store(writes, Ordering::SeqCst);
        *self.kind.lock().expect("no panic") = kind;
    }

    pub(super) fn live(&self) {
        self.die_after(u64::MAX);
    }

    /// Writes since the limit was last set.
    pub(super) fn written(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn error(&self) -> object_store::Error {
        let kind = *self.kind.lock().expect("no panic");
        if kind == std::io::ErrorKind::BrokenPipe {
            // The process is dead: nothing that passes by itself, so nothing is tried again.
            return object_store::Error::NotSupported { source: kind.to_string().into() };
        }
        object_store::Error::Generic { store: "limited", source: Box::new(std::io::Error::from(kind)) }
    }

    fn write(&self) -> Result<()> {
        let allowed = self.allowed.load(Ordering::SeqCst);
        if self.writes.fetch_add(1, Ordering::SeqCst) < allowed { Ok(()) } else { Err(self.error()) }
    }

    /// A store that died answers no reads either.
    fn read(&self) -> Result<()> {
        let dead = self.writes.load(Ordering::SeqCst) > self.allowed.load(Ordering::SeqCst);
        if dead { Err(self.error()) } else { Ok(()) }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("limited")
    }
}

#[async_trait]
impl ObjectStore for Limited {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.write()?;
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.write()?;
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.read()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |path: Path| {
            let store = store.clone();
            async move {
                store.write()?;
                store.inner.delete(&path).await.map(|()| path)
            }
        };
        locations.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.read() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => futures::stream::once(std::future::ready(Err(error))).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.read()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.write()?;
        self.inner.copy_opts(from, to, options).await
    }
}
