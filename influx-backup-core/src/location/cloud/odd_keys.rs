//! Answers to listings, with names that object_store cannot hold under another one: a prefix with an empty, `.` or `..` segment
//! would end the listing of a level, and of a key that ends in `/` it cuts that off. An empty object of such a key is a directory
//! marker; one that is not empty would seem to vanish.

use bytes::Bytes;
use object_store::client::{HttpError, HttpResponse};

use crate::location::ODD_SEGMENT;

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

/// The answer with [`ODD_SEGMENT`] before the last segment of such prefixes, and at the end of such keys.
pub(super) async fn renamed(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let bytes = body.bytes().await?;
    let changed = std::str::from_utf8(&bytes).ok().filter(|xml| may_be_odd(xml)).map(rename);
    Ok(HttpResponse::from_parts(parts, changed.map_or(bytes, Bytes::from).into()))
}

fn may_be_odd(xml: &str) -> bool {
    ["//<", "./<", ">/<", "/</Key>", "/</Name>"].iter().any(|end| xml.contains(end))
}

fn rename(xml: &str) -> String {
    let xml = PREFIXES.iter().fold(xml.to_owned(), |xml, [start, end, name_start, name_end]| {
        change(&xml, start, end, |element| {
            let (parent, segment) = odd(between(element, name_start, name_end)?)?;
            Some([*name_start, parent, ODD_SEGMENT, segment, "/", *name_end].concat())
        })
    });
    OBJECTS.iter().fold(xml, |xml, [start, end, name_start, name_end, size_start, size_end]| {
        change(&xml, start, end, |element| {
            let is_odd = between(element, name_start, name_end)?.ends_with('/')
                && between(element, size_start, size_end)? != "0";
            is_odd.then(|| element.replacen(name_end, &[ODD_SEGMENT, *name_end].concat(), 1))
        })
    })
}

/// The text with each element between `start` and `end` as `changed` returns it; `None`: as it is.
fn change(xml: &str, start: &str, end: &str, changed: impl Fn(&str) -> Option<String>) -> String {
    let mut kept = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((before, after)) = rest.split_once(start) {
        let Some((element, tail)) = after.split_once(end) else { break };
        kept.extend([before, start, changed(element).as_deref().unwrap_or(element), end]);
        rest = tail;
    }
    kept + rest
}

fn between<'a>(element: &'a str, start: &str, end: &str) -> Option<&'a str> {
    element.split_once(start)?.1.split_once(end).map(|(text, _)| text)
}

/// The last segment of a prefix and what is before it, where it is empty, `.` or `..`.
fn odd(prefix: &str) -> Option<(&str, &str)> {
    let prefix = prefix.strip_suffix('/')?;
    let (parent, segment) = prefix.split_at(prefix.rfind('/').map_or(0, |at| at + 1));
    matches!(segment, "" | "." | "..").then_some((parent, segment))
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
        assert!(may_be_odd(&all));
        let renamed = ["base/a/", "base/\u{f8ff}/", "base/\u{f8ff}./", "base/\u{f8ff}../", "base/b/"];
        assert_eq!(rename(&all), s3(&renamed));
        assert_eq!(rename(&s3(&["a/", "/", "../"])), s3(&["a/", "\u{f8ff}/", "\u{f8ff}../"]), "at the top of a bucket");
        let azure = |names: &[&str]| {
            let blobs: String =
                names.iter().map(|name| format!("<BlobPrefix><Name>{name}</Name></BlobPrefix>")).collect();
            format!("<EnumerationResults><Blobs>{blobs}<Blob><Name>x</Name></Blob></Blobs></EnumerationResults>")
        };
        assert_eq!(rename(&azure(&["n1/", "base//"])), azure(&["n1/", "base/\u{f8ff}/"]));
        assert!(!may_be_odd(&s3(&["base/a/"])), "nothing is copied where there is none");
    }

    #[test]
    fn objects_that_are_no_markers_and_whose_keys_end_in_a_slash_are_renamed() {
        let s3 = |key: &str, size: u32| {
            format!(
                "<R><Prefix>n/</Prefix><Contents><Key>n/a</Key><Size>1</Size></Contents><Contents><Key>{key}</Key><Size>{size}</Size></Contents></R>"
            )
        };
        assert_eq!(rename(&s3("n/x/", 8)), s3("n/x/\u{f8ff}", 8));
        for (key, size) in [("n/x/", 0), ("n/x", 8)] {
            assert_eq!(rename(&s3(key, size)), s3(key, size), "{key} {size}");
        }
        let azure = |name: &str, size: u32| {
            format!(
                "<Blobs><Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length></Properties></Blob></Blobs>"
            )
        };
        assert!(may_be_odd(&s3("n/x/", 8)) && may_be_odd(&azure("n/x/", 8)));
        assert_eq!(rename(&azure("n/x/", 8)), azure("n/x/\u{f8ff}", 8));
        assert_eq!(rename(&azure("n/x/", 0)), azure("n/x/", 0));
    }
}
