//! Answers to listings, with other names for those that object_store cannot hold. A prefix or a key whose last segment is empty,
//! `.` or `..`, or has a control character, would end the listing of a level. Of a key that ends in `/` the slash is cut off: an
//! empty object of such a key is a directory marker; one that is not empty would seem to vanish.

use std::borrow::Cow;

use bytes::Bytes;

use crate::{
    error::Misbehavior,
    location::{
        odd::{CONTROLS, ODD_SEGMENT},
        pages::Pages,
    },
};

/// The elements of a prefix and of its name: S3 and Google, Azure.
const PREFIXES: [[&str; 4]; 2] = [
    ["<CommonPrefixes>", "</CommonPrefixes>", "<Prefix>", "</Prefix>"],
    ["<BlobPrefix>", "</BlobPrefix>", "<Name>", "</Name>"],
];

/// The elements of an object, of its name and of its size: S3 and Google, Azure.
const OBJECTS: [[&str; 6]; 2] = [
    ["<Contents>", "</Contents>", "<Key>", "</Key>", "<Size>", "</Size>"],
    ["<Blob>", "</Blob>", "<Name>", "</Name>", "<Content-Length>", "</Content-Length>"],
];

/// The answer with [`ODD_SEGMENT`] before the last segment of such prefixes and keys, and other characters for control characters
/// in it.
pub(super) fn renamed(page: Bytes) -> Bytes {
    let changed = std::str::from_utf8(&page).ok().and_then(rename);
    changed.map_or(page, Bytes::from)
}

/// The names of a page, and where the next one begins. Names that are the request's own are the same on each.
pub(super) fn check(page: &[u8]) -> Result<(), Misbehavior> {
    let Ok(page) = std::str::from_utf8(page) else { return Ok(()) };
    let next = ["NextContinuationToken", "NextMarker"]
        .iter()
        .find_map(|name| between(page, &format!("<{name}>"), &format!("</{name}>")).filter(|next| !next.is_empty()));
    if next.is_none() && between(page, "<IsTruncated>", "</IsTruncated>") == Some("true") {
        return Err(Misbehavior::Endless { flaw: "a page says that there are more, and not where" });
    }
    let prefixes = PREFIXES.iter().map(|[start, _, name_start, name_end]| [start, name_start, name_end]);
    let objects = OBJECTS.iter().map(|[start, _, name_start, name_end, ..]| [start, name_start, name_end]);
    let names = prefixes.chain(objects).flat_map(|[start, name_start, name_end]| {
        page.split(*start).skip(1).filter_map(|element| between(element, name_start, name_end))
    });
    Pages::check(names, next)
}

/// `None`: as it is.
fn rename(xml: &str) -> Option<String> {
    let mut xml = Cow::Borrowed(xml);
    for [start, end, name_start, name_end] in PREFIXES {
        change(&mut xml, start, end, |element| {
            let name = between(element, name_start, name_end)?;
            Some([name_start, &odd(name.strip_suffix('/')?)?, "/", name_end].concat())
        });
    }
    for [start, end, name_start, name_end, size_start, size_end] in OBJECTS {
        change(&mut xml, start, end, |element| {
            let name = between(element, name_start, name_end)?;
            let is_empty = || between(element, size_start, size_end).is_none_or(|size| size == "0");
            if name.ends_with('/') && is_empty() {
                return None;
            }
            let renamed = [name_start, &odd(name)?, name_end].concat();
            Some(element.replacen(&[name_start, name, name_end].concat(), &renamed, 1))
        });
    }
    if let Cow::Owned(changed) = xml { Some(changed) } else { None }
}

/// Puts in the place of each element between `start` and `end` what `changed` returns; `None`: it stays as it is.
fn change(xml: &mut Cow<'_, str>, start: &str, end: &str, changed: impl Fn(&str) -> Option<String>) {
    let mut kept = String::new();
    let mut rest = &**xml;
    let mut unchanged = rest;
    while let Some((_, after)) = rest.split_once(start) {
        let Some((element, tail)) = after.split_once(end) else { break };
        if let Some(new) = changed(element) {
            kept.push_str(&unchanged[..unchanged.len() - after.len()]);
            kept.push_str(&new);
            unchanged = &after[element.len()..];
        }
        rest = tail;
    }
    if !kept.is_empty() {
        kept.push_str(unchanged);
        *xml = Cow::Owned(kept);
    }
}

fn between<'a>(element: &'a str, start: &str, end: &str) -> Option<&'a str> {
    element.split_once(start)?.1.split_once(end).map(|(text, _)| text)
}

/// Another name, where the last segment is empty, `.` or `..`, or has a control character.
fn odd(name: &str) -> Option<String> {
    let (parent, segment) = name.split_at(name.rfind('/').map_or(0, |at| at + 1));
    let shown = without_controls(segment);
    let is_odd = shown != segment || matches!(segment, "" | "." | "..");
    is_odd.then(|| format!("{parent}{ODD_SEGMENT}{shown}"))
}

/// The text with other characters for control characters, as they are or as XML has them: `&#10;`, `&#xA;`.
fn without_controls(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(';').and_then(|(number, tail)| Some((control(number)?, tail))) {
            Some((control, tail)) => {
                shown.push(control);
                shown.push_str(tail);
            }
            None => shown.extend(["&#", part]),
        }
    }
    shown.chars().map(|c| if c.is_ascii_control() { stand_in(c) } else { c }).collect()
}

fn control(number: &str) -> Option<char> {
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(number.ok()?).filter(char::is_ascii_control)
}

fn stand_in(control: char) -> char {
    char::from_u32(CONTROLS + u32::from(control)).unwrap_or(ODD_SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_that_no_path_can_be_are_renamed() {
        let s3 = |prefixes: &[&str]| {
            let prefixes: String = prefixes
                .iter()
                .map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"))
                .collect();
            format!("<ListBucketResult><Prefix>base/</Prefix>{prefixes}<KeyCount>1</KeyCount></ListBucketResult>")
        };
        let all = s3(&["base/a/", "base//", "base/./", "base/../", "base/b/"]);
        let renamed = ["base/a/", "base/\u{f8ff}/", "base/\u{f8ff}./", "base/\u{f8ff}../", "base/b/"];
        assert_eq!(rename(&all), Some(s3(&renamed)));
        let renamed = s3(&["a/", "\u{f8ff}/", "\u{f8ff}../"]);
        assert_eq!(rename(&s3(&["a/", "/", "../"])), Some(renamed), "at the top of a bucket");
        let renamed = s3(&["b/\u{f8ff}x\u{f70a}y/", "b/\u{f8ff}&#34;\u{f701}\u{f77f}&#;/"]);
        assert_eq!(rename(&s3(&["b/x&#xA;y/", "b/&#34;&#1;\u{7f}&#;/"])), Some(renamed), "control characters");
        let azure = |names: &[&str]| {
            let blobs: String =
                names.iter().map(|name| format!("<BlobPrefix><Name>{name}</Name></BlobPrefix>")).collect();
            format!("<EnumerationResults><Blobs>{blobs}<Blob><Name>x</Name></Blob></Blobs></EnumerationResults>")
        };
        assert_eq!(rename(&azure(&["n1/", "base//"])), Some(azure(&["n1/", "base/\u{f8ff}/"])));
        assert_eq!(rename(&s3(&["base/a/", "base/&#34;/"])), None, "nothing is copied where there is none");
    }

    #[test]
    fn objects_that_no_path_can_be_are_renamed() {
        let s3 = |key: &str, size: u32| {
            format!(
                "<R><Prefix>n/</Prefix><Contents><Key>n/a</Key><Size>1</Size></Contents><Contents><Key>{key}</Key><Size>{size}</Size></Contents></R>"
            )
        };
        for (key, size, renamed) in [
            ("n/x/", 8, "n/x/\u{f8ff}"),
            ("n/..", 0, "n/\u{f8ff}.."),
            (".", 8, "\u{f8ff}."),
            ("n/x&#10;", 8, "n/\u{f8ff}x\u{f70a}"),
            ("n/\n", 8, "n/\u{f8ff}\u{f70a}"),
        ] {
            assert_eq!(rename(&s3(key, size)), Some(s3(renamed, size)), "{key} {size}");
        }
        for (key, size) in [("n/x/", 0), ("n/x", 8), ("n/../x", 8), ("n/...", 8)] {
            assert_eq!(rename(&s3(key, size)), None, "{key} {size}");
        }
        let azure = |name: &str, size: u32| {
            format!(
                "<Blobs><Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length></Properties></Blob></Blobs>"
            )
        };
        assert_eq!(rename(&azure("n/x/", 8)), Some(azure("n/x/\u{f8ff}", 8)));
        assert_eq!(rename(&azure("n/x/", 0)), None);
    }
}
