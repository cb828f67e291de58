//! The program and object stores: two accounts in one run, and what it says when one of them cannot be used.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use crate::{
    program::{Answer, Scratch, command, run},
    servers::{InProcessS3, S3Account, StoreServer, Tls},
};

/// A server of its own with a bucket, used with keys of its own.
struct Store {
    server: InProcessS3,
    bucket: String,
    keys: S3Account,
}

impl Store {
    async fn new() -> Self {
        let server = InProcessS3::start();
        let bucket = server.fresh_bucket().await;
        let keys = S3Account::random();
        server.accounts().admit(&keys);
        Self { server, bucket, keys }
    }

    fn url(&self, prefix: &str) -> String {
        self.server.url(&self.bucket, prefix)
    }

    /// `--source-option` or `--target-option` and its value, for each option.
    fn options(&self, flag: &str) -> Vec<String> {
        self.options_with(flag, &[])
    }

    /// As [`Store::options`], with some of them replaced.
    fn options_with(&self, flag: &str, replaced: &[(&str, &str)]) -> Vec<String> {
        let mut options = self.keys.options(self.server.address());
        options.extend(replaced.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        options.into_iter().flat_map(|(name, value)| [flag.to_owned(), format!("{name}={value}")]).collect()
    }

    async fn put(&self, prefix: &str, files: Vec<(std::path::PathBuf, Vec<u8>)>) {
        let store = self.server.store(&self.bucket);
        for (path, bytes) in files {
            let key = format!("{prefix}/{}", path.to_str().expect("UTF-8"));
            store.put(&object_store::path::Path::parse(key).expect("a key"), bytes.into()).await.expect("a put");
        }
    }

    /// The bytes of every object.
    async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let store = self.server.store(&self.bucket);
        let listed: Vec<_> = store.list(None).try_collect().await.expect("a listing");
        let mut contents = Vec::new();
        for object in listed {
            let bytes = store.get(&object.location).await.expect("a get").bytes().await.expect("a body");
            contents.push((object.location.to_string(), bytes.to_vec()));
        }
        contents
    }
}

fn call(arguments: &[&str], options: &[Vec<String>]) -> Answer {
    let options = options.iter().flatten().map(String::as_str);
    run(&arguments.iter().copied().chain(options).collect::<Vec<_>>())
}

/// From one account to another and back, and neither secret is ever told.
#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_in_one_run() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let here = Store::new().await;
    let there = Store::new().await;
    here.put("cluster", scratch.files("source")).await;
    let source = here.url("cluster");
    let repository = there.url("backups");
    let backup = format!("{repository}/monday");
    let target = here.url("restored");
    let there_and_here = [here.options("--source-option"), there.options("--target-option")];
    let here_and_there = [there.options("--source-option"), here.options("--target-option")];

    let answers = [
        call(&["discover", &source, "--json"], &there_and_here[..1]).expect(0),
        call(&["plan", &source, &repository, "--json"], &there_and_here).expect(0),
        call(&["backup", &source, &repository, "--name", "monday", "--json"], &there_and_here).expect(0),
        call(&["list", &repository, "--json"], &here_and_there[..1]).expect(0),
        call(&["certify", &backup, "--json"], &here_and_there[..1]).expect(0),
        call(&["verify", &backup, "--level", "bytes", "--json"], &here_and_there[..1]).expect(0),
        call(&["restore", &backup, &target, "--dry-run", "--json"], &here_and_there).expect(0),
        call(&["restore", &backup, &target, "--json"], &here_and_there).expect(0),
        call(&["certify", &target], &there_and_here[..1]).expect(0),
    ];
    let secrets = [&here.keys, &there.keys].map(|keys| keys.secret_access_key.as_str());
    for answer in &answers {
        assert!(secrets.iter().all(|secret| !format!("{answer:?}").contains(secret)), "{answer:?}");
    }
    for (key, bytes) in here.contents().await.into_iter().chain(there.contents().await) {
        let holds = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!secrets.iter().any(|secret| holds(secret)), "{key} holds a credential");
    }
}

/// Each mistake about the source, and about the repository, has its own code, reported within seconds and without the secret.
#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_own_code() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let store = Store::new().await;
    store.put("cluster", scratch.files("source")).await;
    let tls = Tls::before(store.server.address());
    let dead = "http://127.0.0.1:9";
    let encrypted = format!("https://{}", tls.address());
    let source = store.url("cluster");
    let repository = store.url("backups");
    let mistakes: [(&str, &str, i32, &str); 7] = [
        ("aws_endpiont", dead, 2, "unknown-option"),
        ("azure_storage_account", "a", 2, "unknown-option"),
        ("AWS_ALLOW_HTTP", "false", 2, "invalid-option"),
        ("AWS_ENDPOINT", dead, 6, "unreachable"),
        ("AWS_ENDPOINT", &encrypted, 6, "untrusted-certificate"),
        ("AWS_SECRET_ACCESS_KEY", "wr0ngs3cr3t", 6, "access-denied"),
        ("AWS_ACCESS_KEY_ID", "unknown", 6, "access-denied"),
    ];
    let right = store.options("--source-option");
    for (name, value, exit, code) in mistakes {
        let began = Instant::now();
        let wrong = |flag: &str| store.options_with(flag, &[(name, value)]);
        let about_source = call(&["discover", &source, "--json"], &[wrong("--source-option")]);
        let backup = ["backup", &source, &repository, "--json"];
        let about_target = call(&backup, &[right.clone(), wrong("--target-option")]);
        for answer in [about_source, about_target] {
            let answer = answer.expect_error(exit, code);
            let message = format!("{answer:?}");
            assert!(!message.contains(&store.keys.secret_access_key) && !message.contains("wr0ngs3cr3t"), "{message}");
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{name}={value}: {:?}", began.elapsed());
    }
    let missing = store.server.url("no-such-bucket", "cluster");
    call(&["discover", &missing, "--json"], std::slice::from_ref(&right)).expect_error(5, "location-not-found");
    let other_scheme = source.replace("s3://", "s4://");
    call(&["discover", &other_scheme, "--json"], &[right]).expect_error(2, "invalid-location");
    assert!(
        store.contents().await.iter().all(|(key, _)| !key.starts_with("backups/")),
        "a refused backup writes nothing"
    );
}

/// A proxy that cannot be reached is named by where it is from: the store behind it is up.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_reached_is_named() {
    type Pairs = [(&'static str, &'static str)];
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let store = Store::new().await;
    store.put("cluster", scratch.files("source")).await;
    let source = store.url("cluster");
    let (proxy, encrypted) = ("http://user:s3cr3t@127.0.0.1:9", ("AWS_ENDPOINT", "https://127.0.0.1:9"));
    let is_unnamed: [(&str, &str); 2] = [("HTTP_PROXY", proxy), ("NO_PROXY", "127.0.0.1")];
    let calls: [(&Pairs, &Pairs, Option<&str>); 6] = [
        (&[("http_proxy", proxy)], &[], Some("the environment variable http_proxy")),
        (&[("HTTPS_PROXY", ""), ("all_proxy", proxy)], &[encrypted], Some("the environment variable all_proxy")),
        (&[], &[("aws_proxy_url", proxy)], Some("the option `proxy_url`")),
        (&is_unnamed, &[("AWS_ENDPOINT", "http://127.0.0.1:9")], None),
        (&[("http_proxy", proxy)], &[encrypted], None),
        (&[("http_proxy", proxy)], &[("proxy_url", proxy), ("proxy_excludes", "127.0.0.0/8"), encrypted], None),
    ];
    std::thread::scope(|scope| {
        for (variables, options, named) in calls {
            let options = store.options_with("--source-option", options);
            let arguments: Vec<_> =
                ["discover", &source, "--json"].into_iter().chain(options.iter().map(String::as_str)).collect();
            let mut call = command(&arguments);
            call.envs(variables.iter().copied());
            scope.spawn(move || {
                let answer = Answer::of(call.output().expect("the program starts")).expect_error(6, "unreachable");
                let causes = answer.json()["error"]["causes"].to_string();
                assert_eq!(causes.contains("went through the proxy"), named.is_some(), "{variables:?}: {causes}");
                assert!(named.is_none_or(|named| causes.contains(&format!("the proxy of {named}"))), "{causes}");
                assert!(!format!("{answer:?}").contains("s3cr3t"), "{answer:?}");
            });
        }
    });
    let mut passed_by = command(&["discover", &source, "--json"]);
    passed_by.args(store.options("--source-option")).envs(is_unnamed);
    Answer::of(passed_by.output().expect("the program starts")).expect(0);
}

/// No verb waits for minutes for a store that was never there, or asks one without credentials.
#[test]
fn every_verb_says_within_seconds_what_is_wrong() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let (source, vault, new) = (scratch.path("source"), scratch.path("vault"), scratch.path("new"));
    run(&["backup", &source, &vault, "--name", "b"]).expect(0);
    let good = format!("{vault}/b");
    let dead = "http://127.0.0.1:9";
    let s3 = [("AWS_ENDPOINT", dead), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")];
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let no_keys = [("AWS_METADATA_ENDPOINT", dead), ("AWS_PROFILE", "dev")];
    let google = [("GCE_METADATA_HOST", "127.0.0.1:9"), ("GCE_METADATA_IP", "127.0.0.1:9"), ("HOME", &new)];
    let azure = [("AZURE_STORAGE_ACCOUNT", "a"), ("AZURE_MSI_ENDPOINT", dead)];
    let secret: &[&str] = &["AWS_SECRET_ACCESS_KEY", "`AWS_PROFILE` is set"];
    let stores = [
        ("s3://b", [&s3[..], &keys].concat(), "unreachable", &[][..]),
        ("s3://b", [&s3[..], &no_keys].concat(), "no-credentials", secret),
        ("gs://b", google.to_vec(), "no-credentials", &["GOOGLE_SERVICE_ACCOUNT"]),
        ("az://b", azure.to_vec(), "no-credentials", &["AZURE_STORAGE_ACCESS_KEY"]),
    ];
    let backups = stores.each_ref().map(|(url, ..)| format!("{url}/vault/b"));
    std::thread::scope(|scope| {
        for ((url, variables, code, said), backup) in stores.iter().zip(&backups) {
            let calls: [&[&str]; 13] = [
                &["discover", url],
                &["certify", url],
                &["certify", backup],
                &["list", url],
                &["verify", backup],
                &["leftovers", url],
                &["plan", url, &vault],
                &["plan", &source, url],
                &["backup", url, &vault],
                &["backup", &source, url],
                &["restore", backup, &new, "--servers-stopped"],
                &["restore", &good, url, "--servers-stopped"],
                &["restore", &good, url, "--abandon"],
            ];
            for call in calls {
                let arguments: Vec<String> = call.iter().chain([&"--json"]).map(|text| (*text).to_owned()).collect();
                scope.spawn(move || {
                    let began = Instant::now();
                    let mut call = command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
                    call.envs(variables.iter().copied());
                    let answer = Answer::of(call.output().expect("the program starts")).expect_error(6, code);
                    let error = answer.json()["error"].to_string();
                    assert!(said.iter().chain([url]).all(|part| error.contains(part)), "{arguments:?}: {error}");
                    assert!(began.elapsed() < Duration::from_secs(40), "{arguments:?}: {:?}", began.elapsed());
                });
            }
        }
    });
}
