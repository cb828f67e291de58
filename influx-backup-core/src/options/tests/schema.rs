//! `options.json` beside the crate's manifest: every option as the type stubs and the checks of other languages need it. With
//! `INFLUX_BACKUP_WRITE_OPTIONS` set, the test writes it.
//!
//! Of each option it has
//! - `type`: `string`, `list of strings`, `integer`, `duration` (a text such as `90s`, or a number of seconds, in camelCase of
//!   milliseconds), `byte size` (an integer, or a text such as `64MiB`), `choice`, or the name of the options that are nested
//!   there;
//! - `choices`, in their order; beside the names `false` and `true`, where they stand for two of them;
//! - `minimum` and `maximum` of a number, `maximum` only where it is not past what every language can count to;
//! - `nullable`, whether `null` is a value; `default`; and `doc`, what the option means.
//!
//! Types and texts are read from the sources, everything else is tried.

use std::{any::type_name, fs};

use serde_json::Map;
use syn::{Attribute, Expr, Field, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

use super::*;

/// Beyond it not every language has all integers.
const LARGEST: u64 = 1 << 53;

/// Options, and in which context single ones are tried.
struct Tried<T> {
    context: T,
    check: fn(&T) -> crate::Result<()>,
}

impl<T: Default + Serialize + DeserializeOwned> Tried<T> {
    fn read(&self, option: &str, value: Value) -> serde_json::Result<T> {
        let mut options = serde_json::to_value(&self.context).expect("serializes");
        options[option] = value;
        serde_json::from_value(options)
    }

    fn takes(&self, option: &str, value: impl Into<Value>) -> bool {
        self.read(option, value.into()).is_ok_and(|options| (self.check)(&options).is_ok())
    }

    /// The names that serde lists when it is given another one.
    fn choices(&self, option: &str) -> Vec<Value> {
        let error = self.read(option, json!("no such choice")).err().expect("refused").to_string();
        assert!(error.starts_with("unknown variant"), "the type of `{option}` has no word in this file: {error}");
        let names = error.split('`').skip(3).step_by(2).map(Value::from);
        names.chain([false, true].into_iter().filter(|flag| self.takes(option, *flag)).map(Value::from)).collect()
    }

    fn minimum(&self, option: &str) -> u64 {
        (0..100).find(|number| self.takes(option, *number)).expect("a minimum")
    }

    fn maximum(&self, option: &str) -> Option<u64> {
        let mut taken = self.minimum(option);
        let mut refused = LARGEST;
        if self.takes(option, refused) {
            return None;
        }
        while refused - taken > 1 {
            let between = taken.midpoint(refused);
            if self.takes(option, between) {
                taken = between;
            } else {
                refused = between;
            }
        }
        Some(taken)
    }

    fn describe(&self, field: &Field) -> (String, Value) {
        let option = field.ident.as_ref().expect("a name").to_string();
        let kind = word(&field.ty);
        let mut described = Map::new();
        if kind == "choice" {
            described.insert("choices".to_owned(), self.choices(&option).into());
        }
        if ["integer", "byte size"].contains(&kind.as_str()) {
            described.insert("minimum".to_owned(), self.minimum(&option).into());
            described.extend(self.maximum(&option).map(|maximum| ("maximum".to_owned(), maximum.into())));
        }
        described.insert("type".to_owned(), kind.into());
        described.insert("nullable".to_owned(), self.takes(&option, Value::Null).into());
        described
            .insert("default".to_owned(), serde_json::to_value(T::default()).expect("serializes")[&option].clone());
        described.insert("doc".to_owned(), doc(&field.attrs).into());
        (option, described.into())
    }

    fn describe_all(&self) -> Value {
        let described: Map<_, _> = declared::<T>().iter().map(|field| self.describe(field)).collect();
        let options = serde_json::to_value(T::default()).expect("serializes");
        assert!(described.keys().eq(options.as_object().expect("an object").keys()), "{described:?}");
        described.into()
    }
}

/// The fields of a struct, from its source.
fn declared<T>() -> Fields {
    let path = type_name::<T>().split("::").skip(1).collect::<Vec<_>>();
    let [modules @ .., name] = path.as_slice() else { panic!("a path") };
    let source = format!("{}/src/{}.rs", env!("CARGO_MANIFEST_DIR"), modules.join("/"));
    let source = syn::parse_file(&fs::read_to_string(source).expect("a source file")).expect("Rust");
    let declared = source.items.into_iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(item.fields),
        _ => None,
    });
    declared.expect("declared in its module")
}

/// The word for a type in every language.
fn word(declared: &Type) -> String {
    let Type::Path(path) = declared else { panic!("not a plain type") };
    let last = path.path.segments.last().expect("a name");
    let of = match &last.arguments {
        PathArguments::AngleBracketed(of) => match of.args.first() {
            Some(GenericArgument::Type(of)) => Some(word(of)),
            _ => None,
        },
        _ => None,
    };
    let name = last.ident.to_string();
    match (name.as_str(), of) {
        ("Option", Some(of)) => of,
        ("Vec", Some(of)) => format!("list of {of}s"),
        ("String" | "Owner" | "Modes" | "Secret", None) => "string".to_owned(),
        ("u8" | "u32" | "usize", None) => "integer".to_owned(),
        ("Duration", None) => "duration".to_owned(),
        ("ByteSize", None) => "byte size".to_owned(),
        ("DiscoverOptions" | "Limits" | "Ownership" | "Passes" | "Retry", None) => name,
        _ => "choice".to_owned(),
    }
}

/// The documentation of a field as one text without links, in words that are not only Rust's.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(text) => match &text.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let doc = without_links(&lines.collect::<Vec<_>>().join(" ")).replace("`None`", "`null`");
    assert!(!doc.contains("::"), "only Rust knows paths: {doc}");
    doc
}

fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let (shown, after) = link.split_once(']').expect("a link ends");
        rest = after.strip_prefix('(').map_or(after, |target| target.split_once(')').expect("a target ends").1);
        plain.extend([before, shown]);
    }
    plain + rest
}

#[test]
fn the_file_lists_every_option() {
    fn unchecked<T: Default + Serialize + DeserializeOwned>() -> Value {
        Tried::<T> { context: T::default(), check: |_| Ok(()) }.describe_all()
    }
    let passes = |passes: &Passes| BackupOptions::default().with_passes(passes.clone()).check();
    let schema = json!({
        "AbandonOptions": unchecked::<AbandonOptions>(),
        "BackupOptions": unchecked::<BackupOptions>(),
        "CertifyOptions": unchecked::<CertifyOptions>(),
        "DiscoverOptions": unchecked::<DiscoverOptions>(),
        "ListOptions": unchecked::<ListOptions>(),
        "Limits": Tried { context: Limits::default(), check: Limits::check }.describe_all(),
        "Ownership": unchecked::<Ownership>(),
        "Passes": Tried { context: Passes::default(), check: passes }.describe_all(),
        "RestoreOptions": unchecked::<RestoreOptions>(),
        "RestoreRunOptions": unchecked::<RestoreRunOptions>(),
        "Retry": unchecked::<Retry>(),
        "VerifyOptions": Tried { context: VerifyOptions::bytes(), check: VerifyOptions::check }.describe_all(),
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/options.json");
    if std::env::var_os("INFLUX_BACKUP_WRITE_OPTIONS").is_some() {
        let text = serde_json::to_string_pretty(&schema).expect("serializes");
        fs::write(path, text + "\n").expect("written");
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(path).expect("the file")).expect("JSON");
    assert_eq!(written, schema, "set INFLUX_BACKUP_WRITE_OPTIONS to write options.json again");
}
