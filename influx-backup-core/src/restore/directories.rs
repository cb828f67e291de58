//! The directories that a restore makes at a target of files, and removes again where they stay empty. Relative to the
//! target; `""` is the target itself. To remove them is best effort.

use std::{collections::BTreeSet, iter};

use crate::{
    key::Key,
    location::{Location, remove_directory},
};

/// The uppermost directories above these keys, sorted but for few, that are not there yet.
pub(super) fn missing(target: &Location, keys: impl Iterator<Item = Key>) -> Vec<String> {
    let Some(root) = target.directory() else { return Vec::new() };
    let mut missing = BTreeSet::new();
    let mut last = String::new();
    let mut before = None;
    for key in keys {
        if !is_above(&last, key.as_str()) {
            let entered: Vec<_> = between(key.as_str(), before.as_ref().map_or("", Key::as_str)).collect();
            if let Some(uppermost) = entered.into_iter().rev().find(|level| !root.join(level).exists()) {
                uppermost.clone_into(&mut last);
                missing.insert(uppermost.to_owned());
            }
        }
        before = Some(key);
    }
    missing.into_iter().collect()
}

/// Removes the directories above these sorted keys that are empty, as far as they are `made` or lie in one of those.
pub(super) fn remove_empty(target: &Location, made: &[String], keys: impl Iterator<Item = Key>) {
    let within = |directory: &str, made: &str| {
        directory.strip_prefix(made).is_some_and(|tail| made.is_empty() || tail.is_empty() || tail.starts_with('/'))
    };
    let is_made = |directory: &&str| made.iter().any(|made| within(directory, made));
    let remove = |from: &str, to: &str| {
        let left = between(from, to).filter(is_made);
        // Best effort: a directory that is not empty stays.
        left.filter_map(|directory| target.file_path(directory)).for_each(|path| drop(remove_directory(&path)));
    };
    let mut before = None;
    for key in keys {
        before.iter().for_each(|before: &Key| remove(before.as_str(), key.as_str()));
        before = Some(key);
    }
    before.iter().for_each(|last| remove(last.as_str(), ""));
}

/// The directories above one key that are not above another, the deepest first. Going over sorted keys, that is what is left
/// between the one and the other for good, or entered for the first time: of the directories of a million files, one path is held.
pub(super) fn between<'a>(key: &'a str, other: &'a str) -> impl Iterator<Item = &'a str> {
    let above = iter::successors(parent(key), |directory| parent(directory));
    above.take_while(move |directory| !is_above(directory, other))
}

fn is_above(directory: &str, key: &str) -> bool {
    key.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// Removes the target's own directory, if it is `made` and empty.
pub(super) fn remove_target(target: &Location, made: &[String]) {
    if let Some(directory) = target.directory().filter(|_| made.iter().any(String::is_empty)) {
        // Best effort: a directory that is not empty stays.
        let _ = remove_directory(directory);
    }
}

/// The directory above a key or a directory.
fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::StoreOptions;

    #[test]
    fn only_what_was_made_and_is_empty_goes() {
        let root = tempfile::tempdir().expect("a directory");
        let target = Location::parse(root.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
        let keys = ["n1/catalog/v2/snapshot", "n1/catalog/v3/snapshot", "n1/wal/1", "c1/x/y/z", "c10/x/y"];
        let keys = keys.map(|key| Key::parse(key).expect("a key"));
        fs::create_dir_all(root.path().join("n1/catalog/v3")).expect("made");
        fs::create_dir_all(root.path().join("c1/x")).expect("made");
        let made = missing(&target, keys.iter().cloned());
        assert_eq!(made, ["c1/x/y", "c10", "n1/catalog/v2", "n1/wal"]);
        for key in &keys {
            fs::create_dir_all(root.path().join(parent(key.as_str()).expect("a parent"))).expect("made");
        }
        fs::write(root.path().join("n1/wal/1"), "rows").expect("written");
        remove_empty(&target, &made, keys.iter().cloned());
        let there = |path: &str| root.path().join(path).exists();
        assert!(there("n1/wal/1") && there("n1/catalog/v3") && there("c1/x"), "the restore did not make them");
        assert!(!there("n1/catalog/v2") && !there("c1/x/y") && !there("c10"), "empty");
    }

    #[test]
    fn a_target_that_was_missing_goes_too() {
        let root = tempfile::tempdir().expect("a directory");
        let path = root.path().join("target");
        let target = Location::parse(path.to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
        fs::create_dir(&path).expect("made");
        remove_target(&target, &[]);
        assert!(path.exists(), "it was there");
        remove_target(&target, &[String::new()]);
        assert!(!path.exists());
    }
}
