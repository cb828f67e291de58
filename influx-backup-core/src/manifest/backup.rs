//! [`Backup`]: a committed backup, opened.

use std::sync::Arc;

use bytes::Bytes;

use super::{FORMAT, Manifest, RepositoryMarker, rules, segment};
use crate::{
    checksum::sha256,
    error::{Error, Result, StoreErrorKind},
    finding::{Finding, FindingCode},
    key::Key,
    layout::MANIFEST_KEY,
    lease::{Clock, LeaseScope, highest},
    location::{Links, Location},
    options::Vouch,
    read_limits,
    record::{AbsentRecord, BackupContents, ObjectRecord},
    table::{Reader, Table},
    versioned,
};

/// A committed backup: its manifest and its object list, checked against their checksums. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backup {
    repository: Location,
    location: Location,
    pub(super) opened: Arc<Opened>,
}

/// What was read of it.
#[derive(Debug)]
pub(super) struct Opened {
    name: String,
    manifest: Manifest,
    /// The bytes that the manifest was parsed from.
    pub(super) root: Bytes,
    sha256: String,
    pub(super) objects: Table<ObjectRecord>,
    absent: Table<AbsentRecord>,
}

impl Backup {
    /// Opens the committed backup `name` of a repository and checks its object list.
    ///
    /// # Errors
    /// [`Error::BackupNotFound`] where nothing is committed under this name, [`Error::DamagedBackup`],
    /// [`Error::UnsupportedFormat`], [`Error::Store`].
    pub async fn open(repository: &Location, name: &str) -> Result<Self> {
        Self::open_vouched(repository, name, &Vouch::default()).await
    }

    /// The same, of a backup that something vouches for.
    ///
    /// # Errors
    /// As for [`Backup::open`], and [`Error::UntrustedBackup`].
    pub(crate) async fn open_vouched(repository: &Location, name: &str, vouch: &Vouch) -> Result<Self> {
        let location = repository.child(name)?;
        Self::read_at(repository, &location, name, vouch).await.map_err(|error| error.in_backup(&location))
    }

    /// Opens the committed backup at `location` itself. Its repository is the location above it, where that has the marker
    /// of one; else the backup's bytes must all be its own.
    ///
    /// # Errors
    /// As for [`Backup::open`].
    pub async fn at(location: &Location) -> Result<Self> {
        Self::at_vouched(location, &Vouch::default()).await
    }

    /// The same, of a backup that something vouches for.
    ///
    /// # Errors
    /// As for [`Backup::open`], and [`Error::UntrustedBackup`].
    pub(crate) async fn at_vouched(location: &Location, vouch: &Vouch) -> Result<Self> {
        let repository = repository_of(location).await?;
        let opened = Self::read_at(&repository, location, &location.to_string(), vouch).await;
        opened.map_err(|error| error.in_backup(location))
    }

    async fn read_at(repository: &Location, location: &Location, name: &str, vouch: &Vouch) -> Result<Self> {
        let location = location.with_links(Links::Never);
        let Some(root) = read_root(&location).await? else {
            let found = uncommitted(&location).await?;
            return Err(Error::BackupNotFound { name: name.to_owned(), repository: repository.to_string(), found });
        };
        vouch.require_root(name, &location, &root).await?;
        let manifest = parse_manifest(&root)?;
        let objects = segment::read_all(&location, &manifest.objects).await?;
        let absent = segment::read_all(&location, &manifest.absent).await?.rows;
        rules::check(&manifest, &objects)?;
        let objects = objects.rows;
        vouch.require_checksums(name, &objects)?;
        let name = location.name().unwrap_or(&manifest.name).to_owned();
        let repository = repository.clone();
        let sha256 = sha256(&root);
        let opened = Arc::new(Opened { name, manifest, root, sha256, objects, absent });
        Ok(Self { repository, location, opened })
    }

    /// The same backup, read by a job: `place` says within which limits, and who counts and notes.
    pub(crate) fn read_by(&self, place: impl Fn(&Location) -> Location) -> Self {
        let repository = place(&self.repository);
        let location = place(&self.location);
        Self { repository, location, opened: Arc::clone(&self.opened) }
    }

    /// What the backup holds.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.opened.manifest
    }

    /// Its name: that of the place where it lies. It was taken as [`Manifest::name`], which differs where the backup was
    /// moved or copied since.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.opened.name
    }

    /// What to look at, where the backup lies under another name than it was taken as.
    pub(crate) fn rename(&self) -> Option<Finding> {
        let Opened { name, manifest, .. } = &*self.opened;
        let message =
            format!("the backup was taken as `{}` and is `{name}` now: it was renamed or copied", manifest.name);
        (*name != manifest.name).then(|| Finding::new(FindingCode::RenamedBackup, message))
    }

    /// Where it lies. Links inside it are refused.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The repository it lies in.
    #[must_use]
    pub fn repository(&self) -> &Location {
        &self.repository
    }

    /// SHA-256 of the root manifest: keep it elsewhere, and no change of the backup goes unnoticed.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.opened.sha256
    }

    /// Every object, sorted by key.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = ObjectRecord> {
        self.opened.objects.iter()
    }

    /// For looking up many objects in the order of their keys.
    pub(crate) fn reader(&self) -> Reader<'_, ObjectRecord> {
        self.opened.objects.reader()
    }

    /// What it holds, as planning needs it.
    #[must_use]
    pub fn contents(&self) -> BackupContents<'_> {
        let Opened { name, manifest, sha256, objects, .. } = &*self.opened;
        BackupContents {
            name,
            manifest_sha256: sha256,
            status: manifest.status,
            cluster: &manifest.cluster,
            certificate: &manifest.certificate,
            objects,
        }
    }

    /// The object of this key, or `None` where the backup has none.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<ObjectRecord> {
        self.opened.objects.get(key.as_str())
    }

    /// The object of this key, which the manifest has to name.
    ///
    /// # Errors
    /// [`Error::DamagedBackup`].
    pub(crate) fn require_object(&self, key: &Key) -> Result<ObjectRecord> {
        self.object(key).ok_or_else(|| not_named(key))
    }

    /// Checks that the backup is still where it was opened: where its volume was unmounted, its bucket or itself deleted since,
    /// nothing that is missing says that it is damaged.
    ///
    /// # Errors
    /// [`Error::LocationNotFound`], [`Error::Store`].
    pub(crate) async fn require_there(&self) -> Result<()> {
        match self.location().head(&Key::parse(MANIFEST_KEY)?).await? {
            Some(_) => Ok(()),
            None => Err(Error::LocationNotFound { location: self.location().to_string() }),
        }
    }

    /// Live files that neither the backup nor the source had.
    pub fn absent(&self) -> impl ExactSizeIterator<Item = AbsentRecord> {
        self.opened.absent.iter()
    }

    /// The same, as a table.
    pub(crate) fn absent_table(&self) -> &Table<AbsentRecord> {
        &self.opened.absent
    }
}

/// An object that has to be in the backup.
pub(crate) fn not_named(key: &Key) -> Error {
    Error::damaged(key, "the manifest does not name it")
}

/// The repository that a backup lies in, or the backup itself where that is not known.
async fn repository_of(backup: &Location) -> Result<Location> {
    let Some(parent) = backup.parent() else { return Ok(backup.clone()) };
    match RepositoryMarker::is_there(&parent).await {
        Ok(true) => Ok(parent),
        // The caller's rights may end at the backup itself.
        Ok(false) | Err(Error::Store { kind: StoreErrorKind::Denied, .. }) => Ok(backup.clone()),
        Err(error) => Err(error),
    }
}

/// What is at `location`, where nothing was committed.
async fn uncommitted(location: &Location) -> Result<String> {
    if !location.exists().await? {
        return Ok("nothing has this name".to_owned());
    }
    match highest(location, &LeaseScope::Backup(String::new()), Clock::Local).await? {
        Some(state) if state.is_held() => return Ok(format!("it is being written by {}", state.file)),
        Some(_) => return Ok("it was begun and never committed: resume it".to_owned()),
        None => {}
    }
    let directories = match location.list_names("").await {
        Err(error) if error.is_refused_look() => Vec::new(),
        level => level?.directories,
    };
    for name in directories {
        let Ok(manifest) = Key::parse(format!("{name}/{MANIFEST_KEY}")) else { continue };
        match location.head(&manifest).await {
            Ok(Some(_)) => {
                return Ok(format!("this is a repository of backups: give one of them, such as `{location}/{name}`"));
            }
            Ok(None) => {}
            Err(error) if error.is_refused_look() => {}
            Err(error) => return Err(error),
        }
    }
    Ok("there is something of this name that is not a backup".to_owned())
}

/// The root manifest of the backup at `location`, or `None` where nothing was committed.
pub(crate) async fn read_manifest(name: &str, location: &Location, vouch: &Vouch) -> Result<Option<Manifest>> {
    let Some(root) = read_root(location).await? else { return Ok(None) };
    vouch.require_root(name, location, &root).await?;
    parse_manifest(&root).map(Some)
}

async fn read_root(location: &Location) -> Result<Option<Bytes>> {
    let found = location.get_within(&Key::parse(MANIFEST_KEY)?, read_limits::MANIFEST).await?;
    found.transpose().map_err(|large| Error::damaged(MANIFEST_KEY, large.to_string()))
}

/// Reads a root manifest, as far as the root alone can be checked.
pub(crate) fn parse_manifest(bytes: &[u8]) -> Result<Manifest> {
    let manifest = versioned::parse(bytes, MANIFEST_KEY, FORMAT)?;
    rules::check_root(&manifest)?;
    Ok(manifest)
}
