//! The README says what the program does.

use std::{collections::BTreeSet, fs};

fn read(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The codes in the arms of the functions `code` of a source file.
fn codes(source: &str) -> BTreeSet<&str> {
    let functions = source.split("pub const fn code(").skip(1);
    let bodies = functions.map(|rest| rest.split("\n    }\n").next().expect("a body"));
    bodies.flat_map(|body| body.split("=> \"").skip(1)).filter_map(|arm| arm.split('"').next()).collect()
}

#[test]
fn every_error_code_is_in_the_table() {
    let readme = read("README.md");
    let errors =
        ["error.rs", "error/copy.rs", "error/store.rs"].map(|file| read(&format!("influx-backup-core/src/{file}")));
    let table = readme.split("\n## Error codes").nth(1).expect("a section").split("\n## ").next().expect("a section");
    let documented: BTreeSet<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let known: BTreeSet<_> = errors.iter().flat_map(|file| codes(file)).chain(["usage", "io"]).collect();
    assert!(known.len() > 40, "the codes could not be read off the sources: {known:?}");
    assert_eq!(documented, known);
}

#[test]
fn every_exit_code_is_in_the_table() {
    let (readme, exit) = (read("README.md"), read("influx-backup-core/src/cli/exit.rs"));
    let codes = exit.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = ")).map(|(_, code)| code);
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes.len(), 8, "{codes:?}");
    for code in codes {
        assert!(readme.contains(&format!("\n| {code} | ")), "exit code {code}");
    }
}
