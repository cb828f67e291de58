//! The README says what the program does.

use std::fs;

use crate::program::run;

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

#[test]
fn every_command_is_in_the_table() {
    let readme = read("README.md");
    let help = run(&["--help"]).expect(0).stdout;
    let commands = help.split("\nCommands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> =
        names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        assert!(readme.contains(&format!("\n| `{name} ")), "command {name}");
    }
}
