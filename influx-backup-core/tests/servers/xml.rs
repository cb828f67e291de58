//! As much XML as the answers of S3 and Azure need: the contents of elements by name.

/// Contents of every `<tag>` in the text, in order, still escaped.
pub(crate) fn elements<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    text.split(&open).skip(1).filter_map(|rest| rest.split_once(&close)).map(|(content, _)| content).collect()
}

/// Content of the first `<tag>`, unescaped; empty where there is none.
pub(crate) fn element(text: &str, tag: &str) -> String {
    elements(text, tag).first().map(|content| unescape(content)).unwrap_or_default()
}

fn unescape(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        let code = match name.strip_prefix("#x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => name.strip_prefix('#').and_then(|decimal| decimal.parse().ok()),
        };
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER),
        });
        plain.push_str(rest);
    }
    plain
}
