//! [`Hand`]: how one actor of a model touches the store; late, and sometimes for the last time.

use std::{ops::Range, sync::Arc, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

use super::World;

/// The process of an actor is dead.
#[derive(Debug)]
pub(super) struct Crashed;

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Create,
    Overwrite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Before,
    After,
}

#[derive(Debug)]
pub(super) struct Hand {
    pub(super) world: Arc<World>,
    pub(super) rng: StdRng,
    /// Operations left before the process dies.
    fuse: Option<u32>,
}

impl Hand {
    pub(super) fn new(world: Arc<World>, seed: u64) -> Self {
        Self { world, rng: StdRng::seed_from_u64(seed), fuse: None }
    }

    /// Writes an object; `stored` runs at the moment it is there, whether or not the actor lives to know it.
    pub(super) async fn put(
        &mut self,
        key: &str,
        bytes: Bytes,
        how: Write,
        stored: impl FnOnce() + Send,
    ) -> Result<(), Crashed> {
        let death = self.burn();
        let rest = self.delay().await;
        if death == Some(Death::Before) {
            return Err(Crashed);
        }
        let world = Arc::clone(&self.world);
        let path = Path::from(format!("{}{key}", world.prefix));
        loop {
            let mode = if how == Write::Create { PutMode::Create } else { PutMode::Overwrite };
            match world.store.put_opts(&path, bytes.clone().into(), PutOptions::from(mode)).await {
                Ok(_) => break world.history().objects.put(key, world.now(), bytes),
                Err(Error::AlreadyExists { .. }) => break,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
        world.puts.fetch_add(1, Ordering::SeqCst);
        stored();
        self.end(death, rest).await
    }

    /// Deletes an object; one that is gone already is fine.
    pub(super) async fn delete(&mut self, key: &str) -> Result<(), Crashed> {
        let death = self.burn();
        let rest = self.delay().await;
        if death == Some(Death::Before) {
            return Err(Crashed);
        }
        let world = Arc::clone(&self.world);
        let path = Path::from(format!("{}{key}", world.prefix));
        loop {
            match world.store.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => break world.history().objects.delete(key, world.now()),
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
        self.end(death, rest).await
    }

    /// Waits for a time from this range.
    pub(super) async fn pause(&mut self, range: Range<Duration>) {
        sleep(self.time_from(&range)).await;
    }

    /// The process will die within this many operations.
    pub(super) fn light_fuse(&mut self, operations: u32) {
        self.fuse.get_or_insert(operations);
    }

    fn burn(&mut self) -> Option<Death> {
        let left = self.fuse.as_mut()?;
        *left = left.saturating_sub(1);
        if *left > 0 {
            return None;
        }
        self.fuse = None;
        Some(if self.rng.random() { Death::Before } else { Death::After })
    }

    /// Waits a part of the latency and says how long the rest is.
    async fn delay(&mut self) -> Duration {
        let range = self.world.options.latency.clone();
        let total = self.time_from(&range);
        let before = total.mul_f64(self.rng.random());
        sleep(before).await;
        total - before
    }

    async fn end(&mut self, death: Option<Death>, rest: Duration) -> Result<(), Crashed> {
        if death.is_some() {
            return Err(Crashed);
        }
        sleep(rest).await;
        Ok(())
    }

    fn time_from(&mut self, range: &Range<Duration>) -> Duration {
        range.start + range.end.saturating_sub(range.start).mul_f64(self.rng.random())
    }
}
