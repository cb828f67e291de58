//! [`GivenOptions`]: options of one or several structs, from one flat map.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, Expected, IntoDeserializer, MapAccess, Unexpected, Visitor,
        value::{SeqDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, map};

use crate::{
    error::{Error, Result},
    named::Choices,
    naming::{Naming, visible},
    similar::similar,
    units::duration,
};

/// The options of one call, by name: keyword arguments in Python, an object in Node.
///
/// ```
/// use influx_backup_core::options::{GivenOptions, RestoreOptions, RestoreRunOptions};
///
/// let given = serde_json::json!({ "policy": "replace", "limits": { "concurrency": 4 } });
/// let mut given = GivenOptions::new(given.as_object().cloned().unwrap_or_default());
/// let options: RestoreOptions = given.take()?;
/// let run: RestoreRunOptions = given.last()?;
/// assert_eq!((options, run.limits.concurrency), (RestoreOptions::replace(), 4));
/// # Ok::<_, influx_backup_core::Error>(())
/// ```
///
/// The names are those of the structs, unless another [`Naming`] is set. What is refused is named as it was given.
pub struct GivenOptions {
    values: Map<String, Value>,
    naming: Naming,
    known: BTreeSet<&'static str>,
}

impl fmt::Debug for GivenOptions {
    /// Without the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl GivenOptions {
    /// These options, none of them read yet.
    #[must_use]
    pub const fn new(values: Map<String, Value>) -> Self {
        Self { values, naming: Naming::SnakeCase, known: BTreeSet::new() }
    }

    /// The same options, whose names are written like this, nested ones too.
    #[must_use]
    pub fn with_naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// The same options, some of which the caller reads itself: these, by their names in snake_case.
    #[must_use]
    pub fn with_known(mut self, names: &[&'static str]) -> Self {
        self.known.extend(names);
        self
    }

    /// Reads the options that the struct `T` knows. One that several structs know is given to each.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a value that cannot be used, [`Error::UnknownOption`] for a name that a nested struct does
    /// not know.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T> {
        let naming = self.naming;
        T::deserialize(Known(self)).map_err(|refused| refused.into_error(naming))
    }

    /// Reads the options that the struct `T` knows, after which none may be left.
    ///
    /// # Errors
    /// Those of [`take`](Self::take) and of [`finish`](Self::finish).
    pub fn last<T: DeserializeOwned>(mut self) -> Result<T> {
        let options = self.take()?;
        self.finish()?;
        Ok(options)
    }

    /// Refuses a name that no struct knows.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] with the names of all structs that are close to it.
    pub fn finish(self) -> Result<()> {
        let known: BTreeSet<_> = self.known.iter().map(|option| self.naming.write(option)).collect();
        let unknown = self.values.keys().find(|name| !known.contains(*name));
        unknown.map_or(Ok(()), |name| Err(unknown_option(name, "this call", &self.known, self.naming)))
    }
}

fn unknown_option(name: &str, scope: &str, known: &BTreeSet<&'static str>, naming: Naming) -> Error {
    let known: Vec<_> = known.iter().map(ToString::to_string).collect();
    let similar = similar(&naming.read(name), &known).iter().map(|option| naming.write(option)).collect();
    Error::UnknownOption { option: name.to_owned(), scope: scope.to_owned(), similar }
}

/// The options that the struct knows which asks for them.
struct Known<'a>(&'a mut GivenOptions);

impl<'de> Deserializer<'de> for Known<'_> {
    type Error = Refused;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let GivenOptions { values, naming, known } = self.0;
        known.extend(fields);
        let values = fields.iter().filter_map(|option| values.get_key_value(&naming.write(option)));
        let values: Map<_, _> = values.map(|(name, value)| (name.clone(), value.clone())).collect();
        visitor.visit_map(Entries::of(values, Some(fields), *naming))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused::custom("options are the fields of a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// One value, whose errors say where they are.
struct Given {
    value: Value,
    naming: Naming,
}

impl IntoDeserializer<'_, Refused> for Given {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Given {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Self { value, naming } = self;
        match value {
            Value::Array(values) => {
                visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(|value| Self { value, naming })))
            }
            Value::Object(values) => visitor.visit_map(Entries::of(values, None, naming)),
            Value::String(text) => visitor.visit_string(text),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Null => visitor.visit_unit(),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (_, _, number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// By name only: no list of values.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.value {
            Value::Object(values) => visitor.visit_map(Entries::of(values, Some(fields), self.naming)),
            _ => Err(Refused::custom("expected options by name")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if name == duration::NEWTYPE && self.naming == Naming::CamelCase {
            let given = duration::of_text_or_millis(&self.value).map_err(Refused::custom)?;
            self.value = duration::format(given).into();
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        enum identifier ignored_any
    }
}

/// Names and their values, one after the other.
struct Entries {
    rest: map::IntoIter,
    value: Option<(String, Value)>,
    /// Those of the struct that is read; `None`: a map, whose keys are no options.
    fields: Option<&'static [&'static str]>,
    naming: Naming,
}

impl Entries {
    fn of(values: Map<String, Value>, fields: Option<&'static [&'static str]>, naming: Naming) -> Self {
        Self { rest: values.into_iter(), value: None, fields, naming }
    }

    /// What the struct or map calls the entry of this name.
    fn key(&self, name: &str) -> Result<String, Refused> {
        let Some(fields) = self.fields else { return Ok(name.to_owned()) };
        let field = fields.iter().find(|field| self.naming.write(field) == name);
        field.map(ToString::to_string).ok_or_else(|| Refused::unknown_field(name, fields))
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.value = self.rest.next();
        let Some((name, _)) = &self.value else { return Ok(None) };
        seed.deserialize(StringDeserializer::new(self.key(name)?)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let (name, value) = self.value.take().ok_or_else(|| Refused::custom("a value has a name"))?;
        seed.deserialize(Given { value, naming: self.naming }).map_err(|refused| refused.within(name))
    }
}

/// Why an option is refused: never with its value, unless the type of the option gives it a text of its own.
#[derive(Debug)]
struct Refused {
    /// The names of the options around it, the innermost first.
    path: Vec<String>,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Unknown { name: String, known: &'static [&'static str] },
    Invalid(String),
}

impl Refused {
    fn within(mut self, name: String) -> Self {
        self.path.push(name);
        self
    }

    fn into_error(self, naming: Naming) -> Error {
        let path: Vec<_> = self.path.into_iter().rev().collect();
        let option = path.join(".");
        match self.reason {
            Reason::Unknown { name, known } => {
                unknown_option(&name, &format!("`{option}`"), &known.iter().copied().collect(), naming)
            }
            Reason::Invalid(reason) => Error::invalid_option(option, reason),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Unknown { name, .. } => write!(f, "unknown option `{name}`"),
            Reason::Invalid(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: Vec::new(), reason: Reason::Invalid(visible(message)) }
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self { path: Vec::new(), reason: Reason::Unknown { name: name.to_owned(), known } }
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format_args!("expected {}", Choices(known)))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}", in_plain_words(&expected.to_string())))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }
}

/// What serde expects, for readers who do not know its types.
fn in_plain_words(expected: &str) -> String {
    match expected {
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "a sequence" => "a list".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{
        ByteSize, DiscoverOptions,
        limits::{Limits, Retry},
        options::{BackupOptions, OnExisting, Passes, Policy, RestoreOptions, RestoreRunOptions, VerifyOptions},
        testing::generate::GenerateOptions,
    };

    fn given(values: Value) -> GivenOptions {
        let Value::Object(values) = values else { panic!("no object") };
        GivenOptions::new(values)
    }

    #[test]
    fn each_struct_is_read_from_its_names() {
        let mut all = given(json!({
            "cluster_id": "c1",
            "node_ids": ["n1", "n2"],
            "name": "monday",
            "passes": { "max_passes": 3, "time_limit": 90 },
            "limits": { "memory": "64MiB", "bandwidth": 1000, "retry": { "max_outage": "7s" } },
            "stop_timeout": "2m",
        }));
        let discover: DiscoverOptions = all.take().expect("of the cluster");
        let backup: BackupOptions = all.last().expect("of the backup");
        let expected = DiscoverOptions::default().with_cluster_id("c1").with_node("n1").with_node("n2");
        assert_eq!(discover, expected);
        let retry = Retry::default().with_max_outage(Duration::from_secs(7));
        let limits = Limits::default().with_memory(ByteSize::mib(64)).with_bandwidth(ByteSize(1000)).with_retry(retry);
        let expected = BackupOptions::default()
            .with_name("monday")
            .with_passes(Passes { max_passes: 3, time_limit: Duration::from_secs(90) })
            .with_limits(limits)
            .with_stop_timeout(Duration::from_secs(120));
        assert_eq!(backup, expected);
        assert_eq!(given(json!({})).last::<BackupOptions>().expect("none"), BackupOptions::default());
        assert_eq!(given(json!({ "name": null })).last::<BackupOptions>().expect("no name"), BackupOptions::default());
    }

    /// Every struct reads what it writes, as it does from JSON.
    #[test]
    fn what_is_written_is_read() {
        let written = serde_json::to_value(RestoreOptions::replace()).expect("serializes");
        assert_eq!(given(written).last::<RestoreOptions>().expect("its own"), RestoreOptions::replace());
        let written = serde_json::to_value(RestoreRunOptions::servers_stopped()).expect("serializes");
        assert_eq!(given(written).last::<RestoreRunOptions>().expect("its own"), RestoreRunOptions::servers_stopped());
        let confirmed = given(json!({ "servers_stopped": true })).last::<RestoreRunOptions>().expect("a flag");
        assert_eq!(confirmed, RestoreRunOptions::servers_stopped());
    }

    #[test]
    fn a_name_of_several_structs_is_given_to_each() {
        let mut all = given(json!({ "limits": { "concurrency": 2 } }));
        let verify: VerifyOptions = all.take().expect("of the verification");
        let run: RestoreRunOptions = all.last().expect("of the restore");
        assert_eq!((verify.limits.concurrency, run.limits.concurrency), (2, 2));
    }

    #[test]
    fn a_name_that_no_struct_knows_is_refused_with_the_near_names_of_all() {
        let mut all = given(json!({ "polcy": "replace" }));
        let options: RestoreOptions = all.take().expect("none of its own");
        assert_eq!(options.policy, Policy::Empty);
        let error = all.last::<RestoreRunOptions>().expect_err("unknown");
        assert_eq!(error.code(), "unknown-option");
        assert_eq!(error.to_string(), "`polcy` is not an option of this call: did you mean `policy`?");

        let mut all = given(json!({ "limit": {} }));
        all.take::<RestoreRunOptions>().expect("none of its own");
        all.take::<RestoreOptions>().expect("none of its own");
        let error = all.finish().expect_err("unknown").to_string();
        assert_eq!(error, "`limit` is not an option of this call: did you mean `limits`?");

        let error = given(json!({ "s3cr3t": "hunter2" })).last::<RestoreOptions>().expect_err("unknown").to_string();
        assert_eq!(error, "`s3cr3t` is not an option of this call");
    }

    #[test]
    fn a_nested_name_that_is_unknown_is_refused_with_the_near_names() {
        let unknown = |values: Value| given(values).last::<BackupOptions>().expect_err("unknown");
        let error = unknown(json!({ "limits": { "bandwith": 1 } }));
        assert_eq!(error.code(), "unknown-option");
        assert_eq!(error.to_string(), "`bandwith` is not an option of `limits`: did you mean `bandwidth`?");
        let error = unknown(json!({ "limits": { "retry": { "max_outages": 1 } } }));
        assert_eq!(error.to_string(), "`max_outages` is not an option of `limits.retry`: did you mean `max_outage`?");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_refused_by_the_name_of_the_option() {
        let names = "expected `fail` or `degrade`";
        let duration = "a duration is a text such as 90s, or a number of seconds";
        let size = "expected a number of bytes, or a text such as 64MiB";
        for (values, option, reason) in [
            (json!({ "on_violation": "hunter2" }), "on_violation", names),
            (json!({ "on_violation": null }), "on_violation", names),
            (json!({ "on_violation": 3 }), "on_violation", names),
            (json!({ "name": 3 }), "name", "expected a string"),
            (json!({ "stop_timeout": [] }), "stop_timeout", duration),
            (
                json!({ "passes": { "time_limit": "soon" } }),
                "passes.time_limit",
                "invalid duration `soon`: expected e.g. 250ms, 90s, 15m, 6h or 2d",
            ),
            (
                json!({ "passes": { "max_passes": -1 } }),
                "passes.max_passes",
                "expected a whole number from 0 to 4294967295",
            ),
            (
                json!({ "limits": { "concurrency": "hunter2" } }),
                "limits.concurrency",
                "expected a whole number that is not negative",
            ),
            (
                json!({ "limits": { "concurrency": 1.5 } }),
                "limits.concurrency",
                "expected a whole number that is not negative",
            ),
            (json!({ "limits": { "memory": 1.5 } }), "limits.memory", size),
            (json!({ "limits": { "retry": { "max_outage": true } } }), "limits.retry.max_outage", duration),
            (json!({ "limits": "hunter2" }), "limits", "expected options by name"),
            (json!({ "limits": [1] }), "limits", "expected options by name"),
            (json!({ "limits": { "retry": [] } }), "limits.retry", "expected options by name"),
        ] {
            let error = given(values).last::<BackupOptions>().expect_err(option);
            assert_eq!(error.code(), "invalid-option");
            assert_eq!(error.to_string(), format!("the value of option `{option}` cannot be used: {reason}"));
        }
        let error = given(json!({ "node_ids": "n1" })).last::<DiscoverOptions>().expect_err("no list").to_string();
        assert_eq!(error, "the value of option `node_ids` cannot be used: expected a list");
        let error = given(json!({ "nodes": -1 })).last::<GenerateOptions>().expect_err("negative").to_string();
        let expected = "the value of option `nodes` cannot be used: expected a whole number from 0 to 65535";
        assert_eq!(error, expected);
        for neither in [json!(1), json!(null), json!({})] {
            let stopped = given(json!({ "servers_stopped": neither })).last::<RestoreRunOptions>();
            let names = "expected `true`, `false`, `not_confirmed` or `confirmed_by_caller`";
            let expected = format!("the value of option `servers_stopped` cannot be used: {names}");
            assert_eq!(stopped.expect_err("neither").to_string(), expected);
        }
        let error = given(json!({ "sample_percent": 256 })).last::<VerifyOptions>().expect_err("too many").to_string();
        let expected = "the value of option `sample_percent` cannot be used: expected a whole number from 0 to 255";
        assert_eq!(error, expected);
    }

    fn in_camel_case(values: Value) -> GivenOptions {
        given(values).with_naming(Naming::CamelCase)
    }

    #[test]
    fn names_in_camel_case_are_those_of_the_structs() {
        let mut all = in_camel_case(json!({
            "clusterId": "c1",
            "nodeIds": ["n1"],
            "onExisting": "resume",
            "name": "on_existing",
            "passes": { "maxPasses": 3, "timeLimit": "90s" },
            "limits": { "stallTimeout": 1500, "retry": { "initialBackoff": 0.5, "maxOutage": 7000 } },
        }));
        let discover: DiscoverOptions = all.take().expect("of the cluster");
        let backup: BackupOptions = all.last().expect("of the backup");
        assert_eq!(discover, DiscoverOptions::default().with_cluster_id("c1").with_node("n1"));
        let retry = Retry { initial_backoff: Duration::from_micros(500), ..Retry::default() };
        let retry = retry.with_max_outage(Duration::from_secs(7));
        let limits = Limits::default().with_stall_timeout(Duration::from_millis(1500)).with_retry(retry);
        let expected = BackupOptions::default()
            .with_name("on_existing")
            .with_on_existing(OnExisting::Resume)
            .with_passes(Passes { max_passes: 3, time_limit: Duration::from_secs(90) })
            .with_limits(limits);
        assert_eq!(backup, expected);
        let unlimited = in_camel_case(json!({ "limits": { "retry": { "maxOutage": null } } }));
        assert_eq!(unlimited.last::<BackupOptions>().expect("none").limits.retry.max_outage, None);
        let of_choice = in_camel_case(json!({ "serversStopped": "confirmed_by_caller" }));
        assert_eq!(of_choice.last::<RestoreRunOptions>().expect("a choice"), RestoreRunOptions::servers_stopped());
    }

    #[test]
    fn a_name_that_the_caller_reads_is_known() {
        let own =
            |values: Value| in_camel_case(values).with_known(&["signal", "object_events"]).last::<BackupOptions>();
        own(json!({ "objectEvents": true, "signal": {} })).expect("its own");
        let near = |name: &str| own(json!({ name: 1 })).expect_err(name).to_string();
        assert_eq!(near("signl"), "`signl` is not an option of this call: did you mean `sign` or `signal`?");
        assert_eq!(
            near("object_events"),
            "`object_events` is not an option of this call: did you mean `objectEvents`?"
        );
    }

    #[test]
    fn a_name_that_is_not_in_camel_case_is_unknown() {
        let of_call = "is not an option of this call: did you mean";
        for (values, expected) in [
            (json!({ "on_existing": "resume" }), format!("`on_existing` {of_call} `onExisting`?")),
            (json!({ "onExisitng": "resume" }), format!("`onExisitng` {of_call} `onExisting`?")),
            (
                json!({ "limits": { "stall_timeout": 1 } }),
                "`stall_timeout` is not an option of `limits`: did you mean `stallTimeout`?".to_owned(),
            ),
            (
                json!({ "limits": { "retry": { "maxOutages": 1 } } }),
                "`maxOutages` is not an option of `limits.retry`: did you mean `maxOutage`?".to_owned(),
            ),
        ] {
            let error = in_camel_case(values).last::<BackupOptions>().expect_err(&expected);
            assert_eq!((error.code(), error.to_string()), ("unknown-option", expected));
        }
    }

    #[test]
    fn a_value_is_refused_by_the_name_in_camel_case() {
        let duration = "a duration is a text such as 90s, or a number of milliseconds";
        let invalid = |text: &str| format!("invalid duration `{text}`: expected e.g. 250ms, 90s, 15m, 6h or 2d");
        for (values, option, reason) in [
            (json!({ "onViolation": 3 }), "onViolation", "expected `fail` or `degrade`".to_owned()),
            (json!({ "stopTimeout": null }), "stopTimeout", duration.to_owned()),
            (json!({ "limits": { "retry": { "maxOutage": true } } }), "limits.retry.maxOutage", duration.to_owned()),
            (json!({ "limits": { "retry": { "maxOutage": -1 } } }), "limits.retry.maxOutage", invalid("-1")),
            (json!({ "stopTimeout": -2.0 }), "stopTimeout", invalid("-2")),
            (json!({ "stopTimeout": 1e300 }), "stopTimeout", invalid("1e+300")),
            (json!({ "stopTimeout": "soon" }), "stopTimeout", invalid("soon")),
            (json!({ "stopTimeout": "90" }), "stopTimeout", invalid("90")),
        ] {
            let error = in_camel_case(values).last::<BackupOptions>().expect_err(option);
            assert_eq!(error.to_string(), format!("the value of option `{option}` cannot be used: {reason}"));
        }
    }

    #[test]
    fn values_are_not_shown() {
        assert_eq!(format!("{:?}", given(json!({ "name": "hunter2" }))), "{\"name\"}");
    }
}
