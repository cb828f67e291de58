//! [`Naming`]: how a language writes the names of options.

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

/// A text that came from outside, with control characters escaped.
pub(crate) fn visible(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
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
