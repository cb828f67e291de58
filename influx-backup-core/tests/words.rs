//! Words that are not used in the repository: not in code, not in messages, not in the documentation.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is looked for, in lower case and between characters that are not letters; and what to write instead.
const BANNED: &[(&str, &str)] = &[
    ("licence", "license, as InfluxDB spells it"),
    ("licences", "licenses"),
    ("we", "the name of who does it, or the passive voice"),
    ("our", "the name of whose it is"),
    ("ours", "the name of whose it is"),
    ("mend", "repair"),
    ("mended", "repaired"),
    ("nobody", "no process, no caller"),
    ("for ever", "permanently"),
    ("left out", "excluded by the caller, else skipped"),
    ("leave out", "exclude, or skip"),
    ("leaves out", "excludes, or skips"),
    ("behaviour", "behavior, as in American English"),
    ("behaviours", "behaviors"),
    ("misbehaviour", "misbehavior"),
    ("colour", "color"),
    ("colours", "colors"),
    ("neighbour", "neighbor"),
    ("neighbours", "neighbors"),
    ("optimised", "optimized"),
    ("recognised", "recognized"),
    ("serialise", "serialize"),
    ("serialises", "serializes"),
    ("serialised", "serialized"),
    ("summarised", "summarized"),
    ("certificate is open", "the certificate is violated, or not proven"),
    ("open clause", "a violated clause"),
];

/// Directories of the repository that are searched.
const SEARCHED: [&str; 6] =
    ["influx-backup-core", "influx-backup-node", "influx-backup-py", "examples", "benches", ".ci"];

/// Files at the top of the repository that are searched.
const PAGES: [&str; 6] = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Cargo.toml", "Makefile"];

/// Not written here: this list, the words of others, the seeds that a test found, and what tools keep (`.pytest_cache`).
const EXCEPTIONS: [&str; 5] = ["tests/words.rs", "tests/seed/", "proptest-regressions/", "_cache/", "node_modules/"];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    // A link leads to a license, or to a build of the native module.
    if path.is_symlink() {
        return;
    }
    let name = path.to_str().expect("UTF-8");
    if EXCEPTIONS.iter().any(|exception| format!("{name}/").contains(exception) || name.ends_with(exception)) {
        return;
    }
    if !path.is_dir() {
        return found.push(path.to_owned());
    }
    let mut below: Vec<_> =
        fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    below.sort();
    below.iter().for_each(|path| files(path, found));
}

/// Whether a [separated] line has the word between characters that are not letters.
fn has(line: &str, word: &str) -> bool {
    let is_end = |end: Option<char>| end.is_none_or(|end| !end.is_alphanumeric());
    line.match_indices(word)
        .any(|(at, _)| is_end(line[..at].chars().next_back()) && is_end(line[at + word.len()..].chars().next()))
}

/// A line in lower case, with spaces between the words of identifiers, which have `_` there or are in camelCase.
fn separated(line: &str) -> String {
    let mut separated = String::with_capacity(line.len());
    let mut before = ' ';
    for letter in line.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            separated.push(' ');
        }
        separated.extend(if letter == '_' { ' ' } else { letter }.to_lowercase());
        before = letter;
    }
    separated
}

#[test]
fn no_banned_word_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let mut found = Vec::new();
    SEARCHED.iter().chain(&PAGES).for_each(|path| files(&root.join(path), &mut found));
    assert!(found.len() > 200, "{} files", found.len());
    let mut wrong = Vec::new();
    for path in found {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            let line = separated(line);
            for (word, instead) in BANNED.iter().filter(|(word, _)| has(&line, word)) {
                wrong.push(format!("{}:{number}: `{word}`: write {instead}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn words_are_found_whole_and_in_identifiers() {
    let has = |line: &str, word: &str| has(&separated(line), word);
    assert!(has("// We do.", "we") && has("fn left_out() {", "left out") && has("For ever", "for ever"));
    assert!(has("const leftOut = 1;", "left out") && has("if (isOurs) {", "ours"));
    assert!(!has("the answer, weekly", "we") && !has("amend it", "mend") && !has("four hours", "our"));
}
