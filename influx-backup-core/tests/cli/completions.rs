//! Completions for shells.

use std::{fs, process::Command};

use crate::program::{Scratch, run};

#[test]
fn every_shell_completes_verbs_and_options() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).expect(0).stdout;
        for word in ["influx-backup", "restore", "leftovers", "servers-stopped", "on-violation", "degrade"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        let document = run(&["completions", shell, "--json"]).expect(0).json();
        assert_eq!(document.as_str().map(str::trim_end), Some(script.trim_end()));
    }
    run(&["completions", "tcsh", "--json"]).expect_error(2, "usage");
}

/// What bash offers for the last of these words.
#[cfg(unix)]
fn offered_by_bash(words: &str) -> String {
    let scratch = Scratch::empty();
    let script = scratch.path("completions");
    fs::write(&script, run(&["completions", "bash"]).expect(0).stdout).expect("written");
    let complete = r#"source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2))
        read -ra registered <<< "$(complete -p influx-backup)"
        for at in "${!registered[@]}"; do
            if [ "${registered[at]}" = -F ]; then "${registered[at + 1]}" influx-backup "${@: -1}" "${@: -2:1}"; fi
        done
        echo "${COMPREPLY[@]}""#;
    let output = Command::new("bash")
        .args(["--norc", "-c", complete, "bash", &script])
        .args(words.split(' '))
        .output()
        .expect("bash starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

#[cfg(unix)]
#[test]
fn bash_reads_its_completions() {
    assert_eq!(offered_by_bash("influx-backup rest"), "restore");
    assert_eq!(offered_by_bash("influx-backup restore --servers"), "--servers-stopped");
    assert_eq!(offered_by_bash("influx-backup restore --policy repl"), "replace");
}
