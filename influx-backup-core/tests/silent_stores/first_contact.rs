//! The first contact of every verb with a store that is not there, or not for these credentials: the right error, about the
//! right location, within seconds.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use futures::{
    future::{BoxFuture, FutureExt},
    stream::{self, StreamExt},
};
use influx_backup_core::{
    BackupOptions, DiscoverOptions, Error, Key, Location, Repository, Restore, RestoreOptions, RestoreRunOptions,
    StoreOptions, VerifyOptions, abandon, certify, discover, options::AbandonOptions, preflight,
    testing::generate::Generate,
};
use tokio::net::TcpListener;

use crate::{
    outages::Bed,
    servers::{
        Canned, StoreServer, answer, azurite, fake_gcs, in_process_s3,
        loopback::{listener_of, socket_at},
    },
};

/// What one request may be silent for, and some for a machine that does other things.
const LIMIT: Duration = Duration::from_secs(30);

/// How many cases run at once: they mostly wait, but not while their clients are made.
const AT_ONCE: usize = 64;

/// A store that cannot be used, and what every verb says of it.
#[derive(Debug, Clone)]
struct Store {
    what: String,
    url: String,
    options: BTreeMap<String, String>,
    code: &'static str,
}

impl Store {
    /// A location of its own in it: what was heard of the store before is not known to it.
    fn far(&self, prefix: &str) -> Location {
        let options: StoreOptions = self.options.clone().into_iter().collect();
        Location::parse(&format!("{}/{prefix}", self.url), &options).expect("a location")
    }
}

type Done = BoxFuture<'static, Result<(), Error>>;
type Verb = (&'static str, fn(Bed, Store) -> Done);

async fn opened(location: Location) -> Result<Repository, Error> {
    Repository::open(location).await
}

const VERBS: [Verb; 17] = [
    ("discover", |_, store| {
        async move { discover(&store.far("cluster"), &DiscoverOptions::default()).await.map(drop) }.boxed()
    }),
    ("certify", |_, store| async move { certify(&store.far("backups/b")).await.map(drop) }.boxed()),
    ("open", |_, store| async move { opened(store.far("backups")).await.map(drop) }.boxed()),
    ("list", |_, store| async move { Repository::at(store.far("backups")).list().await.map(drop) }.boxed()),
    ("get", |_, store| async move { Repository::at(store.far("backups")).get("b").await.map(drop) }.boxed()),
    ("leftovers", |_, store| async move { Repository::at(store.far("backups")).leftovers().await.map(drop) }.boxed()),
    ("verify", |_, store| {
        async move { Repository::at(store.far("backups")).verify("b", VerifyOptions::bytes()).await.map(drop) }.boxed()
    }),
    ("plan a backup from it", |bed, store| {
        async move {
            let cluster = discover(&bed.location("cluster"), &DiscoverOptions::default()).await.expect("discovered");
            let cluster = influx_backup_core::Cluster::new(store.far("cluster"), cluster.description().clone());
            let repository = opened(bed.location("backups")).await.expect("opened");
            repository.plan_backup(&cluster, &BackupOptions::default()).await.map(drop)
        }
        .boxed()
    }),
    ("plan a backup to it", |bed, store| {
        async move {
            let cluster = discover(&bed.location("cluster"), &DiscoverOptions::default()).await.expect("discovered");
            let repository = Repository::at(store.far("backups"));
            repository.plan_backup(&cluster, &BackupOptions::default()).await.map(drop)
        }
        .boxed()
    }),
    ("backup from it", |bed, store| {
        async move {
            let cluster = discover(&bed.location("cluster"), &DiscoverOptions::default()).await.expect("discovered");
            let cluster = influx_backup_core::Cluster::new(store.far("cluster"), cluster.description().clone());
            let repository = opened(bed.location("backups")).await.expect("opened");
            repository.backup(&cluster, BackupOptions::default()).await.map(drop)
        }
        .boxed()
    }),
    ("backup to it", |bed, store| {
        async move {
            let cluster = discover(&bed.location("cluster"), &DiscoverOptions::default()).await.expect("discovered");
            Repository::at(store.far("backups")).backup(&cluster, BackupOptions::default()).await.map(drop)
        }
        .boxed()
    }),
    ("plan a restore from it", |bed, store| {
        async move {
            let repository = Repository::at(store.far("backups"));
            repository.plan_restore("b", &bed.location("nowhere"), &RestoreOptions::empty()).await.map(drop)
        }
        .boxed()
    }),
    ("plan a restore to it", |bed, store| {
        async move {
            let repository = opened(bed.location("backups")).await.expect("opened");
            repository.plan_restore("b", &store.far("target"), &RestoreOptions::empty()).await.map(drop)
        }
        .boxed()
    }),
    ("restore from it", |bed, store| {
        async move {
            let repository = Repository::at(store.far("backups"));
            repository.restore_backup("b", &bed.location("nowhere"), RestoreOptions::empty()).await.map(drop)
        }
        .boxed()
    }),
    ("restore to it", |bed, store| restored(bed, store, RestoreRunOptions::default()).boxed()),
    ("resume a restore to it", |bed, store| restored(bed, store, RestoreRunOptions::default().resuming()).boxed()),
    ("abandon a restore to it", |_, store| {
        async move { abandon(&store.far("target"), AbandonOptions::default()).await.map(drop) }.boxed()
    }),
];

async fn restored(bed: Bed, store: Store, options: RestoreRunOptions) -> Result<(), Error> {
    let backup = opened(bed.location("backups")).await.expect("opened").get("b").await.expect("got");
    let restore = Restore::new(backup, store.far("target"), RestoreOptions::empty());
    restore.with_run_options(options).await.map(drop)
}

fn with(mut options: BTreeMap<String, String>, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    options
}

/// What any store can be: nothing listens, nothing answers, no such host, no such bucket.
fn absent(server: &'static dyn StoreServer, silent: SocketAddr, missing: &Canned) -> Vec<Store> {
    let dead = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let endpoint = match server.scheme() {
        "s3" => "AWS_ENDPOINT",
        "az" => "AZURE_ENDPOINT",
        _ => "GOOGLE_BASE_URL",
    };
    let unknown = with(server.options(), &[(endpoint, "http://store.invalid/account")]);
    let url = server.url("no-such-bucket", "a");
    // The emulator of Google's service answers 500 to a listing of a bucket that does not exist.
    let no_bucket = match server.scheme() {
        "gs" => with(server.options(), &[(endpoint, &missing.endpoint())]),
        _ => server.options(),
    };
    let absent = [
        ("refused", server.options_at(dead), "unreachable"),
        ("silent", server.options_at(silent), "unreachable"),
        ("unknown host", unknown, "unreachable"),
        ("no bucket", no_bucket, "location-not-found"),
    ];
    let store =
        |(what, options, code)| Store { what: format!("{}: {what}", server.name()), url: url.clone(), options, code };
    absent.map(store).into()
}

/// Stores that are there, without credentials that they take.
fn without_rights(bed: &Bed, metadata: &[(&'static str, SocketAddr)]) -> Vec<Store> {
    let s3 = in_process_s3();
    let store =
        |what: &str, url: &str, options, code| Store { what: what.to_owned(), url: url.to_owned(), options, code };
    let url = s3.url(&bed.bucket, "a");
    let wrong = with(s3.options(), &[("AWS_SECRET_ACCESS_KEY", "wrong")]);
    let mut stores = vec![store("S3: wrong key", &url, wrong, "access-denied")];
    for (what, address) in metadata {
        let metadata = format!("http://{address}");
        let keys = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_METADATA_ENDPOINT", &metadata)];
        stores.push(store(&format!("S3: no key, metadata {what}"), &url, with(s3.options(), &keys), "no-credentials"));
        let Some(azurite) = azurite() else { continue };
        let keys = [("AZURE_STORAGE_ACCESS_KEY", ""), ("AZURE_MSI_ENDPOINT", &metadata)];
        let options = with(azurite.options(), &keys);
        let url = azurite.url("container", "a");
        stores.push(store(&format!("Azure: no key, metadata {what}"), &url, options, "no-credentials"));
    }
    stores
}

/// Services that answer with a token of which no header can be made.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_a_line_break_is_named_by_its_service() {
    let aws = |token: &str| {
        serde_json::json!({
            "AccessKeyId": "k", "SecretAccessKey": "s3cr3t", "Token": token, "Expiration": "2100-01-01T00:00:00Z",
        })
        .to_string()
    };
    let token = "s3cr3t\n";
    let bearer =
        serde_json::json!({ "access_token": token, "expires_in": 3600, "expires_on": "4102444800" }).to_string();
    let of_container = aws(token);
    let container = Canned::serve(move |_| answer(200, &[], of_container.clone()));
    let of_machine = aws(token);
    let machine = Canned::serve(move |request| match request.uri().path() {
        "/latest/api/token" => answer(200, &[], "t"),
        path if path.ends_with("/security-credentials/") => answer(200, &[], "role"),
        _ => answer(200, &[], of_machine.clone()),
    });
    // Its first token is already none.
    let broken = Canned::serve(move |_| answer(200, &[], "t\n"));
    let identity = Canned::serve(move |_| answer(200, &[], bearer.clone()));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "t").expect("written");
    let file = file.path().to_str().expect("UTF-8");
    let s3 = [("aws_endpoint", "http://127.0.0.1:9"), ("aws_allow_http", "true")];
    let azure =
        [("azure_storage_account", "a"), ("azure_endpoint", "http://127.0.0.1:9/a"), ("azure_allow_http", "true")];
    let uri = container.endpoint();
    let container = [("aws_container_credentials_full_uri", &*uri), ("aws_container_authorization_token_file", file)];
    for (url, options, code, service) in [
        ("s3://b", [&s3[..], &container].concat(), "access-denied", "`AWS_CONTAINER_CREDENTIALS_FULL_URI`"),
        (
            "s3://b",
            [&s3[..], &[("aws_metadata_endpoint", &machine.endpoint())]].concat(),
            "no-credentials",
            "metadata service",
        ),
        (
            "s3://b",
            [&s3[..], &[("aws_metadata_endpoint", &broken.endpoint())]].concat(),
            "no-credentials",
            "metadata service",
        ),
        (
            "az://c",
            [&azure[..], &[("azure_msi_endpoint", &identity.endpoint())]].concat(),
            "no-credentials",
            "managed identities",
        ),
    ] {
        let location = Location::parse(url, &options.into_iter().collect()).expect("a location");
        let report = preflight::source(&location).await.expect_err(service).report();
        let shown = format!("{report:?}");
        assert_eq!(report.code, code, "{shown}");
        assert!(report.causes.iter().any(|cause| cause.contains(service)), "{shown}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}

/// A service that refuses credentials: its 404 is not the store's.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_of_credentials_refuses_is_not_what_the_store_said() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "t").expect("written");
    let file = file.path().to_str().expect("UTF-8");
    for status in [400, 403, 404] {
        let service = Canned::serve(move |_| answer(status, &[], "no"));
        let options = [
            ("aws_endpoint", "http://127.0.0.1:9"),
            ("aws_allow_http", "true"),
            ("aws_container_credentials_full_uri", &service.endpoint()),
            ("aws_container_authorization_token_file", file),
        ];
        let location = Location::parse("s3://b", &options.into_iter().collect()).expect("a location");
        let error = location.list("").await.expect_err("refused");
        let report = error.report();
        assert_eq!(report.code, "access-denied", "{status}: {report:?}");
        let named = "`AWS_CONTAINER_CREDENTIALS_FULL_URI` gave no credentials";
        assert!(report.causes.iter().any(|cause| cause.contains(named)), "{status}: {report:?}");
        let key = Key::parse("a/b").expect("a key");
        assert_eq!(location.delete(&key).await.expect_err("nothing was deleted").code(), "access-denied", "{status}");
    }
}

async fn fails(bed: Bed, store: Store, (verb, call): Verb) -> Result<(), String> {
    let what = format!("{} ({verb})", store.what);
    let began = Instant::now();
    let done = call(bed, store.clone()).await;
    let took = began.elapsed();
    let Err(error) = done else { return Err(format!("{what}: it succeeded")) };
    let report = error.report();
    let right = report.code == store.code && took < LIMIT && report.message.contains(&store.url);
    if right { Ok(()) } else { Err(format!("{what}: {took:?}, not {}: {report:#?}", store.code)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_says_within_seconds_what_is_wrong_with_a_store() {
    let bed = Bed::new(in_process_s3(), &Generate::core("n1").snapshots(1).files_per_snapshot(1)).await;
    let silent: TcpListener = listener_of(socket_at((Ipv4Addr::LOCALHOST, 0).into()));
    let silent = silent.local_addr().map(|address| (silent, address)).expect("an address");
    let junk = Canned::serve(|_| answer(200, &[], "<html>\nlog in</html>"));
    let missing = Canned::serve(|_| answer(404, &[], "<Error><Code>NoSuchBucket</Code></Error>"));
    let dead = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let mut servers: Vec<&'static dyn StoreServer> = vec![in_process_s3()];
    servers.extend(azurite().map(|server| server as &dyn StoreServer));
    servers.extend(fake_gcs().map(|server| server as &dyn StoreServer));
    let mut stores: Vec<_> = servers.into_iter().flat_map(|server| absent(server, silent.1, &missing)).collect();
    let metadata = [("dead", dead), ("silent", silent.1), ("junk", junk.address()), ("missing", missing.address())];
    stores.extend(without_rights(&bed, &metadata));
    let cases = stores.iter().flat_map(|store| VERBS.map(|verb| fails(bed.clone(), store.clone(), verb)));
    let cases: Vec<_> = cases.collect();
    let done = stream::iter(cases).map(tokio::spawn).buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = done.filter_map(async |done| done.expect("no panic").err()).collect().await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), stores.len() * VERBS.len(), wrong.join("\n"));
}
