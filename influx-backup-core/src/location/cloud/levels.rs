//! Answers to listings of one level, with prefixes that object_store cannot hold under another name: one of them would end
//! the listing.

use bytes::Bytes;
use http::Uri;
use object_store::client::{HttpError, HttpResponse};

use crate::location::ODD_SEGMENT;

/// The elements of such a prefix, and of its name: S3 and Google, Azure.
const PREFIXES: [[&str; 4]; 2] = [
    ["<CommonPrefixes>", "</CommonPrefixes>", "<Prefix>", "</Prefix>"],
    ["<BlobPrefix>", "</BlobPrefix>", "<Name>", "</Name>"],
];

/// Whether a request lists one level.
pub(super) fn is_of_one_level(uri: &Uri) -> bool {
    uri.query().unwrap_or_default().split('&').any(|pair| pair.starts_with("delimiter="))
}

/// The answer with [`ODD_SEGMENT`] before the last segment of such prefixes.
pub(super) async fn renamed(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let bytes = body.bytes().await?;
    let changed = std::str::from_utf8(&bytes).ok().filter(|xml| may_be_odd(xml)).map(rename);
    Ok(HttpResponse::from_parts(parts, changed.map_or(bytes, Bytes::from).into()))
}

fn may_be_odd(xml: &str) -> bool {
    ["//<", "./<", ">/<"].iter().any(|end| xml.contains(end))
}

fn rename(xml: &str) -> String {
    PREFIXES.iter().fold(xml.to_owned(), |xml, [start, end, name_start, name_end]| {
        let mut kept = String::with_capacity(xml.len());
        let mut rest = xml.as_str();
        while let Some((before, after)) = rest.split_once(start) {
            let Some((element, tail)) = after.split_once(end) else { break };
            let name = element.split_once(name_start).and_then(|(_, name)| name.split_once(name_end));
            kept.extend([before, start]);
            match name.and_then(|(name, _)| odd(name)) {
                Some((parent, segment)) => kept.extend([name_start, parent, ODD_SEGMENT, segment, "/", name_end]),
                None => kept.push_str(element),
            }
            kept.push_str(end);
            rest = tail;
        }
        kept + rest
    })
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
    fn only_listings_of_one_level_are_looked_at() {
        let of = |uri: &str| is_of_one_level(&uri.parse().expect("a URI"));
        assert!(of("http://h/b?list-type=2&delimiter=%2F&prefix=a"));
        assert!(!of("http://h/b?list-type=2&prefix=a"));
    }
}
