//! Units: [`ByteSize`], and [`duration`]s as text.

pub mod duration;

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};

use crate::naming::visible;

/// A number of bytes. Prints as `1.5 GiB`; reads `1536`, `64 MiB`, `1.5GiB`, `2 GB`.
///
/// Serializes as an integer; deserializes from an integer or from such a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// This many mebibytes.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut unit = 0;
        #[allow(clippy::cast_precision_loss)]
        let mut value = self.0 as f64;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let text = if unit == 0 { format!("{} B", self.0) } else { format!("{value:.1} {}", UNITS[unit]) };
        f.pad(&text)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        bytes(number, unit.trim()).map(Self).ok_or_else(|| InvalidSize { text: text.to_owned() })
    }
}

fn bytes(number: &str, unit: &str) -> Option<u64> {
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "p" | "pib" => 1 << 50,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "pb" => 1_000_000_000_000_000,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    #[allow(clippy::cast_precision_loss)]
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    // All that is below is exact as an integer.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (0.0..9e15).contains(&bytes).then_some(bytes as u64)
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or a text such as 64MiB")
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                let invalid = |_| E::invalid_value(de::Unexpected::Signed(bytes), &self);
                u64::try_from(bytes).map(ByteSize).map_err(invalid)
            }

            /// JavaScript and Python write whole numbers as `1e6` or `1000000.0`, too.
            fn visit_f64<E: de::Error>(self, bytes: f64) -> Result<ByteSize, E> {
                // All that is below is exact as an integer.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let whole = ((0.0..9e15).contains(&bytes) && bytes.fract() == 0.0).then_some(ByteSize(bytes as u64));
                whole.ok_or_else(|| E::invalid_value(de::Unexpected::Float(bytes), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

/// The sum of sizes, at most `u64::MAX`: a damaged file may name any size.
pub(crate) fn total(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}

/// How many sizes there are, and their [`total`].
pub(crate) fn count_and_total(sizes: impl IntoIterator<Item = u64>) -> (u64, u64) {
    sizes.into_iter().fold((0, 0), |(count, total), size| (count + 1, u64::saturating_add(total, size)))
}

/// All of these, where a number says it.
pub(crate) fn checked_total(sizes: impl IntoIterator<Item = u64>) -> Option<u64> {
    sizes.into_iter().try_fold(0, u64::checked_add)
}

/// A text that is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid size `{}`: expected e.g. 64 MiB, 1.5 GiB, 2 GB or a number of bytes", visible(.text))]
#[non_exhaustive]
pub struct InvalidSize {
    /// The text.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_printed() {
        for (text, bytes) in
            [("0", 0), ("1536", 1536), ("64 MiB", 64 << 20), ("1.5GiB", 3 << 29), ("2 GB", 2_000_000_000)]
        {
            assert_eq!(text.parse::<ByteSize>().expect(text), ByteSize(bytes));
        }
        for text in ["", "many", "-1", "1.2.3", "7 apples", "20000000 TiB"] {
            assert_eq!(text.parse::<ByteSize>().expect_err("no size").text, text);
        }
        assert_eq!(format!("{}", u64::MAX).parse(), Ok(ByteSize(u64::MAX)));
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!(format!("{:>8}", ByteSize(7)), "     7 B");
    }
    #[test]
    fn they_are_integers_on_disk_and_may_be_texts_in_options() {
        assert_eq!(serde_json::to_string(&ByteSize::mib(1)).expect("serializes"), "1048576");
        for (json, bytes) in [
            ("1048576", 1 << 20),
            ("\"1 MiB\"", 1 << 20),
            ("1e6", 1_000_000),
            ("1000000.0", 1_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(serde_json::from_str::<ByteSize>(json).expect(json), ByteSize(bytes));
        }
        for json in ["-1", "1.5", "1e300", "\"many\"", "true"] {
            serde_json::from_str::<ByteSize>(json).expect_err(json);
        }
    }
}
