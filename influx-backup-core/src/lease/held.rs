//! [`HeldLease`]: what this process writes for a lease that it holds.

use std::{
    io,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use chrono::Utc;
use tokio::{sync::watch, time::Instant};

use super::{
    LeaseScope,
    heartbeat::LONGEST_RENEWAL,
    state::{Clock, LeaseFile, LeaseState, all_highest, most_alive},
};
use crate::{
    error::{Error, Result, StoreErrorKind},
    key::Key,
    location::{Attributes, Location, Writers},
};

/// How often a lease is released again that a renewal has replaced meanwhile.
const RELEASE_ATTEMPTS: u32 = 3;

/// A lease of this process, as the store has it.
#[derive(Debug, Clone)]
pub(super) struct HeldLease {
    pub(super) location: Location,
    pub(super) scope: LeaseScope,
    pub(super) number: u64,
    pub(super) file: LeaseFile,
}

/// Until when a renewal may arrive that was sent without a condition. One that has a condition does nothing once the lease
/// was written again, or removed.
pub(super) type LateRenewal = watch::Sender<Option<Instant>>;

impl HeldLease {
    /// The error that another process was quicker.
    pub(super) async fn refused(&self) -> Result<Error> {
        let holder = most_alive(all_highest(&self.location, &self.scope, Clock::Local).await?);
        Ok(self.scope.held(&self.location, holder.as_ref()))
    }

    /// Where it lies.
    pub(super) fn key(&self) -> Result<Key> {
        match self.location.writers() {
            Writers::Several => self.scope.key(self.number),
            Writers::Single => self.scope.own_key(self.number, &self.file.owner),
        }
    }

    /// Checks that no other process took over. Returns what the store has.
    pub(super) async fn check(&self) -> Result<LeaseState> {
        let mut leases = all_highest(&self.location, &self.scope, Clock::Local).await?;
        let is_own = |state: &LeaseState| state.number == self.number && state.file.owner == self.file.owner;
        match leases.iter().position(is_own) {
            Some(own) => Ok(leases.swap_remove(own)),
            None => Err(self.scope.taken_over(&self.location, most_alive(leases).as_ref())),
        }
    }

    pub(super) async fn create(&self) -> Result<()> {
        self.location.create(&self.key()?, bytes(&self.file)?).await?;
        Ok(())
    }

    /// Creates it after `before`. A full disk takes it in the file of that one: what frees the disk needs a lease, too.
    pub(super) async fn create_after(&self, before: Option<&LeaseState>) -> Result<()> {
        match (self.create().await, before) {
            (Err(full @ Error::Store { kind: StoreErrorKind::Full, .. }), Some(before))
                if self.location.directory().is_some() =>
            {
                self.reuse(before, full).await
            }
            (created, _) => created,
        }
    }

    async fn reuse(&self, before: &LeaseState, full: Error) -> Result<()> {
        let of_before = Self { number: before.number, file: before.file.clone(), ..self.clone() };
        let exists = || Error::io("put", "", &self.location, io::ErrorKind::AlreadyExists.into());
        match self.location.reuse(&of_before.key()?, &self.key()?, bytes(&self.file)?).await {
            Err(Error::Store { kind: StoreErrorKind::AlreadyExists | StoreErrorKind::NotFound, .. }) => Err(exists()),
            Err(_) => Err(full),
            // Until it had its own bytes, it looked as free as the one before.
            Ok(()) => match self.check().await {
                Err(Error::LeaseLost { .. }) => Err(exists()),
                checked => checked.map(drop),
            },
        }
    }

    /// Writes the lease again, unless another process took over: that one may be done already, and have removed all leases.
    pub(super) async fn renew(&self, late: &LateRenewal) -> Result<()> {
        let found = self.check().await?;
        let key = self.key()?;
        let bytes = bytes(&LeaseFile { renewed: Some(Utc::now()), ..self.file.clone() })?;
        let none = Attributes::new();
        match self.location.replace_conditionally(&key, &bytes, &none, &found.version).await {
            Err(Error::Store { kind: StoreErrorKind::Unsupported, .. }) => {}
            done => return done.map(drop),
        }
        // It stays where this is dropped, or does not know what became of the request.
        let before = late.send_replace(Some(Instant::now() + LONGEST_RENEWAL));
        let done = self.location.put(&key, bytes).await;
        if !done.as_ref().is_err_and(Error::is_retryable) {
            late.send_replace(before);
        }
        done.map(drop)
    }

    /// Marks the lease as given up, unless another process took over.
    pub(super) async fn release(&self) -> Result<()> {
        let mut attempts = 1;
        loop {
            match self.replace(LeaseFile { released: Some(Utc::now()), ..self.file.clone() }).await {
                Err(Error::Store { kind: StoreErrorKind::Changed, .. }) if attempts < RELEASE_ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    }

    /// Takes the next number for a lease that is given up, unless another process took over. What arrives late under the
    /// numbers before has no effect then.
    pub(super) async fn release_under_next_number(&mut self) -> Result<()> {
        self.check().await?;
        self.number += 1;
        self.file.released = Some(Utc::now());
        self.create().await
    }

    /// The condition on what the store has makes the store refuse the request if it arrives after the next.
    async fn replace(&self, file: LeaseFile) -> Result<()> {
        let found = self.check().await?;
        let key = self.key()?;
        self.location.replace(&key, &bytes(&file)?, &Attributes::new(), &found.version).await?;
        Ok(())
    }

    /// Makes the lease look long silent. A full disk, which takes no bytes, takes this.
    pub(super) fn expire(&self) {
        if let (Some(_), Ok(key)) = (self.location.directory(), self.key()) {
            // Best effort: where it fails, silence has the same effect later.
            let _ = self.location.date(&key, SystemTime::UNIX_EPOCH);
        }
    }

    /// The error that it could not be renewed for so long.
    pub(super) fn not_renewed(&self, age: Duration) -> Error {
        Error::LeaseNotRenewed { lease: self.scope.subject(&self.location), age }
    }
}

fn bytes(file: &LeaseFile) -> Result<Bytes> {
    let json = serde_json::to_vec(file);
    json.map(Bytes::from).map_err(|source| Error::Internal { task: "lease", source: Box::new(source) })
}
