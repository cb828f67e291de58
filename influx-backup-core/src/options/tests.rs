//! Options are data: they are written and read back equal, unknown fields are refused, `{}` is the default.

use std::{fmt::Debug, time::Duration};

use proptest::{collection::vec, option, prelude::*, sample::select, string::string_regex, test_runner::TestCaseError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

mod schema;

use super::*;
use crate::{
    ByteSize, DiscoverOptions,
    limits::{Durability, Limits, Retry},
};

/// Every options struct, and the names of its fields.
#[test]
fn every_options_struct_has_defaults_and_refuses_unknown_fields() {
    is_plain::<BackupOptions>(&[
        "absence_tolerance",
        "derived",
        "digest",
        "limits",
        "name",
        "on_corrupt",
        "on_existing",
        "on_unreadable",
        "on_violation",
        "passes",
        "sign",
        "sign_password",
        "stop_timeout",
        "takeover",
    ]);
    is_plain::<RestoreOptions>(&[
        "check",
        "expect_sha256",
        "extra_nodes",
        "licenses",
        "linked_directories",
        "on_catalog_mismatch",
        "on_degraded",
        "ownership",
        "policy",
        "trust",
    ]);
    is_plain::<RestoreRunOptions>(&["limits", "on_unfinished", "servers_stopped", "stop_timeout", "takeover"]);
    is_plain::<DiscoverOptions>(&["cluster_id", "excluded_nodes", "node_ids", "query_only"]);
    is_plain::<Limits>(&["bandwidth", "concurrency", "durability", "memory", "retry", "stall_timeout"]);
    is_plain::<Retry>(&["initial_backoff", "max_backoff", "max_elapsed", "max_outage"]);
    is_plain::<Passes>(&["max_passes", "time_limit"]);
    is_plain::<Ownership>(&["modes", "owner"]);
    is_plain::<AbandonOptions>(&["takeover"]);
    is_plain::<ListOptions>(&["trust"]);
    is_plain::<VerifyOptions>(&["expect_sha256", "level", "limits", "sample_percent", "trust"]);
    is_plain::<CertifyOptions>(&["discover", "expect_sha256", "limits", "trust"]);
}

fn is_plain<T: Default + Debug + PartialEq + Serialize + DeserializeOwned>(fields: &[&str]) {
    let of_nothing: T = serde_json::from_value(json!({})).expect("all fields have defaults");
    assert_eq!(of_nothing, T::default());
    let Value::Object(written) = serde_json::to_value(T::default()).expect("serializes") else { panic!("no object") };
    let mut names: Vec<_> = written.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, fields);
    let error = serde_json::from_value::<T>(json!({ "bogus": 1 })).expect_err("unknown").to_string();
    assert!(error.contains("unknown field `bogus`"), "{error}");
}

#[test]
fn they_read_as_people_write_them() {
    let options: BackupOptions = serde_json::from_value(json!({
        "name": "monday",
        "passes": { "max_passes": 3, "time_limit": "6h" },
        "on_violation": "degrade",
        "on_existing": "resume",
        "takeover": "immediately",
        "limits": { "memory": "64MiB", "bandwidth": 1000, "stall_timeout": "90s", "retry": { "max_elapsed": "2m", "max_outage": "90s" } },
    }))
    .expect("options");
    let retry = Retry::default().for_at_most(Duration::from_secs(120)).with_max_outage(Duration::from_secs(90));
    let limits = Limits::default()
        .with_memory(ByteSize::mib(64))
        .with_bandwidth(ByteSize(1000))
        .with_stall_timeout(Duration::from_secs(90))
        .with_retry(retry);
    let expected = BackupOptions::default()
        .with_name("monday")
        .with_passes(Passes::until_closed(3, Duration::from_secs(6 * 3600)))
        .with_on_violation(OnViolation::Degrade)
        .resuming()
        .with_takeover(Takeover::Immediately)
        .with_limits(limits);
    assert_eq!(options, expected);

    for (seconds, expected) in [(json!(90), 90_000), (json!(90.0), 90_000), (json!(0.25), 250)] {
        let passes: Passes = serde_json::from_value(json!({ "time_limit": seconds })).expect("seconds");
        assert_eq!(passes.time_limit, Duration::from_millis(expected));
    }
    let limits: Limits =
        serde_json::from_value(json!({ "memory": 1e6, "retry": { "max_outage": 7 } })).expect("numbers");
    assert_eq!((limits.memory, limits.retry.max_outage), (ByteSize(1_000_000), Some(Duration::from_secs(7))));

    let options: RestoreOptions = serde_json::from_value(json!({
        "policy": "replace",
        "ownership": { "owner": "1500:1500", "modes": "0640" },
    }))
    .expect("options");
    let owner = Owner::Explicit { user: Account::Number(1500), group: Some(Account::Number(1500)) };
    let expected = RestoreOptions::replace()
        .with_ownership(Ownership::default().with_owner(owner).with_modes(Modes::of_files(0o640)));
    assert_eq!(options, expected);

    let options: RestoreRunOptions =
        serde_json::from_value(json!({ "servers_stopped": "confirmed_by_caller", "stop_timeout": "2m" }))
            .expect("options");
    let expected = RestoreRunOptions::servers_stopped().with_stop_timeout(Duration::from_secs(120));
    assert_eq!(options, expected);
}

/// `servers_stopped=True` in Python, `serversStopped: true` in Node.
#[test]
fn stopped_servers_are_confirmed_by_true() {
    let read = |value: Value| serde_json::from_value::<RestoreRunOptions>(json!({ "servers_stopped": value }));
    for (value, expected) in [
        (json!(true), ServersStopped::ConfirmedByCaller),
        (json!(false), ServersStopped::NotConfirmed),
        (json!("not_confirmed"), ServersStopped::NotConfirmed),
    ] {
        assert_eq!(read(value).expect("read").servers_stopped, expected);
    }
    let error = read(json!("yes")).expect_err("no name").to_string();
    assert_eq!(error, "unknown variant `yes`, expected `not_confirmed` or `confirmed_by_caller`");
    for not_read in [json!(1), json!(null), json!({})] {
        let error = read(not_read).expect_err("neither").to_string();
        let names = "expected `true`, `false`, `not_confirmed` or `confirmed_by_caller`";
        assert!(error.ends_with(names), "{error}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_the_choices() {
    let error = serde_json::from_value::<RestoreOptions>(json!({ "policy": "Replace" })).expect_err("upper case");
    assert_eq!(error.to_string(), "unknown variant `Replace`, expected one of `empty`, `replace`, `overlay`");
    let error = serde_json::from_value::<Passes>(json!({ "time_limit": "soon" })).expect_err("no duration");
    assert!(error.to_string().contains("`soon`"), "{error}");
    for not_read in [json!(-1), json!(1e300), json!(true)] {
        serde_json::from_value::<Passes>(json!({ "time_limit": not_read })).expect_err("no duration");
    }
}

/// The option that `check` refuses.
fn refused(checked: crate::Result<()>) -> &'static str {
    match checked {
        Err(crate::Error::InvalidRequest { option, .. }) => option,
        other => panic!("{other:?}"),
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let backup = BackupOptions::default;
    backup().check().expect("defaults");
    backup().with_name("n1").resuming().with_takeover(Takeover::Immediately).check().expect("fits");
    assert_eq!(refused(backup().resuming().check()), "on_existing");
    assert_eq!(refused(backup().with_name("n1").with_takeover(Takeover::Immediately).check()), "takeover");
    let none = Passes::until_closed(0, Duration::from_secs(1));
    assert_eq!(refused(backup().with_passes(none).check()), "passes.max_passes");
    for bad in ["", "a/b", "..", "_influx_backup", "_shared", ".hidden", "monday ", " monday"] {
        assert_eq!(refused(backup().with_name(bad).check()), "name", "{bad}");
    }
    backup().with_name("n".repeat(255)).check().expect("the longest");
    assert_eq!(refused(backup().with_name("\u{e9}".repeat(128)).check()), "name", "256 bytes");
    let message = |name: &str| backup().with_name(name).check().expect_err(name).to_string();
    assert_eq!(message("a/b"), "`name` cannot be used here: `a/b` contains a `/`: choose another one");
    let escaped = "`name` cannot be used here: `a\\nb` is not the name of a directory: choose another one";
    assert_eq!(message("a\nb"), escaped);
    let nothing_moves = [
        (Limits::default().with_bandwidth(ByteSize(0)), "limits.bandwidth"),
        (Limits::default().with_memory(ByteSize(0)), "limits.memory"),
        (Limits::default().with_concurrency(0), "limits.concurrency"),
        (Limits::default().with_stall_timeout(Duration::ZERO), "limits.stall_timeout"),
    ];
    for (limits, option) in nothing_moves {
        assert_eq!(refused(backup().with_limits(limits.clone()).check()), option);
        assert_eq!(refused(RestoreRunOptions::default().with_limits(limits.clone()).check()), option);
        assert_eq!(refused(VerifyOptions::default().with_limits(limits.clone()).check()), option);
        assert_eq!(refused(CertifyOptions::default().with_limits(limits).check()), option);
    }

    for policy in Policy::ALL.iter().copied() {
        for extra_nodes in ExtraNodes::ALL.iter().copied() {
            let options = RestoreOptions::default().with_policy(policy).with_extra_nodes(extra_nodes);
            let fits = match extra_nodes {
                ExtraNodes::Refuse => true,
                ExtraNodes::Delete => policy == Policy::Replace,
                ExtraNodes::Keep => policy != Policy::Empty,
            };
            if fits {
                options.check().expect("fits");
            } else {
                assert_eq!(refused(options.check()), "extra_nodes");
            }
        }
    }

    VerifyOptions::bytes_sample(5).check().expect("fits");
    for options in [
        VerifyOptions::bytes_sample(0),
        VerifyOptions::bytes_sample(101),
        VerifyOptions::structure().with_sample_percent(5),
    ] {
        assert_eq!(refused(options.check()), "sample_percent");
    }
}

/// Whether options of this type take a value (or any) under this name.
fn takes<T: Default + Serialize + DeserializeOwned>(option: &str, value: Option<&str>) -> bool {
    let mut options = serde_json::to_value(T::default()).expect("serializes");
    match (options.pointer_mut(&format!("/{}", option.replace('.', "/"))), value) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(field), Some(value)) => {
            *field = json!(value);
            serde_json::from_value::<T>(options).is_ok()
        }
    }
}

#[test]
fn every_hint_names_an_option_and_one_of_its_values() {
    let hints: Vec<_> = crate::error::tests::samples().iter().flat_map(crate::Error::hints).collect();
    assert!(hints.len() > 20, "{hints:?}");
    for hint in hints {
        let (option, value) = (hint.option.as_str(), hint.value.as_deref());
        let is_taken = takes::<BackupOptions>(option, value)
            || takes::<RestoreOptions>(option, value)
            || takes::<RestoreRunOptions>(option, value)
            || takes::<DiscoverOptions>(option, value);
        assert!(is_taken, "{hint}");
    }
}

fn one_of<T: Copy + Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = T> {
    select(values)
}

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..=u64::MAX, 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        (0..100_000_u64).prop_map(Duration::from_secs),
        (0..100_000_u64).prop_map(Duration::from_millis),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    string_regex("\\PC{0,12}").expect("a pattern")
}

fn retries() -> impl Strategy<Value = Retry> {
    (durations(), durations(), durations(), option::of(durations())).prop_map(
        |(initial_backoff, max_backoff, max_elapsed, max_outage)| Retry {
            initial_backoff,
            max_backoff,
            max_elapsed,
            max_outage,
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let sizes = || any::<u64>().prop_map(ByteSize);
    (any::<usize>(), sizes(), option::of(sizes()), retries(), durations(), one_of(Durability::ALL)).prop_map(
        |(concurrency, memory, bandwidth, retry, stall_timeout, durability)| Limits {
            concurrency,
            memory,
            bandwidth,
            retry,
            stall_timeout,
            durability,
        },
    )
}

fn passes() -> impl Strategy<Value = Passes> {
    (any::<u32>(), durations()).prop_map(|(max_passes, time_limit)| Passes { max_passes, time_limit })
}

fn accounts() -> impl Strategy<Value = Account> {
    let names = string_regex("[a-z_][a-z0-9_-]{0,10}").expect("a pattern");
    prop_oneof![any::<u32>().prop_map(Account::Number), names.prop_map(Account::Name)]
}

fn owners() -> impl Strategy<Value = Owner> {
    let explicit = (accounts(), option::of(accounts())).prop_map(|(user, group)| Owner::Explicit { user, group });
    let explicit = explicit
        .prop_filter("a keyword", |owner| !["inherit", "process_default"].contains(&owner.to_string().as_str()));
    prop_oneof![Just(Owner::Inherit), Just(Owner::ProcessDefault), explicit]
}

fn modes() -> impl Strategy<Value = Modes> {
    let bits = || 0..=0o7777_u32;
    let explicit = (bits(), bits()).prop_map(|(files, directories)| Modes::Explicit { files, directories });
    prop_oneof![Just(Modes::Inherit), Just(Modes::ProcessDefault), bits().prop_map(Modes::of_files), explicit]
}

fn ownerships() -> impl Strategy<Value = Ownership> {
    (owners(), modes()).prop_map(|(owner, modes)| Ownership { owner, modes })
}

fn backups() -> impl Strategy<Value = BackupOptions> {
    let first = (option::of(texts()), passes(), one_of(OnViolation::ALL), one_of(OnCorrupt::ALL));
    let second = (one_of(Derived::ALL), one_of(OnExisting::ALL), one_of(Takeover::ALL), limits());
    let third = (one_of(AbsenceTolerance::ALL), one_of(OnUnreadable::ALL), one_of(ContentDigest::ALL));
    (first, second, third).prop_map(|(first, second, (absence_tolerance, on_unreadable, digest))| {
        let (name, passes, on_violation, on_corrupt) = first;
        let (derived, on_existing, takeover, limits) = second;
        BackupOptions {
            name,
            passes,
            on_violation,
            on_corrupt,
            on_unreadable,
            digest,
            derived,
            on_existing,
            takeover,
            limits,
            absence_tolerance,
            ..BackupOptions::default()
        }
    })
}

fn restores() -> impl Strategy<Value = RestoreOptions> {
    let first = (one_of(Policy::ALL), one_of(ExtraNodes::ALL), one_of(OnCatalogMismatch::ALL), ownerships());
    let second =
        (one_of(Licenses::ALL), one_of(OnDegraded::ALL), one_of(SourceCheck::ALL), one_of(LinkedDirectories::ALL));
    (first, second, option::of(texts()), option::of(texts())).prop_map(|(first, second, expect_sha256, trust)| {
        let (policy, extra_nodes, on_catalog_mismatch, ownership) = first;
        let (licenses, on_degraded, check, linked_directories) = second;
        RestoreOptions {
            linked_directories,
            policy,
            extra_nodes,
            on_catalog_mismatch,
            ownership,
            licenses,
            on_degraded,
            check,
            expect_sha256,
            trust,
        }
    })
}

fn restore_runs() -> impl Strategy<Value = RestoreRunOptions> {
    let enums = (one_of(ServersStopped::ALL), one_of(OnUnfinished::ALL), one_of(Takeover::ALL));
    (enums, durations(), limits()).prop_map(|((servers_stopped, on_unfinished, takeover), stop_timeout, limits)| {
        RestoreRunOptions { servers_stopped, stop_timeout, on_unfinished, takeover, limits }
    })
}

fn verifications() -> impl Strategy<Value = VerifyOptions> {
    let fields = (one_of(VerifyLevel::ALL), any::<u8>(), option::of(texts()), limits());
    fields.prop_map(|(level, sample_percent, expect_sha256, limits)| VerifyOptions {
        level,
        sample_percent,
        expect_sha256,
        limits,
        ..VerifyOptions::default()
    })
}

fn certifications() -> impl Strategy<Value = CertifyOptions> {
    let fields = (discoveries(), option::of(texts()), limits());
    fields.prop_map(|(discover, expect_sha256, limits)| CertifyOptions {
        discover,
        expect_sha256,
        limits,
        ..CertifyOptions::default()
    })
}

fn discoveries() -> impl Strategy<Value = DiscoverOptions> {
    let ids = || vec(texts(), 0..3);
    (option::of(texts()), ids(), ids(), ids()).prop_map(|(cluster_id, node_ids, query_only, excluded_nodes)| {
        let options = DiscoverOptions::default();
        let options = cluster_id.into_iter().fold(options, DiscoverOptions::with_cluster_id);
        let options = node_ids.into_iter().fold(options, DiscoverOptions::with_node);
        let options = query_only.into_iter().fold(options, DiscoverOptions::with_query_only);
        excluded_nodes.into_iter().fold(options, DiscoverOptions::with_excluded_node)
    })
}

fn read_back<T: Debug + PartialEq + Serialize + DeserializeOwned>(options: &T) -> Result<(), TestCaseError> {
    let json = serde_json::to_string(options).expect("serializes");
    let again: T = serde_json::from_str(&json).map_err(|error| TestCaseError::fail(format!("{json}: {error}")))?;
    prop_assert_eq!(&again, options);
    Ok(())
}

proptest! {
    #[test]
    fn backup_options_are_read_back_equal(options in backups()) {
        read_back(&options)?;
    }

    #[test]
    fn restore_options_are_read_back_equal(options in restores()) {
        read_back(&options)?;
    }

    #[test]
    fn options_of_a_restore_run_are_read_back_equal(options in restore_runs()) {
        read_back(&options)?;
    }

    #[test]
    fn verify_options_are_read_back_equal(options in verifications()) {
        read_back(&options)?;
    }

    #[test]
    fn certify_options_are_read_back_equal(options in certifications()) {
        read_back(&options)?;
    }

    #[test]
    fn discover_options_are_read_back_equal(options in discoveries()) {
        read_back(&options)?;
    }
}

/// Any JSON.
fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[0-9]{1,40}(ns|ms|s|m|h|d|B|KiB|GiB|TiB|%)?",
        select(
            &["", "\0", "\n", "0", "-1", "1e400", "18446744073709551615d", "99999999999999999999TiB", "all", "true"][..]
        )
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(&[0_u64, u64::MAX][..]).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| {
        let names = select(&["retry", "max_outage", "memory", "time_limit", "owner", "modes", "files", "x"][..]);
        let pairs = vec((names, inner.clone()), 0..4);
        let object = pairs.prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object.prop_map(Value::Object)]
    })
}

/// The same value for each option of `T`, one after the other: options that can be checked, or an error that names one.
fn take_anything<T: Default + Serialize + DeserializeOwned>(
    value: &Value,
    check: impl Fn(&T) -> crate::Result<()>,
) -> Result<(), TestCaseError> {
    let Value::Object(fields) = serde_json::to_value(T::default()).expect("serializes") else { panic!("no object") };
    for naming in [Naming::SnakeCase, Naming::CamelCase] {
        for name in fields.keys().map(|name| naming.write(name)) {
            let given = json!({ &name: value }).as_object().cloned().unwrap_or_default();
            let read = GivenOptions::new(given).with_naming(naming).last::<T>();
            if let Err(error) = read.and_then(|options| check(&options)) {
                let report = error.report();
                prop_assert!(["invalid-option", "unknown-option", "invalid-request"].contains(&report.code.as_str()));
                prop_assert!(report.message.chars().all(|c| !c.is_control()), "{:?}", report.message);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_taken_or_refused_by_name(value in json()) {
        take_anything(&value, BackupOptions::check)?;
        take_anything(&value, RestoreOptions::check)?;
        take_anything(&value, RestoreRunOptions::check)?;
        take_anything(&value, VerifyOptions::check)?;
        take_anything(&value, CertifyOptions::check)?;
        take_anything(&value, |_: &AbandonOptions| Ok(()))?;
        take_anything(&value, |_: &DiscoverOptions| Ok(()))?;
    }
}
