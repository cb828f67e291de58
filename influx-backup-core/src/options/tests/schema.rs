//! `options.json` beside the crate's manifest: every option with its type, its default and its choices, for the type stubs of
//! other languages. With `INFLUX_BACKUP_WRITE_OPTIONS` set, the test writes it.

use serde_json::Map;

use super::*;

/// What serde expects for a field, told by its own error messages: the choices, or what kind of value.
fn field<T: DeserializeOwned>(options: &Value, name: &str) -> Value {
    let refused = |bad: Value| {
        let mut options = options.clone();
        options[name] = bad;
        serde_json::from_value::<T>(options).err().map(|error| error.to_string())
    };
    let choices = refused(json!("no such choice")).filter(|error| error.starts_with("unknown variant"));
    let choices = choices.map(|error| error.split('`').skip(3).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    let error = refused(json!(true)).expect("no option is a flag");
    let kind = error.rsplit_once("expected ").map_or(error.as_str(), |(_, kind)| kind);
    match choices {
        Some(choices) => json!({ "choices": choices, "default": options[name] }),
        None => json!({ "type": kind, "default": options[name] }),
    }
}

fn fields<T: Default + Serialize + DeserializeOwned>() -> Value {
    let options = serde_json::to_value(T::default()).expect("serialises");
    let names = options.as_object().expect("an object").keys();
    Value::Object(names.map(|name| (name.clone(), field::<T>(&options, name))).collect::<Map<_, _>>())
}

#[test]
fn the_file_lists_every_option() {
    let schema = json!({
        "AbandonOptions": fields::<AbandonOptions>(),
        "BackupOptions": fields::<BackupOptions>(),
        "CertifyOptions": fields::<CertifyOptions>(),
        "DiscoverOptions": fields::<DiscoverOptions>(),
        "Limits": fields::<Limits>(),
        "Ownership": fields::<Ownership>(),
        "Passes": fields::<Passes>(),
        "RestoreOptions": fields::<RestoreOptions>(),
        "RestoreRunOptions": fields::<RestoreRunOptions>(),
        "Retry": fields::<Retry>(),
        "VerifyOptions": fields::<VerifyOptions>(),
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/options.json");
    if std::env::var_os("INFLUX_BACKUP_WRITE_OPTIONS").is_some() {
        let text = serde_json::to_string_pretty(&schema).expect("serialises");
        std::fs::write(path, text + "\n").expect("written");
    }
    let written: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the file")).expect("JSON");
    assert_eq!(written, schema, "set INFLUX_BACKUP_WRITE_OPTIONS to write options.json again");
}
