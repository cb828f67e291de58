//! What reading the sources shows of the crate.
//!
//! Data flows one way: no module imports from a layer below its own in the table of `ARCHITECTURE.md`. Public types may grow:
//! callers cannot name all their fields or variants. And what there are millions of is never a public vector.

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
    // Beside the layers, for tests and for the program's verb `generate`.
    layers.insert("testing".to_owned(), layers["cli"]);
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
    let source = root().join("src");
    let mut files = Vec::new();
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
        let mut depth = 0_usize;
        let mut first = true;
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

/// A task that is spawned past `concurrent` loses the span of its job and the subscriber of its caller.
#[test]
fn spawned_tasks_stay_in_the_span_of_their_job() {
    let mut bare = Vec::new();
    for (module, path) in sources().into_iter().filter(|(module, _)| module != "concurrent") {
        let code = code(&path);
        let spawned = code.lines().filter(|line| line.contains(".spawn(") || line.contains("tokio::spawn("));
        let is_traced = |line: &&str| line.contains("traced(") || line.contains("clean_ups.spawn(");
        bare.extend(spawned.filter(|line| !is_traced(line)).map(|line| format!("{module}: {}", line.trim())));
    }
    assert!(bare.is_empty(), "use `concurrent::spawn` or `concurrent::traced`:\n{}", bare.join("\n"));
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

/// A declaration of the public API: its attributes, and its text up to its body's end, or its own.
struct Declaration {
    path: PathBuf,
    attributes: String,
    text: String,
}

impl Declaration {
    /// `struct Name`, `enum Name`, `fn name`, with the file.
    fn place(&self) -> String {
        let name = self.text.split(['{', '(', ';', ':']).next().unwrap_or_default().trim();
        format!("{name} in {}", self.path.display())
    }

    fn is(&self, keyword: &str) -> bool {
        self.text.starts_with(&format!("pub {keyword} "))
    }

    /// Its public fields or variants, one a line; the signature of a function.
    fn shown(&self) -> Vec<&str> {
        let is_function = ["fn", "async fn", "const fn"].iter().any(|keyword| self.is(keyword));
        let lines = self.text.lines().map(str::trim);
        match self.text.split_once('(') {
            _ if is_function => vec![&self.text],
            _ if self.is("enum") || self.is("trait") => lines.skip(1).collect(),
            Some((_, fields)) if self.text.ends_with(';') => fields.split("pub ").skip(1).collect(),
            _ => lines.skip(1).filter(|line| line.starts_with("pub ")).collect(),
        }
    }
}

/// The public declarations of a file. The signature of a function ends where its body begins.
fn declarations(path: &Path, code: &str) -> Vec<Declaration> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let is_function = trimmed.starts_with("pub ") && trimmed.contains("fn ");
        let is_type = ["pub struct ", "pub enum ", "pub trait "].iter().any(|start| trimmed.starts_with(start));
        if !is_function && !is_type {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let is_last = |line: &&str| {
            let opens_body = if is_function { line.ends_with('{') } else { line.starts_with(&end) };
            opens_body || line.ends_with(';') || line.ends_with('}')
        };
        let length = lines[at..].iter().position(is_last).map_or(1, |last| last + 1);
        let attributes = lines[..at].iter().rev().take_while(|line| {
            let line = line.trim();
            !line.is_empty() && !line.ends_with(['}', ';', '{', ','])
        });
        found.push(Declaration {
            path: path.to_owned(),
            attributes: attributes.copied().collect(),
            text: lines[at..at + length].join("\n").trim_start().to_owned(),
        });
    }
    found
}

fn public_declarations() -> Vec<Declaration> {
    sources().into_iter().flat_map(|(_, path)| declarations(&path, &code(&path))).collect()
}

/// Types that will never have another field or variant, and why.
const CLOSED: [(&str, &str); 2] =
    [("pub struct ByteSize", "a number with a unit"), ("pub struct Crc64", "64 bits by their definition")];

#[test]
fn public_types_may_grow() {
    let is_closed = |declaration: &Declaration| {
        let mut closed = CLOSED.iter().map(|(name, _)| *name);
        closed.any(|name| declaration.text.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', ' '])))
    };
    let may_grow = |declaration: &Declaration| declaration.attributes.contains("#[non_exhaustive]");
    let types = public_declarations()
        .into_iter()
        .filter(|declaration| declaration.is("enum") || (declaration.is("struct") && !declaration.shown().is_empty()));
    let (closed, types): (Vec<_>, Vec<_>) = types.partition(is_closed);
    assert_eq!(closed.len(), CLOSED.len(), "every exception is needed");
    assert!(types.len() > 100, "only {} types were found", types.len());
    let fixed: Vec<_> = types.iter().filter(|declaration| !may_grow(declaration)).map(Declaration::place).collect();
    assert!(fixed.is_empty(), "without #[non_exhaustive]:\n{}", fixed.join("\n"));
}

/// What there may be a million of.
const PER_OBJECT: [&str; 7] =
    ["AbsentRecord", "CopyOutcome", "CopyTask", "FileRef", "Key", "ObjectMeta", "ObjectRecord"];

/// Public vectors of keys of which there are few, and why.
const FEW: [(&str, &str); 5] = [
    ("pub guards: Vec<Key>,", "one a generation of the catalog"),
    ("pub licenses: Vec<Key>,", "at most two a cluster"),
    ("pub licenses: Vec<Key>,", "the same in the report"),
    ("pub licenses_skipped: Vec<Key>,", "at most two a cluster"),
    ("pub roots: Vec<Key>,", "one a generation of the catalog"),
];

/// Whether a declaration shows a vector, slice, set or map of things of which there may be a million.
fn shows_objects(text: &str) -> bool {
    let collections = ["Vec<", "[", "Set<", "Map<", "Map<String, ", "Map<Key, "];
    collections.iter().any(|collection| {
        text.split(collection).skip(1).any(|rest| {
            let name = rest.trim_start_matches('&').split(|c: char| !c.is_alphanumeric()).next();
            name.is_some_and(|name| PER_OBJECT.contains(&name))
        })
    })
}

#[test]
fn no_public_vector_holds_objects() {
    let mut shown = Vec::new();
    let mut few = Vec::new();
    for declaration in public_declarations() {
        for line in declaration.shown().into_iter().filter(|line| shows_objects(line)) {
            match FEW.iter().find(|(field, _)| *field == line) {
                Some((field, _)) => few.push(*field),
                None => shown.push(format!("{line} of {}", declaration.place())),
            }
        }
    }
    assert!(shown.is_empty(), "iterators of views or an `ObjectTable` instead:\n{}", shown.join("\n"));
    few.sort_unstable();
    assert_eq!(few, FEW.map(|(field, _)| field), "every exception is needed");
}

#[test]
fn declarations_are_read_as_rust_reads_them() {
    let code = "#[derive(Debug)]\n#[non_exhaustive]\npub struct A {\n    pub a: Vec<Key>,\n    b: Vec<Key>,\n}\n\n\
                pub struct B(pub u64);\n\npub struct C(u64);\n\npub enum D {\n    E(Vec<ObjectMeta>),\n}\n\n\
                impl A {\n    pub async fn f(\n        &self,\n    ) -> Result<&[ObjectMeta]> {\n        g()\n    }\n}\n";
    let found = declarations(Path::new("x.rs"), code);
    let shown: Vec<_> = found.iter().map(Declaration::shown).collect();
    assert_eq!(shown[..4], [vec!["pub a: Vec<Key>,"], vec!["u64);"], vec![], vec!["E(Vec<ObjectMeta>),", "}"]]);
    let vectors: Vec<_> = shown.iter().flatten().filter(|text| shows_objects(text)).collect();
    assert_eq!(vectors.len(), 3, "{vectors:?}");
    let may_grow = found.iter().map(|declaration| declaration.attributes.contains("#[non_exhaustive]"));
    assert_eq!(may_grow.collect::<Vec<_>>(), [true, false, false, false, false]);
    assert!(!shows_objects("pub fn objects(&self) -> impl Iterator<Item = &Key>") && !shows_objects("Vec<KeyShape>"));
    assert!(shows_objects("BTreeMap<Key, u64>") && shows_objects("BTreeMap<String, ObjectMeta>"));
}

/// The length of an array is part of its type: another element would break callers.
#[test]
fn public_constants_have_no_length() {
    let is_array = |line: &&str| line.trim_start().starts_with("pub const ") && line.contains(": [");
    let mut arrays = Vec::new();
    for (_, path) in sources() {
        let code = code(&path);
        arrays.extend(code.lines().filter(is_array).map(|line| format!("{} in {}", line.trim(), path.display())));
    }
    assert!(arrays.is_empty(), "slices instead:\n{}", arrays.join("\n"));
}

/// Enums whose variants callers make themselves, with all their fields.
const MADE_BY_CALLERS: [(&str, &str); 3] = [
    ("pub enum Identity", "of a store of the caller's"),
    ("pub enum Modes", "an option"),
    ("pub enum Owner", "an option"),
];

#[test]
fn public_variants_may_grow() {
    let enums = public_declarations().into_iter().filter(|declaration| declaration.is("enum"));
    let is_made = |declaration: &Declaration| {
        let mut made = MADE_BY_CALLERS.iter().map(|(name, _)| *name);
        made.any(|name| declaration.text.starts_with(&format!("{name} ")))
    };
    let (made, enums): (Vec<_>, Vec<_>) = enums.partition(is_made);
    assert_eq!(made.len(), MADE_BY_CALLERS.len(), "every exception is needed");
    let mut fixed = Vec::new();
    for declaration in &enums {
        let mut may_grow = false;
        for line in declaration.shown() {
            if line.starts_with(char::is_uppercase) && line.ends_with('{') && !may_grow {
                fixed.push(format!("{line} of {}", declaration.place()));
            }
            may_grow = line == "#[non_exhaustive]" || (may_grow && line.starts_with('#'));
        }
    }
    assert!(fixed.is_empty(), "variants with fields without #[non_exhaustive]:\n{}", fixed.join("\n"));
}

/// `const` would promise that no field ever gets a type with a destructor.
#[test]
fn builders_are_not_const() {
    let is_const_builder = |one: &Declaration| one.is("const fn") && one.text.contains("(mut self");
    let builders: Vec<_> =
        public_declarations().iter().filter(|one| is_const_builder(one)).map(Declaration::place).collect();
    assert!(builders.is_empty(), "const builders:\n{}", builders.join("\n"));
}

#[test]
fn only_interop_shows_the_object_store_crate() {
    let foreign =
        ["object_store", "ObjectStore", "StoreMeta", "GetOptions", "GetResult", "tokio_util", "CancellationToken"];
    let is_shown = |declaration: &Declaration| {
        let shown = declaration.shown();
        !declaration.path.ends_with("location/interop.rs")
            && foreign.iter().any(|name| shown.iter().any(|line| line.contains(name)))
    };
    let leaks: Vec<_> = public_declarations().iter().filter(|one| is_shown(one)).map(Declaration::place).collect();
    assert!(leaks.is_empty(), "types of object_store or tokio_util outside `location::interop`:\n{}", leaks.join("\n"));
}
