//! Owner, permissions and times of restored files. Object stores know none of them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    error::{Error, Result},
    key::Key,
    location::Location,
    options::{Account, Modes, Owner, Ownership},
};

/// Owner and modes of restored files, as numbers: names are looked up, defaults come from the target directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Applied {
    user: Option<u32>,
    group: Option<u32>,
    files: Option<u32>,
    directories: Option<u32>,
}

impl Applied {
    /// The numbers for this target.
    pub(super) fn at(target: &Location, ownership: &Ownership) -> Result<Self> {
        let Some(directory) = target.directory() else { return Ok(Self::default()) };
        let of_target = match fs::metadata(directory) {
            Ok(metadata) => of_directory(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
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
        Ok(Self { user, group, files, directories })
    }

    /// Applies them to restored files, with the time at which each was last modified in the source, and to the
    /// directories that they lie in below the target.
    pub(super) async fn to_all(&self, target: &Location, files: Vec<(Key, Option<SystemTime>)>) -> Result<()> {
        let Some(root) = target.directory().map(Path::to_owned) else { return Ok(()) };
        let applied = self.clone();
        let work = move || {
            let mut directories: BTreeSet<PathBuf> = BTreeSet::new();
            for (key, modified) in files {
                let path = root.join(key.as_str());
                let above = path.ancestors().skip(1).take_while(|above| *above != root);
                for directory in above.map(Path::to_owned) {
                    if !directories.insert(directory) {
                        break;
                    }
                }
                applied.to_file(&path, modified)?;
            }
            // The deepest first: a directory may lose its own write permission only when all below it is done.
            directories.iter().rev().try_for_each(|path| applied.to_directory(path))
        };
        let joined = tokio::task::spawn_blocking(work).await;
        joined.unwrap_or_else(|source| Err(Error::Internal { task: "owner and mode", source: Box::new(source) }))
    }

    /// Applies them to one file.
    pub(super) fn to_file(&self, path: &Path, modified: Option<SystemTime>) -> Result<()> {
        let set = || {
            if let Some(modified) = modified.filter(|_| cfg!(unix)) {
                let file = fs::File::open(path)?;
                if file.metadata()?.modified()? != modified {
                    file.set_modified(modified)?;
                }
            }
            self.set(path, self.files)
        };
        set().map_err(|source| Error::Ownership { path: path.display().to_string(), source })
    }

    fn to_directory(&self, path: &Path) -> Result<()> {
        let set = self.set(path, self.directories);
        set.map_err(|source| Error::Ownership { path: path.display().to_string(), source })
    }

    /// Sets only what differs: no right is needed where nothing changes.
    #[cfg(unix)]
    fn set(&self, path: &Path, mode: Option<u32>) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let metadata = fs::symlink_metadata(path)?;
        let user = self.user.filter(|user| *user != metadata.uid());
        let group = self.group.filter(|group| *group != metadata.gid());
        if user.is_some() || group.is_some() {
            chown(path, user, group)?;
        }
        match mode {
            Some(mode) if mode != metadata.mode() & 0o7777 => {
                fs::set_permissions(path, fs::Permissions::from_mode(mode))
            }
            _ => Ok(()),
        }
    }

    #[cfg(not(unix))]
    fn set(&self, _path: &Path, _mode: Option<u32>) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn of_directory(metadata: &fs::Metadata) -> Applied {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    Applied {
        user: Some(metadata.uid()),
        group: Some(metadata.gid()),
        files: Some(mode & 0o666),
        directories: Some(mode),
    }
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
    fn what_cannot_be_set_is_an_ownership_error() {
        let applied = Applied { user: Some(0), ..Applied::default() };
        let error = applied.to_file(Path::new("/proc/self/no-such-file"), None).expect_err("not there");
        assert_eq!(error.code(), "ownership");
    }
}
