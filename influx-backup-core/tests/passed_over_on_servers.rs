//! Directory markers, and keys that no path can be: nothing that other programs leave in a bucket stops anything.
#![cfg(all(unix, feature = "aws", feature = "azure", feature = "gcp"))]

mod servers;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::Method;
use influx_backup_core::{
    Backup, BackupOptions, DiscoverOptions, FindingCode, Key, Location, Repository, Restore, RestoreOptions,
    RestoreReport, RestoreRunOptions, StoreOptions, VerifyOptions, certify, discover,
    finding::Finding,
    job::Request,
    record::BackupStatus,
    testing::generate::{CompactorData, Generate},
};
use object_store::{
    aws::{AwsAuthorizer, AwsCredential},
    client::HttpRequest,
};
use servers::{Azurite, FakeGcs, Fault, FaultProxy, RequestHead, Rule, S3Account, StoreServer, write};

/// What stands for a name that the client cannot write: the proxy shows it as nothing.
const NOTHING: &str = "__nothing__";

/// The same for others, with what listings show.
const SHOWN: [(&str, &str); 5] =
    [(NOTHING, ""), ("__up__", ".."), ("__here__", "."), ("__line__", "&#xA;"), ("__bell__", "\u{7}")];

/// Keys of such names: prefixes and objects.
const ODD: [&str; 8] = [
    "__nothing__/x",
    "__up__/x",
    "__up____nothing__",
    "__here__/x",
    "__here____nothing__",
    "new__line__line/x",
    "at the end__line__",
    "__bell__",
];

/// A bucket in which a test can leave what no client of object_store can write.
struct Bucket {
    server: &'static dyn StoreServer,
    raw: Raw,
    bucket: String,
    /// Shows the names of [`SHOWN`] in listings; not before a server that takes such keys itself.
    proxy: Option<FaultProxy>,
}

/// How a server is asked without such a client.
#[derive(Clone, Copy)]
enum Raw {
    S3(&'static S3Account),
    Azure(&'static Azurite),
    Google(&'static FakeGcs),
}

impl Bucket {
    async fn in_process() -> Self {
        let server = servers::in_process_s3();
        let proxy = FaultProxy::before(server.address());
        let show = |_: &RequestHead, body: Bytes| {
            let body = String::from_utf8_lossy(&body).into_owned();
            SHOWN.iter().fold(body, |body, (name, shown)| body.replace(name, shown)).into()
        };
        proxy.inject(Rule::new(Fault::Rewrite(Arc::new(show))).containing("list-type=2").always());
        Self { proxy: Some(proxy), ..Self::of(server, Raw::S3(server.account())).await }
    }

    async fn of(server: &'static dyn StoreServer, raw: Raw) -> Self {
        Self { server, raw, bucket: server.fresh_bucket().await, proxy: None }
    }

    /// One in each server that keeps keys that end in `/`: the server in this process makes directories of them, and lists none.
    async fn of_all() -> Vec<Self> {
        let mut buckets = Vec::new();
        if let Some(server) = servers::minio() {
            buckets.push(Self::of(server, Raw::S3(server.account())).await);
        }
        if let Some(server) = servers::azurite() {
            buckets.push(Self::of(server, Raw::Azure(server)).await);
        }
        if let Some(server) = servers::fake_gcs() {
            buckets.push(Self::of(server, Raw::Google(server)).await);
        }
        buckets
    }

    fn address(&self) -> SocketAddr {
        self.proxy.as_ref().map_or(self.server.address(), FaultProxy::address)
    }

    fn location(&self, prefix: &str) -> Location {
        self.server.location_at(self.address(), &self.bucket, prefix)
    }

    /// Puts an empty object whose key ends in `/`.
    async fn mark(&self, key: &str) {
        self.put_slash(key, Bytes::new()).await;
    }

    /// Puts an object whose key ends in `/`.
    async fn put_slash(&self, key: &str, bytes: Bytes) {
        assert!(key.ends_with('/'), "{key}");
        match self.raw {
            Raw::S3(account) => self.s3(account, Method::PUT, key, bytes).await,
            Raw::Azure(azurite) => azurite.put_blob(&self.bucket, key, bytes).await,
            Raw::Google(google) => google.put_object(&self.bucket, key, bytes).await,
        }
    }

    async fn delete_slash(&self, key: &str) {
        match self.raw {
            Raw::S3(account) => self.s3(account, Method::DELETE, key, Bytes::new()).await,
            Raw::Azure(azurite) => {
                let answer = azurite.request(Method::DELETE, &format!("{}/{key}", self.bucket)).await;
                assert!(answer.status().is_success(), "{key}: {answer:?}");
            }
            Raw::Google(google) => google.delete_object(&self.bucket, key).await,
        }
    }

    async fn s3(&self, account: &S3Account, method: Method, key: &str, bytes: Bytes) {
        let url = format!("http://{}/{}/{key}", self.server.address(), self.bucket);
        let length = bytes.len();
        let mut request = HttpRequest::new(bytes.into());
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().expect("a URI");
        request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
        let credential = AwsCredential {
            key_id: account.access_key_id.clone(),
            secret_key: account.secret_access_key.clone(),
            token: None,
        };
        AwsAuthorizer::new(&credential, "s3", "us-east-1").try_authorize(&mut request, None).expect("signed");
        let answer = servers::send_request(request).await;
        assert!(answer.status().is_success(), "{key}: {answer:?}");
    }

    /// Puts an object, whatever the proxy makes of its key.
    async fn put(&self, key: &str, bytes: Bytes) {
        let location = self.server.location(&self.bucket, "");
        location.put(&Key::parse(key).expect("a key"), bytes).await.expect("put");
    }

    /// The markers that are there, as the server itself lists them, sorted.
    async fn markers(&self) -> Vec<String> {
        let mut keys = match self.raw {
            Raw::S3(account) => self.s3_keys(account).await,
            Raw::Azure(azurite) => azurite.names(&self.bucket).await,
            Raw::Google(google) => google.names(&self.bucket).await,
        };
        keys.retain(|key| key.ends_with('/'));
        keys.sort();
        keys
    }

    async fn s3_keys(&self, account: &S3Account) -> Vec<String> {
        let query = [("list-type", "2"), ("max-keys", "1000")];
        let answer = account.bucket_request(self.server.address(), Method::GET, &self.bucket, &query).await;
        let text = String::from_utf8(answer.body().to_vec()).expect("UTF-8");
        assert!(text.contains("<IsTruncated>false"), "one page: {text}");
        text.split("<Key>").skip(1).filter_map(|rest| Some(rest.split_once("</Key>")?.0.to_owned())).collect()
    }
}

fn cluster() -> Generate {
    Generate::enterprise("c1").nodes(["n1", "n2"]).compactor("comp", CompactorData::None).snapshots(2)
}

async fn read(location: &Location) -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    for entry in location.list("").await.expect("listed") {
        if entry.key.below("_influx_backup").is_none() && !entry.key.as_str().ends_with("_license") {
            let bytes = location.get(&entry.key, None).await.expect("read").expect("it was listed");
            objects.insert(entry.key.to_string(), bytes.to_vec());
        }
    }
    objects
}

async fn restore(
    backup: &Backup,
    target: &Location,
    options: RestoreOptions,
) -> influx_backup_core::Result<RestoreReport> {
    let restore = Restore::new(backup.clone(), target.clone(), options);
    restore.with_run_options(RestoreRunOptions::servers_stopped()).await
}

/// The notes of what was passed over: each kind in each place once.
fn passed(findings: &[Finding]) -> Vec<&str> {
    let passed = findings.iter().filter(|finding| finding.code == FindingCode::PassedOver);
    passed.map(|finding| finding.message.as_str()).collect()
}

const MARKED: &[&str] = &[
    "data/",
    "data/other/",
    "data/c1/",
    "data/c1/catalog/v3/",
    "data/c1/catalog/",
    "data/n1/",
    "data/n1/wal/",
    "data/n1/dbs/",
    "data/comp/c/",
    // What consoles leave where a node was to be, and a cluster that would be a node, a compactor and of the upgraded engine.
    "data/newnode/",
    "data/newnode/wal/",
    "data/newnode/snapshots/",
    "data/folder/pt_snapshots/",
    "data/c1/wal/",
    "data/c1/backups/",
    "data/n1/cs/",
    "data/n1/pt_snapshots/",
    "vault/",
    "vault/nightly/",
    "vault/nightly/n1/",
    "vault/nightly/n1/wal/",
    "vault/nightly/_influx_backup/",
    "vault/empty/",
    "target/",
    "target/n1/",
    "target/n1/wal/",
    "target/other/",
    "target/c1/",
];

/// What a job found whose result has no place for it.
async fn job_of<T: Send + 'static>(request: Request<T>) -> Vec<Finding> {
    let job = request.start();
    let handle = job.handle();
    job.await.expect("done");
    handle.findings()
}

async fn markers_stop_nothing(bucket: &Bucket) {
    let what = bucket.server.name();
    let (source, vault, target) = (bucket.location("data"), bucket.location("vault"), bucket.location("target"));
    let mut written = write(&cluster(), &bucket.server.location(&bucket.bucket, "data")).await;
    for marked in MARKED {
        bucket.mark(marked).await;
    }
    // An empty object of its own right is no marker, also where a marker has its name.
    bucket.put("data/n1/empty", Bytes::new()).await;
    bucket.mark("data/n1/empty/").await;
    written.insert("n1/empty".to_owned(), Vec::new());
    written.retain(|key, _| !key.ends_with("_license"));
    let all = bucket.markers().await;
    assert_eq!(all.len(), MARKED.len() + 1, "{what}: {all:?}");

    let found = discover(&source, &DiscoverOptions::default()).await.expect(what);
    let ids: Vec<_> = found.nodes().iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["comp", "n1", "n2"], "{what}");
    let notes = passed(found.notes());
    // Of a level, object_store drops the marker of its own name in Azure: a backup, which lists all below, has the note.
    let noted = usize::from(!matches!(bucket.raw, Raw::Azure(_)));
    assert_eq!(notes.len(), noted, "{what}: {notes:?}");
    for note in notes {
        assert!(note.contains("directory marker") && note.contains("/data`"), "{what}: {note}");
        assert!(note.contains("such as `c1/`"), "{what}: the example is a name: {note}");
    }
    let compactors: Vec<_> = found.description().compactors().map(|node| node.id.as_str()).collect();
    assert_eq!(compactors, ["comp"], "{what}");
    assert!(found.description().unclaimed_nodes.is_empty(), "{what}");
    let absent = discover(&source, &DiscoverOptions::default().with_cluster_id("c1").with_node("newnode")).await;
    assert_eq!(absent.expect_err("it holds nothing").code(), "unknown-id", "{what}");

    let repository = Repository::open(vault.clone()).await.expect("opened");
    let report = repository.backup(&found, BackupOptions::default().with_name("nightly")).await;
    let report = report.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    assert_eq!((report.status, report.passes.len()), (BackupStatus::Complete, 1), "{what}");
    let of_source = passed(&report.findings).into_iter().filter(|note| note.contains("/data`")).count();
    assert_eq!(of_source, 1, "{what}: {:?}", report.findings);
    let backup = repository.get("nightly").await.expect("opened");
    assert_eq!(read(backup.location()).await.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>(), "{what}");
    assert!(read(backup.location()).await == written, "{what}");

    let listed = repository.list().await.expect("listed");
    let complete = listed.iter().find(|backup| backup.name == "nightly").expect("it is listed");
    assert_eq!(complete.state.to_string(), "complete", "{what}");
    let verified = repository.verify("nightly", VerifyOptions::bytes()).await.expect("verified");
    assert!(verified.passed(), "{what}: {:?}", verified.problems);
    let certified = certify(backup.location()).await.expect("certified");
    assert!(certified.holds(), "{what}");
    let planned = repository.plan_backup(&found, &BackupOptions::default()).await.expect("planned");
    let to_restore = repository.plan_restore("nightly", &target, &RestoreOptions::empty()).await.expect("planned");
    // Of a restore, markers of the backup and of the target.
    for (of, findings, notes) in [
        ("verify", &verified.findings, 1),
        ("certify", &certified.findings, 1),
        ("plan", &planned.findings, 1),
        ("restore", &to_restore.findings, 2),
    ] {
        assert_eq!(passed(findings).len(), notes, "{what}: {of}: {findings:#?}");
    }
    for handle in [job_of(repository.list()).await, job_of(repository.leftovers()).await] {
        assert_eq!(passed(&handle).len(), noted, "{what}: {handle:#?}");
    }
    assert_eq!(repository.leftovers().await.expect("looked"), [], "{what}");

    restore(&backup, &target, RestoreOptions::empty()).await.expect("it counts as empty");
    assert!(read(&target).await == written, "{what}");
    bucket.put("target/n1/wal/00000009999.wal", Bytes::from_static(b"of another server")).await;
    let replaced = restore(&backup, &target, RestoreOptions::replace()).await;
    replaced.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
    assert!(read(&target).await == written, "{what}");
    assert_eq!(bucket.markers().await, all, "{what}: neither copied nor deleted");

    // To files, where an object and a directory cannot have one name.
    let files = tempfile::tempdir().expect("a directory");
    let here = Location::parse(files.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
    let repository = Repository::open(here).await.expect("opened");
    let report = repository.backup(&found, BackupOptions::default().with_name("nightly")).await;
    assert_eq!(report.expect(what).status, BackupStatus::Complete, "{what}: to files");
    assert!(read(repository.get("nightly").await.expect("opened").location()).await == written, "{what}: to files");
    assert!(!files.path().join("nightly/other").exists(), "{what}: nothing is made for a marker");
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_on_servers_stop_nothing() {
    for bucket in Bucket::of_all().await {
        markers_stop_nothing(&bucket).await;
    }
}

/// Azure's tools for directories leave empty objects that have the name of one, without a `/`. MinIO has no such objects.
#[tokio::test(flavor = "multi_thread")]
async fn empty_objects_with_the_name_of_a_directory_stop_nothing() {
    for bucket in Bucket::of_all().await.into_iter().filter(|bucket| !matches!(bucket.raw, Raw::S3(_))) {
        let what = bucket.server.name();
        let (source, vault, target) = (bucket.location("data"), bucket.location("vault"), bucket.location("target"));
        let mut written = write(&cluster(), &source).await;
        written.retain(|key, _| !key.ends_with("_license"));
        for folder in ["data/n1", "data/n1/wal", "data/c1/catalog", "data/comp/c", "vault/nightly", "target/n1"] {
            bucket.put(folder, Bytes::new()).await;
        }
        let repository = Repository::open(vault).await.expect("opened");
        let cluster = discover(&source, &DiscoverOptions::default()).await.expect("found");
        let report = repository.backup(&cluster, BackupOptions::default().with_name("nightly")).await;
        let report = report.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
        assert_eq!((report.status, report.passes.len()), (BackupStatus::Complete, 1), "{what}");
        assert!(!passed(&report.findings).is_empty(), "{what}: {:?}", report.findings);
        assert!(repository.verify("nightly", VerifyOptions::bytes()).await.expect("verified").passed(), "{what}");
        let backup = repository.get("nightly").await.expect("opened");
        let files = tempfile::tempdir().expect("a directory");
        let here = Location::parse(files.path().to_str().expect("UTF-8"), &StoreOptions::default()).expect("a place");
        for place in [&target, &here] {
            for folder in ["target/n1/wal", "target/c1"] {
                bucket.put(folder, Bytes::new()).await;
            }
            let restored = restore(&backup, place, RestoreOptions::replace()).await;
            restored.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
            assert!(read(place).await == written, "{what}");
        }
    }
}

/// A node that has written for the first time, in a folder that was made for it, is found. So is a cluster below a location with
/// folders as a node has them.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_found_behind_its_markers() {
    for bucket in Bucket::of_all().await {
        let what = bucket.server.name();
        write(&cluster(), &bucket.server.location(&bucket.bucket, "data")).await;
        for marked in ["data/wal/", "data/dbs/", "data/cs/", "data/n3/", "data/n3/dbs/", "data/n3/wal/"] {
            bucket.mark(marked).await;
        }
        let ids = async || -> Vec<String> {
            let found = discover(&bucket.location("data"), &DiscoverOptions::default()).await.expect("found");
            found.nodes().iter().map(|node| node.id.clone()).collect()
        };
        assert_eq!(ids().await, ["comp", "n1", "n2"], "{what}");
        bucket.put("data/n3/wal/deep/below", "x".into()).await;
        assert_eq!(ids().await, ["comp", "n1", "n2", "n3"], "{what}");
    }
}

/// Keys with an empty, `.` or `..` segment or a control character, which end a listing of object_store.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_object_can_have_outside_the_cluster_stop_nothing() {
    let bucket = Bucket::in_process().await;
    let (source, vault, target) = (bucket.location("data"), bucket.location("vault"), bucket.location("target"));
    let mut written = write(&cluster(), &bucket.server.location(&bucket.bucket, "data")).await;
    written.retain(|key, _| !key.ends_with("_license"));
    for place in ["data", "vault", "target"] {
        for odd in ODD {
            bucket.put(&format!("{place}/{odd}"), "x".into()).await;
            bucket.put(&format!("{place}/other/{odd}"), "x".into()).await;
        }
        bucket.put(&format!("{place}/other/deep/y"), "y".into()).await;
    }
    let has_noted = |what: &str, findings: &[Finding]| {
        let notes = passed(findings);
        assert!(notes.iter().any(|note| note.contains("no object can have")), "{what}: {notes:?}");
    };
    let found = discover(&source, &DiscoverOptions::default()).await.expect("found");
    has_noted("discover", found.notes());
    let repository = Repository::open(vault).await.expect("opened");
    repository.plan_backup(&found, &BackupOptions::default()).await.expect("planned");
    let report = repository.backup(&found, BackupOptions::default().with_name("n1")).await;
    assert_eq!(report.expect("backed up").status, BackupStatus::Complete);
    let listed = repository.list().await.expect("listed");
    assert!(listed.iter().any(|backup| backup.name == "n1"), "{listed:?}");
    has_noted("list", &job_of(repository.list()).await);
    assert_eq!(repository.leftovers().await.expect("looked"), []);
    for odd in ODD {
        bucket.put(&format!("vault/n1/{odd}"), "x".into()).await;
    }
    let backup = repository.get("n1").await.expect("opened");
    assert!(repository.verify("n1", VerifyOptions::bytes()).await.expect("verified").passed());
    assert!(certify(backup.location()).await.expect("certified").holds());
    let planned = repository.plan_restore("n1", &target, &RestoreOptions::empty()).await.expect("planned");
    has_noted("a plan of a restore", &planned.findings);
    for options in [RestoreOptions::empty(), RestoreOptions::replace()] {
        let report = restore(&backup, &target, options).await.expect("restored");
        has_noted("restore", &report.findings);
    }
    for id in ["c1", "n1", "n2", "comp"] {
        let restored = read(&target.child(id).expect("a place")).await;
        let wanted = written.iter().filter_map(|(key, bytes)| Some((key.strip_prefix(id)?.strip_prefix('/')?, bytes)));
        assert_eq!(restored.len(), wanted.clone().count(), "{id}");
        assert!(wanted.clone().all(|(key, bytes)| restored[key] == *bytes), "{id}");
    }

    // Inside it, one is named.
    let raw = bucket.server.location(&bucket.bucket, "data");
    for below in ["n1", "n1/wal", "n1/dbs", "c1", "c1/catalog"] {
        for odd in ODD {
            let key = Key::parse(format!("{below}/{odd}")).expect("a key");
            raw.put(&key, "x".into()).await.expect("put");
            let error = match discover(&source, &DiscoverOptions::default()).await {
                Ok(found) => repository.plan_backup(&found, &BackupOptions::default()).await.err(),
                Err(error) => Some(error),
            };
            let error = error.unwrap_or_else(|| panic!("{key} is refused"));
            assert_eq!(error.code(), "invalid-key", "{key}: {error}");
            let shown = SHOWN.iter().fold(odd.to_owned(), |odd, (name, shown)| odd.replace(name, shown));
            let shown = shown.trim_end_matches('x').replace("&#xA;", "\n").escape_default().to_string();
            assert!(error.to_string().contains(&format!("{below}/{shown}")), "{key}: {error}");
            raw.delete(&key).await.expect("deleted");
        }
    }
}

/// The same in a server that keeps such names itself.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_object_can_have_in_a_server() {
    let Some(google) = servers::fake_gcs() else { return };
    let bucket = Bucket::of(google, Raw::Google(google)).await;
    write(&cluster(), &bucket.location("data")).await;
    let put = async |name: &str| google.put_object(&bucket.bucket, name, "x".into()).await;
    for place in ["data", "vault", "target"] {
        for odd in ["..", ".", "../x", "new%0Aline/x", "new%0Aline", "%01"] {
            put(&format!("{place}/{odd}")).await;
            put(&format!("{place}/other/{odd}")).await;
        }
    }
    let found = discover(&bucket.location("data"), &DiscoverOptions::default()).await.expect("found");
    let repository = Repository::open(bucket.location("vault")).await.expect("opened");
    let report = repository.backup(&found, BackupOptions::default().with_name("n1")).await.expect("backed up");
    assert_eq!(report.status, BackupStatus::Complete);
    assert!(repository.list().await.expect("listed").iter().any(|backup| backup.name == "n1"));
    let backup = repository.get("n1").await.expect("opened");
    let report = restore(&backup, &bucket.location("target"), RestoreOptions::empty()).await.expect("restored");
    for (what, findings) in [("discover", found.notes()), ("restore", &report.findings)] {
        let notes = passed(findings);
        assert!(notes.iter().any(|note| note.contains("no object can have")), "{what}: {notes:?}");
    }
    put("data/n1/..").await;
    let error = repository.backup(&found, BackupOptions::default().with_name("n2")).await.expect_err("refused");
    assert_eq!(error.code(), "invalid-key", "{error}");
    assert!(error.to_string().contains("`n1/..`"), "{error}");
}

/// Objects that are not empty and whose keys end in `/`: object_store cuts that off, and would not find them.
async fn slashes_are_named(bucket: &Bucket) {
    let what = bucket.server.name();
    // The server in this process has no such keys: there, the proxy shows others as if they were.
    let is_shown = bucket.proxy.is_some();
    let put = async |key: &str| match is_shown {
        true => bucket.put(&format!("{key}{NOTHING}"), "bytes".into()).await,
        false => bucket.put_slash(key, "bytes".into()).await,
    };
    write(&cluster(), &bucket.server.location(&bucket.bucket, "data")).await;
    put("data/other/").await;
    let found = discover(&bucket.location("data"), &DiscoverOptions::default()).await.expect("found");
    let repository = Repository::open(bucket.location("vault")).await.expect("opened");
    let report = repository.backup(&found, BackupOptions::default().with_name("first")).await.expect("backed up");
    assert_eq!(report.status, BackupStatus::Complete, "{what}");
    for (name, key) in [("wal", "n1/wal/sub/"), ("table", "n1/dbs/"), ("cluster", "c1/odd/")] {
        let written = format!("data/{key}");
        put(&written).await;
        let error = repository.backup(&found, BackupOptions::default().with_name(name)).await.expect_err(key);
        assert_eq!(error.code(), "invalid-key", "{what}: {key}: {error}");
        assert!(error.to_string().contains(&format!("`{key}`")), "{what}: {key}: {error}");
        match is_shown {
            true => {
                let raw = bucket.server.location(&bucket.bucket, "");
                raw.delete(&Key::parse(format!("{written}{NOTHING}")).expect("a key")).await.expect("deleted");
            }
            false => bucket.delete_slash(&written).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_key_ends_in_a_slash_is_named_inside_the_cluster_and_stops_nothing_outside() {
    let mut buckets = Bucket::of_all().await;
    buckets.push(Bucket::in_process().await);
    for bucket in &buckets {
        slashes_are_named(bucket).await;
    }
}

/// With the ids of the cluster and of its nodes, nothing else is asked for: a credential need not reach further.
#[tokio::test(flavor = "multi_thread")]
async fn with_ids_nothing_else_is_looked_at() {
    let server = servers::in_process_s3();
    let bucket = server.fresh_bucket().await;
    write(&cluster(), &server.location(&bucket, "data")).await;
    server.location(&bucket, "data").put(&Key::parse("other/x").expect("a key"), "x".into()).await.expect("put");
    let proxy = FaultProxy::before(server.address());
    let source = server.location_at(proxy.address(), &bucket, "data");
    let ids = ["n1", "n2", "comp"]
        .iter()
        .fold(DiscoverOptions::default().with_cluster_id("c1"), |what, id| what.with_node(*id));
    let found = discover(&source, &ids).await.expect("found");
    assert_eq!(found.nodes().len(), 3);
    let lists = |proxy: &FaultProxy| -> Vec<String> {
        let requests = proxy.requests().into_iter().map(|request| request.target);
        requests.filter(|target| target.contains("list-type=2")).collect()
    };
    let is_of_cluster = |target: &String| {
        ["c1", "n1", "n2", "comp", "_influx_backup"].iter().any(|id| target.contains(&format!("prefix=data%2F{id}%2F")))
    };
    let vault = Repository::open(server.location(&bucket, "vault")).await.expect("opened");
    let report = vault.backup(&found, BackupOptions::default().with_name("monday")).await.expect("backed up");
    assert_eq!((report.status, passed(&report.findings)), (BackupStatus::Complete, Vec::new()));
    let asked = lists(&proxy);
    assert!(asked.iter().all(is_of_cluster), "{asked:#?}");

    // A node that is excluded is not, whatever else is.
    let before = lists(&proxy).len();
    let excluded = DiscoverOptions::default().with_excluded_node("n2");
    let found = discover(&source, &excluded).await.expect("found");
    assert_eq!(found.nodes().len(), 2);
    vault.backup(&found, BackupOptions::default().with_name("tuesday")).await.expect("backed up");
    let asked = lists(&proxy).split_off(before);
    assert!(!asked.is_empty() && !asked.iter().any(|target| target.contains("data%2Fn2")), "{asked:#?}");

    // Without them, the top is looked at.
    discover(&source, &DiscoverOptions::default()).await.expect("found");
    assert!(!lists(&proxy).iter().all(is_of_cluster));
}
