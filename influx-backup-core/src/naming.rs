//! [`Naming`]: how a language writes the names of options; and [`visible`]: how texts of others are shown.

use std::fmt;

use serde_json::Value;

/// How a language writes the names of options. The names of choices, such as `confirmed_by_caller`, are the same in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Naming {
    /// `on_existing`, as in the options structs and in Python. A number that stands for a duration is in seconds.
    #[default]
    SnakeCase,
    /// `onExisting`, as in Node. A number that stands for a duration is in milliseconds.
    CamelCase,
}

/// A text that came from outside, as one line that shows all of it: control characters, which a terminal obeys, and marks that
/// change the direction of what follows are escaped.
pub fn visible(text: impl fmt::Display) -> String {
    escaped(&text.to_string(), |_| false)
}

/// The same for text of several lines, whose line breaks and tabs are this crate's own.
#[cfg(feature = "cli")]
pub(crate) fn visible_lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let shown = |c: char| match c {
        c if is_kept(c) => c.to_string(),
        // Marks and overrides of direction, and separators of lines and paragraphs.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            c.escape_unicode().to_string()
        }
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

impl Naming {
    /// An option of the options structs in this naming: `limits.stall_timeout` is `limits.stallTimeout`.
    #[must_use]
    pub fn write(self, option: &str) -> String {
        if self == Self::SnakeCase {
            return option.to_owned();
        }
        let mut words = option.split('_');
        let mut written = words.next().unwrap_or_default().to_owned();
        for word in words {
            let mut letters = word.chars();
            written.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            written.push_str(letters.as_str());
        }
        written
    }

    /// Options as an object, with their names in this naming, nested ones too.
    #[must_use]
    pub fn write_all(self, options: Value) -> Value {
        match options {
            Value::Object(options) => {
                options.into_iter().map(|(option, value)| (self.write(&option), self.write_all(value))).collect()
            }
            value => value,
        }
    }

    /// Whether a name may be written like this. In snake_case any may: stores compare names without regard to how they are
    /// written.
    pub(crate) fn is_used_by(self, name: &str) -> bool {
        let is_camel_case =
            || name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
        self == Self::SnakeCase || is_camel_case()
    }

    /// What [`write`](Self::write) makes this name from. Of a name that it does not make, something close.
    pub(crate) fn read(self, name: &str) -> String {
        if self == Self::SnakeCase {
            return name.to_owned();
        }
        let mut read = String::with_capacity(name.len());
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                read.push('_');
            }
            read.push(letter.to_ascii_lowercase());
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_written_with_those_nested_in_them() {
        let options = json!({ "on_degraded": "after_timeout", "limits": { "retry": { "max_outage": null } } });
        let written = json!({ "onDegraded": "after_timeout", "limits": { "retry": { "maxOutage": null } } });
        assert_eq!(Naming::CamelCase.write_all(options.clone()), written);
        assert_eq!(Naming::SnakeCase.write_all(options.clone()), options);
    }

    #[test]
    fn names_are_written_and_read_back() {
        for (snake, camel) in [
            ("policy", "policy"),
            ("on_existing", "onExisting"),
            ("limits.retry.max_outage", "limits.retry.maxOutage"),
            ("object_store_http2_max_frame_size", "objectStoreHttp2MaxFrameSize"),
            ("aws_s3_express", "awsS3Express"),
        ] {
            assert_eq!(Naming::CamelCase.write(snake), camel);
            assert_eq!(Naming::CamelCase.write(camel), camel);
            assert_eq!(Naming::CamelCase.read(camel), snake);
            assert_eq!(Naming::SnakeCase.write(snake), snake);
            assert_eq!(Naming::SnakeCase.read(snake), snake);
        }
    }
}
