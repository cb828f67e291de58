//! Units as types: [`ByteSize`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A number of bytes. Prints as `1.5 GiB`; reads `1536`, `64 MiB`, `1.5GiB`, `2 GB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
        let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1024.0 * 1024.0,
            "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
            "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            _ => f64::NAN,
        };
        let bytes = number.parse::<f64>().unwrap_or(f64::NAN) * factor;
        if bytes.is_finite() && bytes >= 0.0 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            return Ok(Self(bytes as u64));
        }
        Err(InvalidSize { text: text.to_owned() })
    }
}

/// A text that is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid size `{text}`: expected e.g. 64 MiB, 1.5 GiB, 2 GB or a number of bytes")]
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
        assert!("many".parse::<ByteSize>().is_err() && "-1".parse::<ByteSize>().is_err());
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!(format!("{:>8}", ByteSize(7)), "     7 B");
    }
}
