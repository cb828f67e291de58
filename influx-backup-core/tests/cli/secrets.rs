//! Secrets, wherever they can be given, in no output and in no file, whatever the program does with them.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, sync::Mutex};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    program::{Answer, Scratch, command, run},
    servers::{Canned, InProcessS3, S3Account, StoreServer, answer},
};

/// What all secrets hold.
const MARK: &str = "l34kl34kl34k";

/// Where no store is.
const DEAD: &str = "http://127.0.0.1:9";

type Options = BTreeMap<String, String>;

fn options(pairs: &[(&str, &str)]) -> Options {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The mark as it is, and as base64 has it wherever it begins. Percent-encoding changes no letter of it.
fn forms() -> Vec<String> {
    let encoded = (0..3).map(|before| {
        let text = format!("{}{MARK}", "x".repeat(before));
        let encoded = BASE64_STANDARD.encode(&text);
        encoded[before.div_ceil(2) + before..text.len() / 3 * 4].to_owned()
    });
    std::iter::once(MARK.to_owned()).chain(encoded).collect()
}

#[track_caller]
fn assert_hidden(what: &str, shown: &[u8]) {
    let shown = String::from_utf8_lossy(shown);
    for form in forms() {
        assert!(!shown.contains(&form), "{what} shows a secret as `{form}`:\n{shown}");
    }
}

#[test]
fn the_mark_is_found_in_each_form() {
    for secret in [MARK.to_owned(), format!("k:{MARK}"), format!("us:{MARK}x"), format!("use:{MARK}==")] {
        let encoded = BASE64_STANDARD.encode(&secret);
        assert!(forms().iter().any(|form| encoded.contains(form)), "{secret}: {encoded} in {:?}", forms());
    }
}

/// The options of a store that is secret through and through.
fn stores(endpoint: &str) -> [(&'static str, Options); 7] {
    let key = BASE64_STANDARD.encode(format!("{MARK}{}", "x".repeat(32 - MARK.len())));
    let sas = format!("sv=2024-01-01&sig={MARK}%2Fx%3D");
    let account = json!({
        "private_key": MARK, "private_key_id": "i", "client_email": "e", "disable_oauth": true,
    });
    let s3 = |more: &[(&str, &str)]| {
        let all = [("aws_endpoint", endpoint), ("aws_allow_http", "true"), ("aws_region", "us-east-1")];
        options(&[&all, more].concat())
    };
    let azure = |more: &[(&str, &str)]| {
        let all = [("azure_endpoint", endpoint), ("azure_allow_http", "true"), ("azure_storage_account", "a")];
        options(&[&all, more].concat())
    };
    let secret = format!("{MARK}/+");
    [
        ("s3", s3(&[("aws_access_key_id", "k"), ("aws_secret_access_key", &secret), ("aws_session_token", MARK)])),
        (
            "s3",
            s3(&[
                ("aws_access_key_id", "k"),
                ("aws_secret_access_key", &secret),
                ("aws_server_side_encryption", "sse-c"),
                ("aws_sse_customer_key_base64", &key),
            ]),
        ),
        ("az", azure(&[("azure_storage_access_key", &key), ("azure_storage_encryption_key", &key)])),
        ("az", azure(&[("azure_storage_sas_token", &sas)])),
        ("az", azure(&[("azure_storage_token", MARK)])),
        (
            "az",
            azure(&[
                ("azure_storage_client_id", "c"),
                ("azure_storage_client_secret", &secret),
                ("azure_storage_tenant_id", "t"),
                ("azure_storage_authority_host", endpoint),
            ]),
        ),
        (
            "gs",
            options(&[
                ("google_base_url", endpoint),
                ("google_allow_http", "true"),
                ("google_service_account_key", &account.to_string()),
                ("proxy_url", &format!("http://us:{MARK}@{}", endpoint.trim_start_matches("http://"))),
            ]),
        ),
    ]
}

/// How options are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Flags,
    Lines,
    Json,
    Environment,
}

/// A directory with a cluster and a backup.
struct Place {
    scratch: Scratch,
    /// What was shown, by who showed it.
    shown: Mutex<Vec<(String, Answer)>>,
}

impl Place {
    fn new() -> Self {
        let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
        run(&["backup", &scratch.path("source"), &scratch.path("vault"), "--name", "b"]).expect(0);
        fs::create_dir(scratch.path("options")).expect("a directory");
        Self { scratch, shown: Mutex::default() }
    }

    /// Every verb with this URL in each place that it has for one: whether it reads or writes there.
    fn verbs(&self, url: &str) -> Vec<Vec<String>> {
        let [source, vault, new] = ["source", "vault", "new"].map(|name| self.scratch.path(name));
        let (good, backup) = (format!("{vault}/b"), format!("{url}/b"));
        let calls: [(&str, &[&str]); 12] = [
            ("source", &["discover", url]),
            ("source", &["certify", url]),
            ("source", &["list", url]),
            ("source", &["verify", &backup]),
            ("target", &["leftovers", url]),
            ("source", &["plan", url, &vault]),
            ("target", &["plan", &source, url]),
            ("source", &["backup", url, &vault]),
            ("target", &["backup", &source, url]),
            ("source", &["restore", &backup, &new, "--servers-stopped"]),
            ("target", &["restore", &good, url, "--servers-stopped"]),
            ("target", &["restore", &good, url, "--abandon"]),
        ];
        calls.map(|(side, call)| [&[side], call].concat().into_iter().map(ToOwned::to_owned).collect()).into()
    }

    /// Runs a verb, the first word of which is the side that options are for.
    fn call(&self, words: &[String], options: &Options, given: Given) -> Answer {
        let (side, call) = words.split_first().expect("a verb");
        let mut call = command(&call.iter().map(String::as_str).collect::<Vec<_>>());
        call.env("HOME", self.scratch.path("new"));
        match given {
            Given::Flags => {
                for (name, value) in options {
                    call.arg(format!("--{side}-option")).arg(format!("{name}={value}"));
                }
            }
            Given::Environment => drop(call.envs(options.iter().map(|(name, value)| (name.to_uppercase(), value)))),
            Given::Lines | Given::Json => {
                let text = match given {
                    Given::Json => serde_json::to_string(options).expect("JSON"),
                    _ => options.iter().map(|(name, value)| format!("{name}={value}\n")).collect(),
                };
                let path = self.scratch.path(&format!("options/{:016x}", rand::random::<u64>()));
                fs::write(&path, text).expect("written");
                call.arg(format!("--{side}-options-file")).arg(path);
            }
        }
        let answer = Answer::of(call.args(["--json", "-vv"]).output().expect("the program starts"));
        self.shown.lock().expect("no panic").push((format!("{words:?} {given:?}"), answer.clone()));
        answer
    }

    /// Fails where anything that was shown or written has the mark.
    fn assert_hidden(&self) {
        for (call, answer) in &*self.shown.lock().expect("no panic") {
            assert_hidden(call, answer.stdout.as_bytes());
            assert_hidden(call, answer.stderr.as_bytes());
        }
        for (path, bytes) in self.scratch.files(".") {
            if !path.starts_with("options") {
                assert_hidden(&path.display().to_string(), &bytes);
            }
        }
    }
}

/// Of stores that are not there, and of one that repeats in its errors whatever it was sent.
#[test]
fn no_verb_that_fails_shows_a_secret() {
    let place = Place::new();
    let echo = Canned::serve(|request| {
        let sent = format!("{} {:?} {}", request.uri(), request.headers(), String::from_utf8_lossy(request.body()));
        let sent = sent.replace('&', "&amp;").replace('<', "&lt;");
        answer(403, &[], format!("<Error><Code>Forbidden</Code><Message>{sent}</Message></Error>"))
    });
    let secrets = [stores(DEAD), stores(&echo.endpoint())].concat();
    let ways = [Given::Flags, Given::Lines, Given::Json, Given::Environment];
    let calls: Vec<_> = secrets
        .iter()
        .enumerate()
        .flat_map(|(number, (scheme, options))| {
            let url = format!("{scheme}://bucket/p");
            place.verbs(&url).into_iter().enumerate().map(move |(at, words)| (words, options, ways[(number + at) % 4]))
        })
        .collect();
    std::thread::scope(|scope| {
        for part in calls.chunks(calls.len().div_ceil(16)) {
            let place = &place;
            scope.spawn(move || {
                for (words, options, given) in part {
                    let answer = place.call(words, options, *given);
                    assert!(matches!(answer.code, 2 | 5 | 6), "{words:?} {given:?}: {answer:?}");
                    answer.json();
                }
            });
        }
    });
    assert!(!echo.requests().is_empty());
    place.assert_hidden();
}

/// What a URL must not have is refused by each verb, and what an option must not be.
#[test]
fn what_is_refused_is_not_repeated() {
    let place = Place::new();
    let keys = options(&[("aws_access_key_id", "k"), ("aws_secret_access_key", "s"), ("aws_allow_http", "true")]);
    for url in [
        format!("s3://key:{MARK}@bucket/p"),
        format!("s3://{MARK}@bucket"),
        format!("s3://bucket/p?X-Amz-Signature={MARK}"),
        format!("s3://bucket/p#{MARK}"),
        format!("s3://b:{MARK}@bucket/p?sig={MARK}"),
        format!("https://account.blob.core.windows.net/c/p?sv=1&sig={MARK}%3D"),
        format!("az://container?{MARK}"),
        format!("gs://u:{MARK}@bucket/"),
        format!("file://u:{MARK}@host/p"),
        format!("file:///p?{MARK}"),
    ] {
        for words in place.verbs(&url) {
            let answer = place.call(&words, &keys, Given::Environment);
            assert_eq!(answer.code, 2, "{words:?}: {answer:?}");
        }
    }
    let userinfo = format!("http://key:{MARK}@127.0.0.1:9");
    for (name, value) in [
        ("aws_endpoint", userinfo.clone()),
        ("aws_endpoint", format!("{DEAD}?X-Amz-Signature={MARK}")),
        ("aws_endpoint", format!("key:{MARK}@host")),
        ("aws_session_token", format!("{MARK} {MARK}")),
        ("aws_sse_customer_key_base64", MARK.to_owned()),
        ("proxy_url", format!("ftp://u:{MARK}@127.0.0.1:9")),
        ("object_store_max_retries", MARK.to_owned()),
        ("object_store_tls_ca", format!("{MARK}\n")),
    ] {
        // The environment has other names for a proxy.
        let ways = [Given::Flags, Given::Json, Given::Environment];
        for given in ways.into_iter().filter(|given| name != "proxy_url" || *given != Given::Environment) {
            let options = keys.clone().into_iter().chain([(name.to_owned(), value.clone())]).collect();
            let words = ["source", "discover", "s3://bucket/p"].map(ToOwned::to_owned);
            let answer = place.call(&words, &options, given);
            assert_eq!(answer.code, 2, "{name} {given:?}: {answer:?}");
        }
    }
    place.assert_hidden();
}

#[test]
fn an_argument_that_may_be_a_secret_is_not_repeated() {
    let long = MARK.repeat(4);
    let wrong: [&[&str]; 10] = [
        &["--source-option", MARK],
        &[&format!("--source-option={MARK}")],
        &["--source-option", &format!("={MARK}")],
        &["--source-option", &format!("{long}==")],
        &["--source-option", &format!("{long}=")],
        &["--source-option", &format!("{MARK}/{MARK}=x")],
        &["--source-option", "aws_secret_access_key", MARK],
        &["--source-option", "aws_secret_access_key=", MARK],
        &[&format!("--source-optoin=aws_secret_access_key={MARK}")],
        &["--source-optoin", &format!("aws_secret_access_key={MARK}")],
    ];
    for arguments in wrong {
        for more in [&[][..], &["--json"]] {
            let answer = run(&[&["backup", "/no/source", "s3://bucket"], arguments, more].concat());
            assert_eq!(answer.code, 2, "{arguments:?}: {answer:?}");
            assert_hidden(&format!("{arguments:?}"), format!("{answer:?}").as_bytes());
        }
    }
}

/// Its lines are not repeated, and who can read it is told.
#[test]
fn a_file_with_options_is_read_and_not_repeated() {
    let scratch = Scratch::with_cluster(&["--snapshots", "2"]);
    let file = scratch.path("options");
    let (source, vault) = (scratch.path("source"), scratch.path("vault"));
    let call = |text: &str, mode: u32| {
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        run(&["discover", "s3://bucket/p", "--source-options-file", &file])
    };
    for text in [
        MARK.to_owned(),
        format!("aws_region=x\n{MARK}={MARK}==/\n{MARK}"),
        format!("{{ \"{MARK}"),
        format!("{{\"a\": [\"{MARK}\"]}}"),
    ] {
        let answer = call(&text, 0o600).expect(2);
        assert!(!answer.stderr.contains("warning") && answer.stderr.contains("--source-options-file"), "{answer:?}");
        assert_hidden(&text, format!("{answer:?}").as_bytes());
    }
    let answer = call(&format!("aws_endpoint=http://x:{MARK}@h\n"), 0o644).expect(2);
    assert!(answer.stderr.contains("warning: other users can read"), "{answer:?}");
    assert_hidden("a file that is open", format!("{answer:?}").as_bytes());

    // It is used: what is given beside it counts over it.
    fs::write(&file, "object_store_max_retries=3\n").expect("written");
    let used = ["backup", &source, &vault, "--target-options-file", &file, "--json"];
    run(&used).expect_error(2, "unknown-option");
    run(&["backup", &source, &vault, "--source-options-file", "/no/such/file", "--json"]).expect_error(2, "usage");
}

/// A whole life with an account whose keys are secret: backed up, verified, restored.
#[tokio::test(flavor = "multi_thread")]
async fn no_verb_that_succeeds_shows_a_secret() {
    let place = Place::new();
    let server = InProcessS3::start();
    let bucket = server.fresh_bucket().await;
    let keys = S3Account { access_key_id: "key".to_owned(), secret_access_key: format!("{MARK}/+=") };
    server.accounts().admit(&keys);
    let options = keys.options(server.address());
    let (url, new) = (server.url(&bucket, "vault"), place.scratch.path("new"));
    let backup = format!("{url}/n");
    let source = place.scratch.path("source");
    let calls: [(&[&str], Given); 9] = [
        (&["target", "plan", &source, &url], Given::Flags),
        (&["target", "backup", &source, &url, "--name", "n"], Given::Flags),
        (&["source", "discover", &backup], Given::Json),
        (&["source", "certify", &backup], Given::Lines),
        (&["source", "list", &url], Given::Environment),
        (&["source", "verify", &backup, "--level", "bytes"], Given::Json),
        (&["target", "leftovers", &url], Given::Lines),
        (&["source", "restore", &backup, &new, "--dry-run"], Given::Flags),
        (&["source", "restore", &backup, &new, "--servers-stopped"], Given::Environment),
    ];
    for (words, given) in calls {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        place.call(&words, &options, given).expect(0);
    }
    place.assert_hidden();
    for object in objects_of(&server, &keys, &bucket).await {
        assert_hidden("an object", &object);
    }
}

async fn objects_of(server: &InProcessS3, keys: &S3Account, bucket: &str) -> Vec<Vec<u8>> {
    use futures::TryStreamExt;
    use object_store::{ObjectStore, ObjectStoreExt};
    let store = keys.client(server.address(), bucket);
    let listed: Vec<_> = store.list(None).try_collect().await.expect("a listing");
    assert!(!listed.is_empty());
    let mut objects = Vec::new();
    for object in listed {
        objects.push(store.get(&object.location).await.expect("a get").bytes().await.expect("a body").to_vec());
    }
    objects
}
