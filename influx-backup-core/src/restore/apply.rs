//! Owner, permissions and times of restored files. Object stores know none of them.

use std::{
    fs::{self, File, Metadata},
    io,
    ops::AddAssign,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::directories::between;
use crate::{
    error::{Error, Refused, Result},
    finding::{Finding, FindingCode},
    key::Key,
    location::{Directory, Location, Made, nearest_existing, open_file},
    options::{Account, Modes, Owner, Ownership},
};

/// Owner and modes of restored files, as numbers: names are looked up, defaults come from the target directory, or
/// where the restore makes that from the one above it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Applied {
    user: Option<u32>,
    group: Option<u32>,
    files: Option<u32>,
    directories: Option<u32>,
    on_refused_owner: OnRefused,
    on_refused_mode: OnRefused,
}

/// What to do where the file system refuses an owner or a mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum OnRefused {
    /// Files stay as they are made: it was taken from the target directory, which may be another user's.
    #[default]
    Keep,
    /// It fails: the caller has asked for it.
    Fail,
}

/// How many files and directories did not get the owner or the mode of the target directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NotKept {
    pub(super) owners: u64,
    pub(super) modes: u64,
}

impl AddAssign for NotKept {
    fn add_assign(&mut self, other: Self) {
        self.owners += other.owners;
        self.modes += other.modes;
    }
}

impl NotKept {
    /// One note for all of them.
    pub(super) fn finding(self) -> Option<Finding> {
        let what = match (self.owners, self.modes) {
            (0, 0) => return None,
            (owners, 0) => format!("{owners} files and directories have another owner or group than"),
            (0, modes) => format!("{modes} files and directories have other permissions than"),
            (owners, modes) => format!(
                "{owners} files and directories have another owner or group, and {modes} other permissions, than"
            ),
        };
        let message = format!(
            "{what} the target directory, as this process may not set them: check that the servers may write there, or \
             restore as the user that they run as"
        );
        Some(Finding::new(FindingCode::OwnerNotKept, message))
    }
}

impl Applied {
    /// The numbers for this target.
    pub(super) fn at(target: &Location, ownership: &Ownership) -> Result<Self> {
        let Some(directory) = target.directory() else { return Ok(Self::default()) };
        let of_target = match fs::metadata(directory) {
            Ok(metadata) => of_directory(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => of_missing(directory),
            Err(error) => return Err(Error::io("head", "", target, error)),
        };
        let (user, group) = match &ownership.owner {
            Owner::Inherit => (of_target.user, of_target.group),
            Owner::ProcessDefault => (None, None),
            Owner::Explicit { user, group } => numbers(user, group.as_ref())?,
        };
        let (files, directories) = match ownership.modes {
            Modes::Inherit => (of_target.files, of_target.directories),
            Modes::ProcessDefault => (None, None),
            Modes::Explicit { files, directories } => (Some(files), Some(directories)),
        };
        let on_refused_owner = match ownership.owner {
            Owner::Explicit { .. } => OnRefused::Fail,
            Owner::Inherit | Owner::ProcessDefault => OnRefused::Keep,
        };
        let on_refused_mode = match ownership.modes {
            Modes::Explicit { .. } => OnRefused::Fail,
            Modes::Inherit | Modes::ProcessDefault => OnRefused::Keep,
        };
        Ok(Self { user, group, files, directories, on_refused_owner, on_refused_mode })
    }

    /// How files and directories are made at the target. Directories are the restore's alone while it writes to them.
    pub(super) fn made(&self) -> Made {
        let directories = self.directories.map(|mode| mode | 0o700);
        Made { files: self.files, directories, user: self.user, group: self.group }
    }

    /// Applies them to restored files, with the time at which each was last modified in the source, and to the
    /// directories that they lie in below the target. The files are sorted. Returns what the file system refused, of what was not
    /// asked for.
    pub(super) async fn to_all(
        &self,
        target: &Location,
        files: impl IntoIterator<Item = (Key, Option<SystemTime>)> + Send + 'static,
    ) -> Result<NotKept> {
        if target.directory().is_none() {
            return Ok(NotKept::default());
        }
        let applied = self.clone();
        let place = target.clone();
        let work = move || {
            let mut not_kept = NotKept::default();
            // A directory may lose its own write permission only when all below it is done.
            let leave = |from: &Key, to: &str| -> Result<NotKept> {
                let mut not_kept = NotKept::default();
                for path in between(from.as_str(), to).filter_map(|directory| place.file_path(directory)) {
                    not_kept += applied.to_directory(&path)?;
                }
                Ok(not_kept)
            };
            let mut before: Option<Key> = None;
            for (key, modified) in files {
                if let Some(before) = &before {
                    not_kept += leave(before, key.as_str())?;
                }
                not_kept += applied.to_file(&place, &key, modified)?;
                before = Some(key);
            }
            if let Some(last) = &before {
                not_kept += leave(last, "")?;
            }
            Ok(not_kept)
        };
        blocking(work).await
    }

    /// Applies them to directories that the restore made: the target's own, and those above it.
    pub(super) fn to_made(&self, directories: &[PathBuf]) -> Result<()> {
        directories.iter().try_for_each(|directory| self.to_directory(directory).map(drop))
    }

    /// Applies them to the target's own directory, which the restore made.
    pub(super) fn to_target(&self, target: &Location) -> Result<NotKept> {
        target.directory().map_or(Ok(NotKept::default()), |directory| self.to_directory(directory))
    }

    /// Applies them to one restored file, whose directories have them.
    pub(super) async fn to_one(&self, target: &Location, key: &Key, modified: SystemTime) -> Result<NotKept> {
        if target.directory().is_none() {
            return Ok(NotKept::default());
        }
        let (applied, place, key) = (self.clone(), target.clone(), key.clone());
        blocking(move || applied.to_file(&place, &key, Some(modified))).await
    }

    /// Checks that what the caller asked for can be set on the directories above these keys that are there already: their
    /// owner may, and root.
    #[cfg(unix)]
    pub(super) fn check_existing(&self, target: &Location, keys: impl Iterator<Item = Key>) -> Result<()> {
        use std::os::unix::fs::MetadataExt;
        let process = nix::unistd::Uid::effective();
        let Some(root) = target.directory().filter(|_| !process.is_root()) else { return Ok(()) };
        let mut before: Option<Key> = None;
        for key in keys {
            for directory in between(key.as_str(), before.as_ref().map_or("", Key::as_str)) {
                let directory = root.join(directory);
                let Ok(found) = fs::metadata(&directory) else { continue };
                let is_other = |wanted: Option<u32>, found: u32| wanted.is_some_and(|wanted| wanted != found);
                let owner = is_other(self.user, found.uid()) || is_other(self.group, found.gid());
                let mode = is_other(self.directories, found.mode() & 0o7777);
                let is_asked_for = owner && self.on_refused_owner == OnRefused::Fail
                    || mode && self.on_refused_mode == OnRefused::Fail;
                if is_asked_for && found.uid() != process.as_raw() {
                    let source = io::Error::from(rustix::io::Errno::PERM);
                    return Err(Error::Ownership { path: directory.display().to_string(), source });
                }
            }
            before = Some(key);
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(super) fn check_existing(&self, _target: &Location, _keys: impl Iterator<Item = Key>) -> Result<()> {
        Ok(())
    }

    /// Applies them to one file.
    pub(super) fn to_file(&self, place: &Location, key: &Key, modified: Option<SystemTime>) -> Result<NotKept> {
        let path = place.file_path(key.as_str()).unwrap_or_default();
        let has_time = |found: &Metadata, modified| found.modified().is_ok_and(|found| found == modified);
        let is_set = |found: Metadata| {
            found.is_file() && modified.is_none_or(|time| has_time(&found, time)) && self.is_set(&found, self.files)
        };
        // Most have all of it since they were written: one look by their path shows that. A link that somebody puts on the path could
        // only hide what differs: nothing is changed through it, and the listing afterwards does not find what was restored.
        if fs::symlink_metadata(&path).is_ok_and(is_set) {
            return Ok(NotKept::default());
        }
        let set = || {
            let file = open_file(&path)?;
            let found = file.metadata()?;
            if let Some(modified) = modified.filter(|modified| !has_time(&found, *modified)) {
                place.set_modified(&file, modified)?;
            }
            self.set(&file, &found, self.files)
        };
        set().map_err(|error| failed(&path, error))
    }

    fn to_directory(&self, path: &Path) -> Result<NotKept> {
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && self.is_set(&found, self.directories)) {
            return Ok(NotKept::default());
        }
        let set = || {
            let directory = Directory::open(path)?.as_file()?;
            self.set(&directory, &directory.metadata()?, self.directories)
        };
        set().map_err(|error| failed(path, error))
    }

    /// Whether a file or directory has this owner and this mode already.
    #[cfg(unix)]
    fn is_set(&self, found: &Metadata, mode: Option<u32>) -> bool {
        use std::os::unix::fs::MetadataExt;
        let has = |wanted: Option<u32>, found: u32| wanted.is_none_or(|wanted| wanted == found);
        has(self.user, found.uid()) && has(self.group, found.gid()) && has(mode, found.mode() & 0o7777)
    }

    #[cfg(not(unix))]
    fn is_set(&self, _found: &Metadata, _mode: Option<u32>) -> bool {
        true
    }

    /// Sets only what differs: no right is needed where nothing changes.
    #[cfg(unix)]
    fn set(&self, file: &File, found: &Metadata, mode: Option<u32>) -> io::Result<NotKept> {
        use std::{
            fs::Permissions,
            os::unix::fs::{MetadataExt, PermissionsExt, fchown},
        };
        let mut not_kept = NotKept::default();
        let user = self.user.filter(|user| *user != found.uid());
        let group = self.group.filter(|group| *group != found.gid());
        let is_given = user.is_some() || group.is_some();
        if is_given {
            require_one_name(found)?;
            let given = self.on_refused_owner.is_given(fchown(file, user, group))?;
            if !given && user.is_some() && group.is_some() {
                // A user may give files to another group of its own.
                self.on_refused_owner.is_given(fchown(file, None, group))?;
            }
            not_kept.owners += u64::from(!given);
        }
        // Read again: to change the owner can clear bits.
        let now = if is_given { file.metadata()?.mode() } else { found.mode() };
        if let Some(mode) = mode.filter(|mode| *mode != now & 0o7777) {
            require_one_name(found)?;
            let set = file.set_permissions(Permissions::from_mode(mode));
            not_kept.modes += u64::from(!self.on_refused_mode.is_given(set)?);
        }
        Ok(not_kept)
    }

    #[cfg(not(unix))]
    fn set(&self, _file: &File, _found: &Metadata, _mode: Option<u32>) -> io::Result<NotKept> {
        Ok(NotKept::default())
    }
}

/// A file that has another name may be another user's, who gave it this one.
#[cfg(unix)]
fn require_one_name(found: &Metadata) -> io::Result<()> {
    match std::os::unix::fs::MetadataExt::nlink(found) {
        names if found.is_file() && names > 1 => Err(io::Error::other("the file has several names (hard links)")),
        _ => Ok(()),
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    match Refused::of(&source) {
        Some(refused) => refused.into(),
        None => Error::Ownership { path: path.display().to_string(), source },
    }
}

async fn blocking(work: impl FnOnce() -> Result<NotKept> + Send + 'static) -> Result<NotKept> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|source| Err(Error::Internal { task: "owner and mode", source: Box::new(source) }))
}

impl OnRefused {
    /// Whether it was set; an error where that is one.
    #[cfg(unix)]
    fn is_given(self, set: io::Result<()>) -> io::Result<bool> {
        match set {
            Err(error) if self == Self::Keep && is_refusal(&error) => Ok(false),
            set => set.map(|()| true),
        }
    }
}

/// What file systems answer to an owner or a mode that they do not set: another user's, NFS with squashed users, FUSE, FAT,
/// SMB, and `EINVAL` where the number is not mapped in a user namespace.
#[cfg(unix)]
fn is_refusal(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let refusals = [Errno::PERM, Errno::ACCESS, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP];
    Errno::from_io_error(error).is_some_and(|errno| refusals.contains(&errno))
}

#[cfg(unix)]
fn of_directory(metadata: &fs::Metadata) -> Applied {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    // Whoever set the bit wants the group of the directory on all that is made below it.
    let set_gid = metadata.mode() & 0o2000;
    Applied {
        user: Some(metadata.uid()),
        group: Some(metadata.gid()),
        files: Some(mode & 0o666),
        directories: Some(mode | set_gid),
        ..Applied::default()
    }
}

/// Those of a directory that is not there yet: its owner is that of the nearest one above it, unless that is everyone's, as `/tmp`
/// is. What it holds is for that owner alone, and for the group where whoever set the bit on the one above wants that.
fn of_missing(directory: &Path) -> Applied {
    let found = fs::metadata(nearest_existing(directory)).ok();
    let above = found.filter(|found| !is_everyones(found)).as_ref().map(of_directory).unwrap_or_default();
    let is_groups = above.directories.is_some_and(|mode| mode & 0o2000 != 0);
    let (files, directories) = match (above.files, above.directories) {
        (Some(files), Some(directories)) if is_groups => (Some(files & 0o660), Some(directories & 0o2770)),
        _ => (Made::PRIVATE.files, Made::PRIVATE.directories),
    };
    Applied { files, directories, ..above }
}

/// Whether everyone may write to a directory.
#[cfg(unix)]
fn is_everyones(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o1002 != 0
}

#[cfg(not(unix))]
fn is_everyones(_metadata: &fs::Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn of_directory(_metadata: &fs::Metadata) -> Applied {
    Applied::default()
}

#[cfg(unix)]
fn numbers(user: &Account, group: Option<&Account>) -> Result<(Option<u32>, Option<u32>)> {
    use nix::unistd::{Group, User};
    let unknown = |account: &Account| {
        Error::invalid_request("ownership.owner", format!("unknown user or group `{account}`: give its number"))
    };
    let (uid, own_group) = match user {
        Account::Number(number) => (*number, *number),
        Account::Name(name) => {
            let found = User::from_name(name).ok().flatten().ok_or_else(|| unknown(user))?;
            (found.uid.as_raw(), found.gid.as_raw())
        }
    };
    let gid = match group {
        None => own_group,
        Some(Account::Number(number)) => *number,
        Some(account @ Account::Name(name)) => {
            Group::from_name(name).ok().flatten().ok_or_else(|| unknown(account))?.gid.as_raw()
        }
    };
    Ok((Some(uid), Some(gid)))
}

#[cfg(not(unix))]
fn numbers(_user: &Account, _group: Option<&Account>) -> Result<(Option<u32>, Option<u32>)> {
    Err(Error::invalid_request("ownership.owner", "owners are not supported on this system"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;
    use crate::location::StoreOptions;

    fn place(path: &Path) -> Location {
        Location::parse(&path.display().to_string(), &StoreOptions::default()).expect("a place")
    }

    #[tokio::test]
    async fn files_get_time_and_modes_and_so_do_their_directories() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("node1/wal")).expect("made");
        fs::write(root.path().join("node1/wal/1.wal"), b"x").expect("written");
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o750)).expect("set");
        let applied = Applied::at(&place(root.path()), &Ownership::default()).expect("asked");
        let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let files = vec![(Key::parse("node1/wal/1.wal").expect("a key"), Some(then))];
        applied.to_all(&place(root.path()), files).await.expect("applied");
        let of = |path: &str| fs::metadata(root.path().join(path)).expect("there");
        assert_eq!(of("node1/wal/1.wal").modified().expect("a time"), then);
        assert_eq!(of("node1/wal/1.wal").mode() & 0o7777, 0o640);
        assert_eq!(of("node1/wal").mode() & 0o7777, 0o750);
        assert_eq!(of("node1").mode() & 0o7777, 0o750);
    }

    #[test]
    fn owners_are_looked_up() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |owner: &str| {
            let owner = owner.parse().expect("an owner");
            Applied::at(&place(root.path()), &Ownership::process_default().with_owner(owner))
        };
        let root_user = at("root").expect("every machine knows root");
        assert_eq!((root_user.user, root_user.group, root_user.files), (Some(0), Some(0), None));
        assert_eq!(at("1500").expect("a number").group, Some(1500));
        assert_eq!(at("no-such-user-here").expect_err("unknown").code(), "invalid-request");
    }

    #[test]
    fn what_is_refused_is_counted_or_fails() {
        let refused = || Err(io::Error::from(rustix::io::Errno::PERM));
        assert!(!OnRefused::Keep.is_given(refused()).expect("kept"));
        OnRefused::Fail.is_given(refused()).expect_err("asked for");
        OnRefused::Keep.is_given(Err(io::Error::from(rustix::io::Errno::NOENT))).expect_err("another error");
        assert!(OnRefused::Fail.is_given(Ok(())).expect("set"));
        assert_eq!(NotKept::default().finding(), None);
        let mut not_kept = NotKept { owners: 2, modes: 0 };
        not_kept += NotKept { owners: 1, modes: 4 };
        let finding = not_kept.finding().expect("a finding");
        assert_eq!(finding.code, FindingCode::OwnerNotKept);
        assert!(finding.message.starts_with("3 files and directories have another owner or group, and 4 other"));
    }

    #[test]
    fn the_set_gid_bit_of_the_target_is_inherited_by_directories_only() {
        let root = tempfile::tempdir().expect("a directory");
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o2775)).expect("set");
        let applied = Applied::at(&place(root.path()), &Ownership::default()).expect("asked");
        assert_eq!((applied.files, applied.directories), (Some(0o664), Some(0o2775)));
    }

    #[test]
    fn what_cannot_be_set_is_an_ownership_error() {
        let applied = Applied { user: Some(0), on_refused_owner: OnRefused::Fail, ..Applied::default() };
        let error = applied
            .to_file(&place(Path::new("/proc/self")), &Key::parse("no-such-file").expect("a key"), None)
            .expect_err("not there");
        assert_eq!(error.code(), "ownership");
    }
}
