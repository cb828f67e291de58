use std::sync::Arc;

use super::*;
use crate::{
    checksum::Crc64,
    key::Key,
    location::{Location, OpenWhile, StoreOptions},
    testing::conformance::copier_conformance,
};

const BLOCK: ByteSize = ByteSize(64 << 10);

struct Pair {
    from: tempfile::TempDir,
    to: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let directory = || tempfile::tempdir().expect("a directory");
        Self { from: directory(), to: directory() }
    }

    fn locations(&self) -> (Location, Location) {
        let at = |directory: &tempfile::TempDir| {
            Location::parse(directory.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a location")
        };
        (at(&self.from), at(&self.to))
    }

    async fn request(&self, name: &str) -> CopyRequest {
        let (from, to) = self.locations();
        let key = Key::parse(name).expect("a key");
        let source = from.head(&key).await.expect("answers").expect("there");
        CopyRequest::new(from, source, to)
    }
}

async fn copy(request: &CopyRequest) -> Result<Copied, CopyError> {
    LocalCopier::default().with_block(BLOCK).copy(request, &CopyContext::default()).await
}

#[tokio::test]
async fn the_contract_from_file_to_file() {
    let pair = Pair::new();
    let (from, to) = pair.locations();
    copier_conformance(&LocalCopier::default().with_block(BLOCK), &from, &to, BLOCK).await;
}

#[tokio::test]
async fn other_stores_are_left_to_others() {
    let pair = Pair::new();
    std::fs::write(pair.from.path().join("x"), "x").expect("written");
    let mut request = pair.request("x").await;
    request.to = Location::in_memory();
    assert!(matches!(copy(&request).await, Err(CopyError::Unsupported)));
    request.from = Location::in_memory();
    assert!(matches!(copy(&request).await, Err(CopyError::Unsupported)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_another_file_and_replaces_a_link() {
    use std::os::unix::fs::{MetadataExt, symlink};

    let pair = Pair::new();
    let outside = pair.from.path().join("outside");
    std::fs::write(pair.from.path().join("x"), "new").expect("written");
    std::fs::write(&outside, "untouched").expect("written");
    symlink(&outside, pair.to.path().join("x")).expect("linked");
    copy(&pair.request("x").await).await.expect("copied");
    assert_eq!(std::fs::read(&outside).expect("read"), b"untouched");
    let target = std::fs::symlink_metadata(pair.to.path().join("x")).expect("there");
    assert!(target.is_file() && target.nlink() == 1);
    assert_ne!(target.ino(), std::fs::metadata(pair.from.path().join("x")).expect("there").ino());
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_refused_where_the_location_says_so() {
    use crate::location::Links;

    let pair = Pair::new();
    std::fs::create_dir(pair.from.path().join("real")).expect("made");
    std::fs::write(pair.from.path().join("real/x"), "x").expect("written");
    for side in [&pair.from, &pair.to] {
        std::os::unix::fs::symlink(pair.from.path().join("real"), side.path().join("linked")).expect("linked");
    }
    let followed = pair.request("linked/x").await;
    let mut refused = followed.clone();
    refused.from = followed.from.with_links(Links::Never);
    assert!(!copy(&refused).await.expect_err("a link in the source").is_retryable());
    for links in Links::ALL {
        let mut refused = followed.clone();
        refused.to = followed.to.with_links(*links);
        let error = copy(&refused).await.expect_err("nothing is written through a link");
        assert!(!error.is_retryable());
        assert!(
            matches!(&error, CopyError::Store { side: Some(CopySide::Target), operation, kind: StoreErrorKind::Denied, .. } if operation == "create"),
            "{links}: {error:?}"
        );
    }
    let mut outside = followed.clone();
    outside.from = pair.locations().1;
    let error = copy(&outside).await.expect_err("it leads out of the source");
    assert!(matches!(error, CopyError::Store { kind: StoreErrorKind::Denied, .. }), "{error:?}");
    let mut followed = followed;
    followed.target = Key::parse("plain/x").expect("a key");
    outside.target = followed.target.clone();
    outside.from = outside.from.with_links(Links::Anywhere);
    outside.source = outside.from.head(&outside.source.key).await.expect("asked").expect("there");
    assert_eq!(copy(&outside).await.expect("followed").content.crc64, Some(Crc64::of(b"x")));
    assert_eq!(copy(&followed).await.expect("followed").content.crc64, Some(Crc64::of(b"x")));
}

#[tokio::test]
async fn failures_of_the_target_are_told_and_leave_nothing() {
    let pair = Pair::new();
    std::fs::write(pair.from.path().join("x"), "x").expect("written");
    std::fs::create_dir_all(pair.to.path().join("x/full")).expect("made");
    let error = copy(&pair.request("x").await).await.expect_err("a directory is in the way");
    assert_eq!((error.code(), error.is_retryable()), ("object-exists", false));

    let mut request = pair.request("x").await;
    std::fs::write(pair.to.path().join("file"), "").expect("written");
    request.target = Key::parse("file/below").expect("a key");
    let error = copy(&request).await.expect_err("a file is in the way");
    assert_eq!((error.code(), error.is_retryable()), ("object-exists", false));
    let names: Vec<_> = std::fs::read_dir(pair.to.path()).expect("listed").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_fatal() {
    let file = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there");
    let error = (&file).write_all(b"x").map_err(|e| target_error("write", e)).expect_err("full");
    assert_eq!((error.code(), error.is_retryable()), ("no-space", false));
}

#[tokio::test]
async fn litter_of_a_killed_copy_is_no_hindrance() {
    let pair = Pair::new();
    std::fs::write(pair.from.path().join("x"), "whole").expect("written");
    std::fs::write(pair.to.path().join("x#1"), "ha").expect("written");
    copy(&pair.request("x").await).await.expect("copied");
    assert_eq!(std::fs::read(pair.to.path().join("x")).expect("read"), b"whole");
    assert_eq!(std::fs::read(pair.to.path().join("x#1")).expect("read"), b"ha");
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_copied_has_changed() {
    let pair = Pair::new();
    let path = pair.from.path().join("x");
    std::fs::write(&path, vec![1; 3 * (64 << 10)]).expect("written");
    let request = pair.request("x").await;
    let grow = move |_| std::fs::write(&path, vec![2; 4 * (64 << 10)]).expect("written");
    let context = CopyContext { progress: Arc::new(grow), ..CopyContext::default() };
    let answer = LocalCopier::default().with_block(BLOCK).copy(&request, &context).await;
    assert!(matches!(answer, Err(CopyError::Changed)), "{answer:?}");
    assert_eq!(std::fs::read_dir(pair.to.path()).expect("listed").count(), 0);
}

/// Another process takes over while the file is written.
#[tokio::test]
async fn no_file_gets_its_name_once_another_process_may_have_taken_over() {
    let pair = Pair::new();
    std::fs::write(pair.from.path().join("x"), "new").expect("written");
    std::fs::write(pair.to.path().join("x"), "another's").expect("written");
    let staging = pair.to.path().join("x#1");
    let mut request = pair.request("x").await;
    request.to = request.to.fenced(Arc::new(OpenWhile(move || !staging.exists())));
    assert!(matches!(copy(&request).await, Err(CopyError::Cancelled)));
    assert_eq!(std::fs::read(pair.to.path().join("x")).expect("read"), b"another's");
    assert!(!pair.to.path().join("x#1").exists());
}
