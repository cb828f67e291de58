//! The upgraded storage engine, which has a backup of its own: what shows that a cluster runs it. Pure.
//!
//! Its layout is not public. These names are: `pt_snapshots`, `gen0`, `.pt` files, `*.ptv2chk.lz4`, the built-in
//! backups below `<cluster_id>/backups/`, and the storage mode in the catalog's JSON (up to 3.9).

use serde::Deserialize;

use super::prefix::Level;

/// Bytes before the JSON of a catalog root of v1 and v2.
const HEADER: usize = 14;

/// The keys among the names of one level that only the upgraded engine writes; `below` is their prefix.
pub(super) fn markers(below: &str, level: &Level) -> Vec<String> {
    let directories = level.directories.iter().filter(|name| ["pt_snapshots", "gen0"].contains(&name.as_str()));
    let files = level.files.iter().filter(|name| name.ends_with(".pt") || name.ends_with(".ptv2chk.lz4"));
    directories.chain(files).map(|name| format!("{below}/{name}")).collect()
}

/// Whether nothing else has names like this marker, so that it makes a prefix a node on its own.
pub(super) fn is_sure(marker: &str) -> bool {
    marker.ends_with("/pt_snapshots") || marker.ends_with(".ptv2chk.lz4")
}

/// The storage mode that a catalog root names, where it is one of the upgraded engine.
pub(super) fn upgraded_mode(root: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Root {
        storage_mode: Option<serde_json::Value>,
    }
    let root: Root = serde_json::from_slice(root.get(HEADER..)?).ok()?;
    let mode = match root.storage_mode? {
        serde_json::Value::String(mode) => mode,
        other => other.to_string(),
    };
    mode.to_ascii_lowercase().contains("pacha").then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(directories: &[&str], files: &[&str]) -> Level {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Level { directories: owned(directories), files: owned(files) }
    }

    #[test]
    fn every_public_name_is_a_marker() {
        let found = markers("n", &level(&["gen0", "pt_snapshots", "wal"], &["a.pt", "b.ptv2chk.lz4", "c.ptx", "pt"]));
        assert_eq!(found, ["n/gen0", "n/pt_snapshots", "n/a.pt", "n/b.ptv2chk.lz4"]);
        assert!(markers("n", &level(&["wal", "snapshots"], &["enterprise"])).is_empty());
        let sure: Vec<bool> = found.iter().map(|marker| is_sure(marker)).collect();
        assert_eq!(sure, [false, true, false, true], "models of other programs are `.pt` files, too");
    }

    #[test]
    fn only_the_upgraded_modes_count() {
        let root = |json: &str| [b"idb3.004.s....", json.as_bytes()].concat();
        assert_eq!(upgraded_mode(&root(r#"{"storage_mode":"PachaTree"}"#)).as_deref(), Some("PachaTree"));
        let both = upgraded_mode(&root(r#"{"storage_mode":"ParquetAndPachaTree","nodes":{}}"#));
        assert_eq!(both.as_deref(), Some("ParquetAndPachaTree"));
        assert!(upgraded_mode(&root(r#"{"storage_mode":{"pacha_tree":{}}}"#)).is_some());
        for other in [r#"{"storage_mode":"Parquet"}"#, r#"{"storage_mode":null}"#, "{}", "bitcode"] {
            assert_eq!(upgraded_mode(&root(other)), None, "{other}");
        }
        assert_eq!(upgraded_mode(b"short"), None);
    }
}
