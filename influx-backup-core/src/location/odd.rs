//! Names that object_store cannot hold, under others that it can: `cloud/odd_keys.rs` changes them in the answers to listings.

use object_store::path::Path;

use super::Location;

/// What is before the last segment of such a name: a character for private use.
pub(in crate::location) const ODD_SEGMENT: char = '\u{f8ff}';

/// Where the characters for private use begin that stand for control characters there.
pub(in crate::location) const CONTROLS: u32 = 0xf700;

/// Whether a listing has this name for another one.
pub(super) fn is_odd(path: &Path) -> bool {
    path.filename().is_some_and(|name| name.starts_with(ODD_SEGMENT))
}

impl Location {
    /// The name in the store, relative to this location, of a path that was listed.
    pub(super) fn real_name(&self, path: &Path) -> String {
        let name = path.as_ref();
        let name = name.strip_prefix(self.base().as_ref()).unwrap_or(name).trim_start_matches('/');
        let (parent, segment) = name.split_at(name.rfind('/').map_or(0, |at| at + 1));
        match segment.strip_prefix(ODD_SEGMENT) {
            Some(segment) => parent.chars().chain(segment.chars().map(real)).collect(),
            None => name.to_owned(),
        }
    }
}

fn real(shown: char) -> char {
    let number = u32::from(shown).checked_sub(CONTROLS);
    number.and_then(char::from_u32).filter(char::is_ascii_control).unwrap_or(shown)
}
