//! [`Naming`]: how a language writes the names of options.

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
    use super::*;

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
