//! The README says what the program does.

use std::fs;

fn read(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_exit_code_is_in_the_table() {
    let readme = read("README.md");
    let exit = read("influx-backup-core/src/cli/exit.rs");
    let codes = exit.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = ")).map(|(_, code)| code);
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes.len(), 8, "{codes:?}");
    for code in codes {
        assert!(readme.contains(&format!("\n| {code} | ")), "exit code {code}");
    }
}
