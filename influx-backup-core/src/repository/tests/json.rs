//! What is kept as JSON: read back equal, with numbers that JavaScript reads exactly.

use serde::Serialize;
use serde_json::{Value, json};

use super::*;
use crate::{
    Certificate, RestoreOptions, RestorePlan, RestoreReport, backup::BackupReport, plan::BackupPlan,
    verify::VerifyReport,
};

/// The largest whole number below which every whole number is a `number` of JavaScript.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// Fails where a number cannot be held by a double.
fn numbers_are_exact(of: &str, value: &Value) {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().expect("a number");
            assert!(number.abs() <= LARGEST, "{of}: {number}");
        }
        Value::Array(items) => items.iter().for_each(|item| numbers_are_exact(of, item)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| numbers_are_exact(&format!("{of}.{name}"), field))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn checked(of: &str, value: &impl Serialize) -> Value {
    let json = serde_json::to_value(value).expect("serializes");
    numbers_are_exact(of, &json);
    json
}

#[tokio::test]
async fn documents_are_read_back_equal_and_their_numbers_are_exact() {
    let root = tempfile::tempdir().expect("a directory");
    let source = root.path().join("data");
    let cluster = cluster(&source).await;
    let parquet = walkdir::WalkDir::new(&source).into_iter().map(|entry| entry.expect("readable").into_path());
    let parquet = parquet.filter(|path| path.extension().is_some_and(|kind| kind == "parquet")).min();
    std::fs::remove_file(parquet.expect("a Parquet file")).expect("removed");

    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let plan = repository.plan_backup(&cluster, &named("a")).await.expect("planned");
    checked("plan", &plan);
    assert_eq!(BackupPlan::from_json(&plan.to_json().expect("written")).expect("read"), plan);

    let report = repository.backup(&cluster, named("a")).await.expect("backed up");
    let json = checked("report", &report);
    assert_eq!(BackupReport::from_json(&report.to_json().expect("written")).expect("read"), report);
    let newest = &json["certificate"]["absent"][0]["newest"];
    assert!(newest.as_str().is_some_and(|time| time.ends_with('Z')), "{newest}");

    let backup = repository.get("a").await.expect("opened");
    checked("manifest", backup.manifest());
    assert!(backup.absent().len() > 0);
    backup.absent().for_each(|record| drop(checked("absent", &record)));
    backup.objects().for_each(|record| drop(checked("record", &record)));
    let certificate = &report.certificate;
    assert_eq!(Certificate::from_json(&certificate.to_json().expect("written")).expect("read"), *certificate);
    let verified = repository.verify("a", VerifyOptions::bytes()).await.expect("verified");
    checked("verification", &verified);
    assert_eq!(VerifyReport::from_json(&verified.to_json().expect("written")).expect("read"), verified);

    let options = RestoreOptions::default();
    let plan = repository.plan_restore("a", &at(&root.path().join("target")), &options).await.expect("planned");
    checked("restore plan", &plan);
    let plan = RestorePlan::from_json(&plan.to_json().expect("written")).expect("read");
    let restored = repository.restore(&plan).await.expect("restored");
    checked("restore report", &restored);
    assert_eq!(RestoreReport::from_json(&restored.to_json().expect("written")).expect("read"), restored);
}

#[tokio::test]
async fn an_altered_or_newer_plan_is_refused() {
    let root = tempfile::tempdir().expect("a directory");
    let cluster = cluster(&root.path().join("data")).await;
    let repository = Repository::open(at(&root.path().join("backups"))).await.expect("opened");
    let plan = repository.plan_backup(&cluster, &named("a")).await.expect("planned");
    let document: Value = serde_json::from_str(&plan.to_json().expect("written")).expect("JSON");
    let read_with = |pointer: &str, value: Value| {
        let mut document = document.clone();
        *document.pointer_mut(pointer).expect("a field") = value;
        BackupPlan::from_json(&document.to_string()).map_err(|error| error.code())
    };
    assert_eq!(read_with("/format", json!(2)).expect("a newer one that this release can read"), plan);
    assert_eq!(read_with("/hash", json!("0")), Err("invalid-document"));
    assert_eq!(read_with("/plan/cluster", json!("other")), Err("invalid-document"));
    assert_eq!(read_with("/plan/edition", json!("cloud")), Err("unsupported-format"));
    assert_eq!(read_with("/min_reader", json!(2)), Err("unsupported-format"));
    assert_eq!(BackupPlan::from_json("{").expect_err("no JSON").code(), "invalid-document");
    assert_eq!(Certificate::from_json("[]").expect_err("no certificate").code(), "invalid-document");
}
