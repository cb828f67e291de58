//! `api.json` beside the crate's manifest: every public name, for the parity tests of other languages. Each entry is there, or
//! named as excluded with a reason. With `INFLUX_BACKUP_WRITE_API` set, the test writes it.
//!
//! It is read from the sources: what `lib.rs` reaches by public modules and re-exports, each by its shortest path. `Type`,
//! `Type.field`, `Type::Variant`, `Type::CONSTANT`, `Type::method()`, `Trait::method()`, `function()`. Hidden items are skipped,
//! those of the feature `testing`, and methods of implemented traits.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Fields, Ident, ImplItem, Item, ItemImpl, LitStr, Macro, Meta, Token, TraitItem, Type, UseTree,
    Visibility, parenthesized, parse::ParseStream,
};

/// A module by its path; the crate itself is empty.
type Module = Vec<String>;

/// What is declared: its module and its name.
type Id = (Module, String);

/// What the sources declare.
#[derive(Default)]
struct Sources {
    /// Every module, and whether its parent shows it.
    modules: BTreeMap<Module, bool>,
    /// What is declared, public or not, with its public fields and variants, or a trait's methods.
    declared: BTreeMap<Id, Declared>,
    /// What is imported: into which module, under which name, from where, and whether it is exported.
    uses: Vec<(Module, String, Vec<String>, bool)>,
    /// `impl` blocks and macros that make some: of which path, seen from which module, with which public members.
    members: Vec<(Module, Vec<String>, Vec<String>)>,
    /// The public members that each macro makes.
    macros: BTreeMap<String, BTreeSet<String>>,
    /// Macros that are called, read once all are known.
    calls: Vec<(Module, Macro)>,
}

struct Declared {
    is_public: bool,
    /// As it is written after its path: `()` for a function.
    suffix: &'static str,
    members: Vec<String>,
}

/// Whether a release without the feature `testing` lacks it, or its documentation.
fn is_skipped(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string().contains("test"),
        Meta::List(list) if list.path.is_ident("doc") => list.tokens.to_string() == "hidden",
        _ => false,
    })
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn public_fields(fields: &Fields) -> Vec<String> {
    let shown = fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis) && !is_skipped(&field.attrs));
    shown.map(|(at, field)| field.ident.as_ref().map_or(format!(".{at}"), |name| format!(".{name}"))).collect()
}

fn method(name: &Ident) -> String {
    format!("::{name}()")
}

/// The words and signs of a macro.
fn tokens(of: &Macro) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for letter in of.tokens.to_string().chars().chain([' ']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if !letter.is_whitespace() {
            tokens.push(letter.to_string());
        }
    }
    tokens
}

/// The public methods and constants that a macro makes under names of its own.
fn made_by(definition: &Macro) -> BTreeSet<String> {
    let tokens = tokens(definition);
    let mut made = BTreeSet::new();
    for at in (0..tokens.len()).filter(|at| tokens[*at] == "pub") {
        match tokens[at + 1..].iter().map(String::as_str).take(4).collect::<Vec<_>>().as_slice() {
            ["const" | "async", "fn", name, ..] | ["fn", name, ..] if *name != "$" => {
                made.insert(format!("::{name}()"));
            }
            ["const", name, ..] if *name != "fn" => {
                made.insert(format!("::{name}"));
            }
            _ => {}
        }
    }
    made
}

/// `name(field: Type),`, each.
fn setters(input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    let mut names = Vec::new();
    while !input.is_empty() {
        input.call(Attribute::parse_outer)?;
        names.push(method(&input.parse()?));
        let field;
        parenthesized!(field in input);
        field.parse::<Ident>()?;
        field.parse::<Token![:]>()?;
        field.parse::<Type>()?;
        input.parse::<Token![,]>()?;
    }
    Ok(names)
}

/// `Variant = "name", Severity;`, each.
fn codes(input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    let mut variants = Vec::new();
    while !input.is_empty() {
        input.call(Attribute::parse_outer)?;
        variants.push(format!("::{}", input.parse::<Ident>()?));
        input.parse::<Token![=]>()?;
        input.parse::<LitStr>()?;
        input.parse::<Token![,]>()?;
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    Ok(variants)
}

impl Sources {
    fn read() -> Self {
        let mut sources = Self::default();
        sources.read_file(&Vec::new(), &PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")), true);
        for (module, call) in std::mem::take(&mut sources.calls) {
            sources.call(&module, &call);
        }
        sources
    }

    fn read_file(&mut self, module: &Module, path: &Path, is_shown: bool) {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // `src/a.rs` and `src/a/b.rs`; only `lib.rs` has its modules beside it.
        let below = if module.is_empty() { path.with_file_name("") } else { path.with_extension("") };
        self.read_items(module, file.items, &below, is_shown);
    }

    fn read_items(&mut self, module: &Module, items: Vec<Item>, below: &Path, is_shown: bool) {
        self.modules.insert(module.clone(), is_shown);
        for item in items {
            self.read_item(module, item, below);
        }
    }

    fn declare(
        &mut self,
        module: &Module,
        name: &Ident,
        visibility: &Visibility,
        suffix: &'static str,
        members: Vec<String>,
    ) {
        let declared = Declared { is_public: is_public(visibility), suffix, members };
        self.declared.insert((module.clone(), name.to_string()), declared);
    }

    fn read_item(&mut self, module: &Module, item: Item, below: &Path) {
        match item {
            Item::Mod(item) if !is_skipped(&item.attrs) => {
                let child = [module.as_slice(), &[item.ident.to_string()]].concat();
                let is_shown = is_public(&item.vis);
                match item.content {
                    Some((_, items)) => self.read_items(&child, items, &below.join(item.ident.to_string()), is_shown),
                    None => self.read_file(&child, &below.join(format!("{}.rs", item.ident)), is_shown),
                }
            }
            Item::Struct(item) if !is_skipped(&item.attrs) => {
                self.declare(module, &item.ident, &item.vis, "", public_fields(&item.fields));
            }
            Item::Enum(item) if !is_skipped(&item.attrs) => {
                let variants = item.variants.iter().filter(|variant| !is_skipped(&variant.attrs));
                let variants = variants.map(|variant| format!("::{}", variant.ident)).collect();
                self.declare(module, &item.ident, &item.vis, "", variants);
            }
            Item::Trait(item) if !is_skipped(&item.attrs) => {
                let methods = item.items.iter().filter_map(|item| match item {
                    TraitItem::Fn(item) if !is_skipped(&item.attrs) => Some(method(&item.sig.ident)),
                    _ => None,
                });
                self.declare(module, &item.ident, &item.vis, "", methods.collect());
            }
            Item::Fn(item) if !is_skipped(&item.attrs) => {
                self.declare(module, &item.sig.ident, &item.vis, "()", Vec::new());
            }
            Item::Const(item) if !is_skipped(&item.attrs) => {
                self.declare(module, &item.ident, &item.vis, "", Vec::new())
            }
            Item::Type(item) if !is_skipped(&item.attrs) => {
                self.declare(module, &item.ident, &item.vis, "", Vec::new())
            }
            Item::Static(item) if is_public(&item.vis) => panic!("a public static is not read yet: {}", item.ident),
            Item::Union(item) if is_public(&item.vis) => panic!("a public union is not read yet: {}", item.ident),
            Item::Use(item) if !is_skipped(&item.attrs) => {
                self.read_use(module, &item.tree, Vec::new(), is_public(&item.vis));
            }
            Item::Impl(item) if item.trait_.is_none() && !is_skipped(&item.attrs) => self.read_impl(module, &item),
            Item::Macro(item) if !is_skipped(&item.attrs) => match item.ident {
                Some(name) => self.macros.entry(name.to_string()).or_default().extend(made_by(&item.mac)),
                None => self.calls.push((module.clone(), item.mac)),
            },
            _ => {}
        }
    }

    fn read_use(&mut self, module: &Module, tree: &UseTree, mut path: Vec<String>, is_exported: bool) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.read_use(module, &tree.tree, path, is_exported);
            }
            UseTree::Group(tree) => {
                tree.items.iter().for_each(|tree| self.read_use(module, tree, path.clone(), is_exported));
            }
            UseTree::Name(tree) if tree.ident == "self" => {
                let name = path.last().expect("a path").clone();
                self.uses.push((module.clone(), name, path, is_exported));
            }
            UseTree::Name(tree) => {
                path.push(tree.ident.to_string());
                self.uses.push((module.clone(), tree.ident.to_string(), path, is_exported));
            }
            UseTree::Rename(tree) => {
                path.push(tree.ident.to_string());
                self.uses.push((module.clone(), tree.rename.to_string(), path, is_exported));
            }
            UseTree::Glob(_) => assert!(!is_exported, "a public glob is not read yet: {path:?}"),
        }
    }

    fn read_impl(&mut self, module: &Module, item: &ItemImpl) {
        let Type::Path(of) = &*item.self_ty else { return };
        let of: Vec<_> = of.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let mut members = Vec::new();
        for item in &item.items {
            match item {
                ImplItem::Fn(item) if is_public(&item.vis) && !is_skipped(&item.attrs) => {
                    members.push(method(&item.sig.ident));
                }
                ImplItem::Const(item) if is_public(&item.vis) && !is_skipped(&item.attrs) => {
                    members.push(format!("::{}", item.ident));
                }
                ImplItem::Macro(item) => {
                    assert!(item.mac.path.is_ident("setters"), "a macro that is not read yet in `impl {of:?}`");
                    members.extend(item.mac.parse_body_with(setters).expect("setters"));
                }
                _ => {}
            }
        }
        self.members.push((module.clone(), of, members));
    }

    /// What the call of a macro makes: mostly members of the type that it names first.
    fn call(&mut self, module: &Module, call: &Macro) {
        let name = call.path.segments.last().expect("a name").ident.to_string();
        // Private statics.
        if name == "task_local" || name == "thread_local" {
            return;
        }
        let made: Vec<_> =
            self.macros.get(&name).unwrap_or_else(|| panic!("`{name}!` is not known")).iter().cloned().collect();
        if name == "finding_codes" {
            let mut members = call.parse_body_with(codes).expect("codes");
            members.push("::Unknown".to_owned());
            members.extend(made);
            let codes = Declared { is_public: true, suffix: "", members };
            self.declared.insert((module.clone(), "FindingCode".to_owned()), codes);
            return;
        }
        let of = tokens(call).into_iter().next().expect("a type");
        self.members.push((module.clone(), vec![of], made));
    }

    /// What a path means in a module: something declared, or a module. `None` for other crates.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<Id> {
        let (first, rest) = path.split_first()?;
        let (mut at, mut name) = match first.as_str() {
            "crate" => (Vec::new(), None),
            "self" => (module.clone(), None),
            "super" => (module[..module.len() - 1].to_vec(), None),
            name => (module.clone(), Some(name.to_owned())),
        };
        for next in rest {
            if let Some(name) = name.replace(next.clone()) {
                at = self.module(&at, &name)?;
            }
        }
        self.find(&at, &name?)
    }

    fn module(&self, module: &Module, name: &str) -> Option<Module> {
        if name == "super" {
            return Some(module[..module.len() - 1].to_vec());
        }
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        if self.modules.contains_key(&child) {
            return Some(child);
        }
        let (at, name) = self.find(module, name)?;
        self.module(&at, &name)
    }

    /// Where something of this name is declared that is visible in a module.
    fn find(&self, module: &Module, name: &str) -> Option<Id> {
        let id = (module.clone(), name.to_owned());
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        let is_import = |(at, alias, path, _): &&(Module, String, Vec<String>, bool)| {
            // `use a::a` within the parent of `a` imports what is in the module, not itself.
            at == module && alias == name && path.as_slice() != [name.to_owned()]
        };
        if self.declared.contains_key(&id) {
            return Some(id);
        }
        let imported = self.uses.iter().find(is_import).and_then(|(at, _, path, _)| self.resolve(at, path));
        imported.or_else(|| self.modules.contains_key(&child).then_some(id))
    }

    /// The shortest public path of everything declared, and what other crates' items are exported.
    fn exported(&self) -> (BTreeMap<Id, Module>, BTreeSet<String>) {
        let mut paths = BTreeMap::new();
        let mut foreign = BTreeSet::new();
        let mut modules = VecDeque::from([Vec::new()]);
        while let Some(module) = modules.pop_front() {
            let public = |name: &str| [module.as_slice(), &[name.to_owned()]].concat();
            let declared = self.declared.iter().filter(|((at, _), declared)| *at == module && declared.is_public);
            for (id, _) in declared {
                paths.entry(id.clone()).or_insert_with(|| public(&id.1));
            }
            for (_, name, path, _) in self.uses.iter().filter(|(at, _, _, is_exported)| *at == module && *is_exported) {
                match self.resolve(&module, path) {
                    Some(id) if self.declared.contains_key(&id) => {
                        paths.entry(id).or_insert_with(|| public(name));
                    }
                    Some(id) => panic!("a module that is exported under another path is not read yet: {id:?}"),
                    None => {
                        foreign.insert(public(name).join("::"));
                    }
                }
            }
            let children = self.modules.iter().filter(|(child, is_shown)| {
                **is_shown && child.len() == module.len() + 1 && child.starts_with(&module)
            });
            modules.extend(children.map(|(child, _)| child.clone()));
        }
        (paths, foreign)
    }

    fn api(&self) -> BTreeSet<String> {
        let (paths, mut api) = self.exported();
        for (id, path) in &paths {
            let path = path.join("::");
            let declared = &self.declared[id];
            api.insert(format!("{path}{}", declared.suffix));
            api.extend(declared.members.iter().map(|member| format!("{path}{member}")));
        }
        for (module, of, members) in &self.members {
            let Some(path) = self.resolve(module, of).and_then(|id| paths.get(&id)) else { continue };
            api.extend(members.iter().map(|member| format!("{}{member}", path.join("::"))));
        }
        api
    }
}

#[test]
fn the_file_lists_the_public_api() {
    let api: Vec<_> = Sources::read().api().into_iter().collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/api.json");
    if std::env::var_os("INFLUX_BACKUP_WRITE_API").is_some() {
        fs::write(path, serde_json::to_string_pretty(&api).expect("serializes") + "\n").expect("written");
    }
    let written: Vec<String> = serde_json::from_str(&fs::read_to_string(path).expect("the file")).expect("JSON");
    let missing: Vec<_> = api.iter().filter(|entry| !written.contains(entry)).collect();
    let gone: Vec<_> = written.iter().filter(|entry| !api.contains(entry)).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "missing: {missing:#?}\ngone: {gone:#?}\nset INFLUX_BACKUP_WRITE_API"
    );
    assert_eq!(written, api, "set INFLUX_BACKUP_WRITE_API to sort it");
}

/// One entry of each kind, and of each macro.
#[test]
fn the_sources_are_read_as_rust_reads_them() {
    let api = Sources::read().api();
    for entry in [
        "Repository",
        "Repository::backup()",
        "BackupOptions.name",
        "BackupOptions::with_limits()",
        "ByteSize.0",
        "options::Policy::Replace",
        "options::Policy::as_str()",
        "options::Policy::NAMES",
        "backup::BackupRequest::start_on()",
        "Restore::with_object_events()",
        "BackupReport::to_json()",
        "RestorePlan::hash()",
        "FindingCode::MissingParquet",
        "FindingCode::Unknown",
        "FindingCode::severity()",
        "Copier::copy()",
        "Result",
        "certify()",
        "certify::certify_backup()",
        "Location::with_store()",
        "location::interop::object_store",
        "testing::generate::Generate::core()",
        "cli::run()",
    ] {
        assert!(api.contains(entry), "{entry}");
    }
    for entry in
        ["Location::in_memory()", "Location::through()", "backup::BackupRequest::with_rules()", "backup::Rules"]
    {
        assert!(!api.contains(entry), "{entry}");
    }
    let is_listed_twice =
        api.iter().find(|entry| entry.starts_with("repository::Repository") || entry.contains("Key::Key"));
    assert_eq!(is_listed_twice, None);
}
