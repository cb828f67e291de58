//! Uploads that a dead attempt never completed are leftovers, too: listed and deleted on every store that knows of them.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod meddling;
mod servers;

use std::mem::forget;

use bytes::Bytes;
use http::{Method, Request, Response};
use influx_backup_core::{
    DiscoverOptions, Finding, Key, Location, Repository, Restore, RestoreOptions, VerifyOptions, discover,
    layout::REPOSITORY_KEY,
    leftovers::LeftoverKind,
    location::interop::{self, object_store::ObjectStoreExt},
    options::OnExisting,
};
use meddling::{Source, core, end_before_commit, kinds, options};
use servers::{Canned, StoreServer, answer};

/// Those that list uploads; of Google's the canned answers below have to do.
fn servers() -> Vec<&'static dyn StoreServer> {
    let minio = servers::minio().map(|server| server as &dyn StoreServer);
    minio.into_iter().chain(servers::azurite().map(|server| server as &dyn StoreServer)).collect()
}

/// Begins to write an object, and dies.
async fn half_written(location: &Location, key: &str) {
    let path = interop::path(location, &Key::parse(key).expect("a key"));
    let mut upload = interop::store(location).put_multipart(&path).await.expect("begun");
    upload.put_part("half".into()).await.expect("a part");
    forget(upload);
}

/// What the server itself says is incomplete.
async fn incomplete(server: &dyn StoreServer, bucket: &str) -> Vec<String> {
    server.leftovers(bucket).await.into_iter().map(|leftover| leftover.key).collect()
}

async fn succeed(repository: &Repository, existing: OnExisting) {
    let (source, _) = Source::of(&core()).await;
    let cluster = discover(&source.location(), &DiscoverOptions::default()).await.expect("a cluster");
    repository.backup(&cluster, options().with_on_existing(existing)).start().await.expect("backed up");
}

const HALF: &str = "node1/dbs/1/2/2025-11-14/22-10/0000000099.parquet";

#[tokio::test]
async fn of_an_unfinished_backup_they_go_with_it() {
    for server in servers() {
        let bucket = server.fresh_bucket().await;
        let vault = server.location(&bucket, "vault");
        let repository = Repository::open(vault.clone()).await.expect("opened");
        end_before_commit(&repository).await;
        let objects = vault.list("n1").await.expect("listed").len() as u64;
        let n1 = vault.child("n1").expect("a location");
        half_written(&n1, HALF).await;
        half_written(&n1, "node1/wal/a b ü%25.wal").await;
        // Of another repository, whose key has the same beginning.
        half_written(&server.location(&bucket, "vault2/n1"), HALF).await;
        let leftovers = repository.leftovers().await.expect("found");
        assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Unfinished, objects + 2)], "{}", server.name());
        repository.remove(&leftovers[0]).await.expect("collected");
        let rest: Vec<_> = vault.list("").await.expect("listed").into_iter().map(|entry| entry.key).collect();
        assert_eq!(rest, [Key::parse(REPOSITORY_KEY).expect("a key")], "{}", server.name());
        assert_eq!(incomplete(server, &bucket).await, [format!("vault2/n1/{HALF}")], "{}", server.name());
    }
}

#[tokio::test]
async fn beside_a_committed_backup_they_go_alone() {
    for server in servers() {
        let bucket = server.fresh_bucket().await;
        let repository = Repository::open(server.location(&bucket, "vault")).await.expect("opened");
        succeed(&repository, OnExisting::Refuse).await;
        assert_eq!(repository.leftovers().await.expect("found"), [], "{}", server.name());
        half_written(&repository.location().child("n1").expect("a location"), HALF).await;
        let leftovers = repository.leftovers().await.expect("found");
        assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Staging, 1)], "{}", server.name());
        repository.remove(&leftovers[0]).await.expect("collected");
        assert_eq!(incomplete(server, &bucket).await, [""; 0], "{}", server.name());
        let verified = repository.verify("n1", VerifyOptions::structure()).await.expect("verified");
        assert!(verified.passed(), "{}: {:?}", server.name(), verified.problems);
    }
}

#[tokio::test]
async fn who_resumes_and_who_restores_leaves_none() {
    for server in servers() {
        let bucket = server.fresh_bucket().await;
        let repository = Repository::open(server.location(&bucket, "vault")).await.expect("opened");
        end_before_commit(&repository).await;
        half_written(&repository.location().child("n1").expect("a location"), HALF).await;
        succeed(&repository, OnExisting::Resume).await;
        assert_eq!(incomplete(server, &bucket).await, [""; 0], "{}: resumed", server.name());

        let backup = repository.get("n1").await.expect("opened");
        let target = server.location(&bucket, "restored");
        let restored = backup.objects().find(|record| record.key.as_str().contains("/dbs/")).expect("a file");
        if server.scheme() == "s3" {
            // On Azure, writing an object discards its older blocks; Azurite keeps them.
            half_written(&target, restored.key.as_str()).await;
        }
        half_written(&target, "node1/not-of-the-backup").await;
        Restore::new(backup, target, RestoreOptions::empty()).start().await.expect("restored");
        // What the backup tool did not write stays.
        assert_eq!(incomplete(server, &bucket).await, ["restored/node1/not-of-the-backup"], "{}", server.name());
    }
}

fn target(request: &Request<Bytes>) -> String {
    request.uri().path_and_query().map_or("/", |target| target.as_str()).replace("%2D", "-").replace("%2F", "/")
}

fn google(server: &Canned) -> Location {
    server.google("gs://b/vault")
}

fn s3(server: &Canned) -> Location {
    server.s3("s3://b/vault")
}

fn uploads(page: &str) -> Response<Bytes> {
    let xml = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    answer(200, &[], format!("{xml}{page}</ListMultipartUploadsResult>"))
}

fn upload(key: &str, id: &str) -> String {
    let initiated = "2025-11-14T22:13:20.000Z";
    format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{initiated}</Initiated></Upload>")
}

/// A bucket with one backup, whose manifest cannot be read, and what `more` answers.
fn bucket(more: impl Fn(&str) -> Option<Response<Bytes>> + Send + Sync + 'static) -> Canned {
    Canned::serve(move |request| {
        let target = target(request);
        if let Some(answer) = more(&target) {
            return answer;
        }
        match *request.method() {
            Method::DELETE => answer(204, &[], ""),
            Method::GET if target.contains("list-type=2") && target.contains("delimiter") => answer(
                200,
                &[],
                "<ListBucketResult><CommonPrefixes><Prefix>vault/n1/</Prefix></CommonPrefixes></ListBucketResult>",
            ),
            Method::GET if target.contains("list-type=2") => answer(200, &[], "<ListBucketResult/>"),
            Method::GET if target.contains("manifest") => {
                answer(200, &[("etag", "\"1\""), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")], "{}")
            }
            _ => answer(404, &[], "<Error><Code>NoSuchKey</Code></Error>"),
        }
    })
}

/// Over two pages, with a key that XML escapes; what lies elsewhere in the bucket is ignored.
#[tokio::test]
async fn pages_of_uploads_are_read_to_the_end() {
    for open in [google, s3] {
        let server = bucket(|target| match (target.contains("uploads"), target.contains("upload-id-marker=u1")) {
            (true, true) => {
                Some(uploads(&format!("{}<IsTruncated>false</IsTruncated>", upload("vault/n1/&amp;b", "u2"))))
            }
            (true, false) => Some(uploads(&format!(
                "<NextKeyMarker>vault/n1/a</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>\
                 <IsTruncated>true</IsTruncated>{}{}",
                upload("elsewhere/n1/a", "u0"),
                upload("vault/n1/a", "u1"),
            ))),
            _ => None,
        });
        let repository = Repository::open(open(&server)).await.expect("opened");
        let leftovers = repository.leftovers().await.expect("found");
        assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Staging, 2)]);
        repository.remove(&leftovers[0]).await.expect("collected");
        let requests = server.requests();
        let mut deleted: Vec<_> =
            requests.iter().filter(|request| request.method() == Method::DELETE).map(target).collect();
        deleted.sort_unstable();
        assert_eq!(deleted, ["/b/vault/n1/%26b?uploadId=u2", "/b/vault/n1/a?uploadId=u1"]);
    }
}

/// A service that knows no uploads has no leftovers. Without the right to list them, as credentials for one prefix are,
/// what is seen is shown, and what is not is noted.
#[tokio::test]
async fn uploads_that_cannot_be_listed() {
    for open in [google, s3] {
        for (status, body, said) in [
            (501, "<Error><Code>NotImplemented</Code></Error>", Vec::new()),
            (400, "<Error><Code>InvalidArgument</Code></Error>", Vec::new()),
            (403, "<Error><Code>AccessDenied</Code></Error>", vec!["not-seen"]),
            (400, "<Error><Code>ExpiredToken</Code></Error>", vec!["not-seen"]),
        ] {
            let server = bucket(move |target| target.contains("uploads").then(|| answer(status, &[], body)));
            let repository = Repository::open(open(&server)).await.expect("opened");
            let job = repository.leftovers().start();
            let handle = job.handle();
            assert_eq!(job.await.expect("what is seen"), [], "{status} {body}");
            let findings = handle.findings();
            let codes: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!(codes, said, "{status} {body}");
            let names_place = |finding: &Finding| finding.message.contains("://b/vault");
            assert!(findings.iter().all(names_place), "{findings:?}");
        }
    }
}

/// As on a real server: the credentials of a repository that is one prefix of a shared bucket.
#[tokio::test]
async fn credentials_for_one_prefix_see_what_lies_below_it() {
    let Some(minio) = servers::minio() else { return };
    let bucket = minio.fresh_bucket().await;
    let vault = minio.location(&bucket, "vault");
    end_before_commit(&Repository::open(vault.clone()).await.expect("opened")).await;
    half_written(&vault.child("n1").expect("a location"), HALF).await;
    let options = minio.options_below(&bucket, "vault").await.into_iter().collect();
    let limited = Location::parse(&minio.url(&bucket, "vault"), &options).expect("a location");
    let job = Repository::open(limited).await.expect("opened").leftovers().start();
    let handle = job.handle();
    let leftovers = job.await.expect("what is seen");
    let objects = vault.list("n1").await.expect("listed").len() as u64;
    assert_eq!(kinds(&leftovers), [("n1", LeftoverKind::Unfinished, objects)]);
    let codes: Vec<_> = handle.findings().into_iter().map(|finding| finding.code.to_string()).collect();
    assert_eq!(codes, ["not-seen"]);
}
