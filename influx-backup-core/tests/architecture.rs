//! Data flows one way: no module imports from a layer below its own in the table of `ARCHITECTURE.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The layer of each module, from the table.
fn layers() -> BTreeMap<String, usize> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut layers = BTreeMap::new();
    for (layer, row) in rows.enumerate() {
        let modules = row.split('|').nth(2).expect("a column of modules");
        for module in modules.split_whitespace().map(|module| module.trim_matches('`')) {
            assert!(layers.insert(module.to_owned(), layer).is_none(), "`{module}` is in the table twice");
        }
    }
    layers
}

/// Every source file of the crate but tests, the testing support and the program's `main`, with its module.
fn sources() -> Vec<(String, PathBuf)> {
    fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let (source, mut files) = (root().join("src"), Vec::new());
    walk(&source, &mut files);
    let named = files.into_iter().filter_map(|path| {
        let below = path.strip_prefix(&source).expect("below the sources").to_owned();
        let is_test = below.iter().any(|part| part == "tests" || part == "tests.rs");
        let module = below.iter().next()?.to_str()?.trim_end_matches(".rs").to_owned();
        (!is_test && !["lib", "testing", "bin"].contains(&module.as_str())).then_some((module, path))
    });
    named.collect()
}

/// The code of a file: no comments, no tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The first names after `crate::`: of `crate::{a::B, c}` they are `a` and `c`.
fn imports(code: &str) -> BTreeSet<String> {
    let name =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let (mut depth, mut first) = (0_usize, true);
        for (at, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => first = true,
                letter if first && (letter.is_alphabetic() || letter == '_') => {
                    found.insert(name(&list[at..]));
                    first = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn imports_are_read_as_rust_reads_them() {
    let code = "use crate::{\n    a::{B, c::D},\n    e, f::G as H,\n};\nfn x(_: crate::k::L) {}";
    assert_eq!(imports(code), ["a", "e", "f", "k"].map(ToOwned::to_owned).into());
}

#[test]
fn no_module_imports_from_a_later_layer() {
    let layers = layers();
    let mut back_edges = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for (module, path) in sources() {
        let Some(layer) = layers.get(&module) else {
            unknown.insert(module);
            continue;
        };
        for import in imports(&code(&path)) {
            // What begins with a capital is a re-export of the crate's front page, which only the program may use.
            let is_item = import.chars().next().is_some_and(char::is_uppercase);
            match layers.get(&import) {
                Some(imported) if imported > layer => {
                    back_edges.insert(format!("{module} -> {import} in {}", path.display()));
                }
                None if is_item && module != "cli" => {
                    back_edges
                        .insert(format!("{module} takes `crate::{import}` by the front page in {}", path.display()));
                }
                _ => {}
            }
        }
    }
    assert!(unknown.is_empty(), "not in the table of ARCHITECTURE.md: {unknown:?}");
    assert!(back_edges.is_empty(), "data flows one way:\n{}", back_edges.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn no_modules_import_each_other() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, path) in sources() {
        let mut found = imports(&code(&path));
        found.remove(&module);
        graph.entry(module).or_default().extend(found);
    }
    // What imports nothing that is left cannot be part of a cycle.
    while let Some(free) = graph.iter().find(|(_, found)| found.iter().all(|module| !graph.contains_key(module))) {
        let free = free.0.clone();
        graph.remove(&free);
    }
    assert!(graph.is_empty(), "these modules import each other, or one that does: {:?}", graph.keys());
}

#[test]
fn the_front_page_has_no_logic() {
    let front = code(&root().join("src/lib.rs"));
    let is_logic = |line: &&str| line.trim_start().starts_with("fn ") || line.contains("impl ");
    assert_eq!(front.lines().find(is_logic), None);
}
