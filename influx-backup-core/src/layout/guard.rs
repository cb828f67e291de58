//! The boot guard as bytes and paths: an invalid object at the root path of every catalog generation, present or not.
//!
//! Verified on Core 3.3, 3.6 and 3.10: a server that finds it refuses to start, where a missing root would make it start
//! with a new, empty catalog. A guard at one generation alone is not enough: a 3.10 server ignores v1, and starts from an
//! old v3 although v2 is guarded.
//!
//! **Setting**, newest generation first. As long as the newest root is not yet replaced, the newest servers open the old
//! state, in which nothing has changed so far; once it is, they refuse, and older servers refuse the frozen older
//! generations by their terminator log, or open the old state as before. Nothing else is written before all stand.
//!
//! **Releasing**, when everything else is verified and on disk: first the real root of the live generation, then the
//! others, newest first, each replaced by the backup's root, or removed where the backup has none. The servers of the
//! live generation may start after the first step, and find the whole backup. The others:
//! - Live v3: servers of 3.4 to 3.9 refuse the guard at v2, and then the terminator of the real, frozen v2.
//! - Live v2, the target had v3: 3.10 refuses the guard at v3 until it is removed, and then migrates the real v2, which
//!   already stands. Removing v3 first would be no worse, removing it *before v2 is guarded* would be: 3.10 would
//!   migrate the old v2.
//! - Live v1: 3.4 to 3.9 refuse the guard at v2 and then migrate the real v1. 3.10 refuses v3, then v2; once both are
//!   gone it starts empty, as it does on any v1 store. Only the report can warn of that.
//!
//! A release that was interrupted is finished by the same steps. A server may have started in between and gone on, so a
//! step only ever replaces or removes what still is the guard of this very restore.

use bytes::Bytes;

use super::Generation;

/// What every guard begins with; no generation of the catalog does (`idb3.…`, `IDB3`).
const MARK: &str = "influx-backup restore ";

/// The verified guards were shorter than the 64-byte header of catalog v3.
const LONGEST: usize = 63;

/// The guard of one restore: names it and the backup.
pub(crate) fn bytes(restore: &str, backup: &str) -> Bytes {
    let text = format!("{MARK}{restore} of {backup}");
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    Bytes::from(text[..end].to_owned())
}

/// The id of the restore that a guard belongs to, or `None` where the bytes are not a guard.
pub(crate) fn restore_of(bytes: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(bytes.strip_prefix(MARK.as_bytes())?).ok()?;
    rest.split(' ').next().map(ToOwned::to_owned)
}

/// The root paths below one owner's prefix, in the order in which the guard is set: newest generation first.
pub(crate) fn root_paths(owner: &str) -> impl Iterator<Item = (Generation, String)> {
    Generation::ALL.iter().copied().rev().map(move |generation| (generation, root_path(owner, generation)))
}

/// The path of the root of one generation.
pub(crate) fn root_path(owner: &str, generation: Generation) -> String {
    format!("{owner}/{}", generation.root())
}

/// The generations in the order of the release: the live one, then the others, newest first.
pub(crate) fn release_order(live: Option<Generation>) -> Vec<Generation> {
    let others = Generation::ALL.iter().copied().rev().filter(|generation| Some(*generation) != live);
    live.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::CatalogFile;

    #[test]
    fn no_generation_reads_a_guard() {
        for backup in ["n1", &"long-".repeat(40), &"ü".repeat(40)] {
            let guard = bytes("0123456789abcdef", backup);
            assert!(guard.len() <= LONGEST && CatalogFile::parse(&guard).is_err(), "{guard:?}");
            assert_eq!(restore_of(&guard).as_deref(), Some("0123456789abcdef"));
        }
        assert_eq!(restore_of(b"idb3.004.s"), None);
    }

    #[test]
    fn the_live_generation_is_released_first() {
        use Generation::{V1, V2, V3};
        assert_eq!(release_order(Some(V2)), [V2, V3, V1]);
        assert_eq!(release_order(Some(V3)), [V3, V2, V1]);
        assert_eq!(release_order(None), [V3, V2, V1]);
        let paths: Vec<_> = root_paths("c1").map(|(_, path)| path).collect();
        assert_eq!(paths, ["c1/catalog/v3/snapshot", "c1/catalog/v2/snapshot", "c1/_catalog_checkpoint"]);
    }
}
