//! Durations as text: `250ms`, `90s`, `15m`, `6h`, `2d`. For `#[serde(with = "…")]` as well: options are read from such a
//! text or a number of seconds, and [`millis`] is for what is reported.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
use serde_json::Value;

use crate::naming::visible;

/// Units and their nanoseconds, the longest first.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration `{}`: expected e.g. 250ms, 90s, 15m, 6h or 2d", visible(.text))]
#[non_exhaustive]
pub struct InvalidDuration {
    /// The text.
    pub text: String,
}

/// Reads a whole number and a unit (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`). A number alone is in seconds.
///
/// # Errors
/// [`InvalidDuration`], also for one that is too long to be held.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    read(text.trim()).ok_or_else(|| InvalidDuration { text: text.to_owned() })
}

fn read(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = match unit.trim_start() {
        "" => "s",
        "min" => "m",
        unit => unit,
    };
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let nanos = number.parse::<u128>().ok()?.checked_mul(*factor)?;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

/// Writes a duration so that [`parse`] reads the same one, in the longest unit that takes it whole.
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let whole = UNITS.iter().find(|(_, factor)| nanos > 0 && nanos.is_multiple_of(*factor));
    whole.map_or_else(|| "0s".to_owned(), |(unit, factor)| format!("{}{unit}", nanos / factor))
}

/// Serializes as text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// Deserializes from text, or from a number of seconds.
///
/// # Errors
/// Those of the deserializer, and [`InvalidDuration`].
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Given::deserialize(deserializer)?.read().map_err(D::Error::custom)
}

/// By this name a deserializer is asked for a duration, so that it may take numbers of another unit for one.
pub(crate) const NEWTYPE: &str = "$influx_backup::Duration";

/// A duration as it may be given.
#[derive(Deserialize)]
#[serde(rename = "$influx_backup::Duration")]
struct Given(TextOrSeconds);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a duration is a text such as 90s, or a number of seconds")]
enum TextOrSeconds {
    Text(String),
    Whole(u64),
    Fraction(f64),
}

impl Given {
    fn read(&self) -> Result<Duration, InvalidDuration> {
        match &self.0 {
            TextOrSeconds::Text(text) => parse(text),
            TextOrSeconds::Whole(seconds) => Ok(Duration::from_secs(*seconds)),
            TextOrSeconds::Fraction(seconds) => {
                Duration::try_from_secs_f64(*seconds).map_err(|_| InvalidDuration { text: seconds.to_string() })
            }
        }
    }
}

/// Reads a duration where a number is in milliseconds: a text without a unit is none there.
///
/// # Errors
/// What is expected instead.
pub(crate) fn of_text_or_millis(given: &Value) -> Result<Duration, String> {
    let shown = || given.to_string().trim_end_matches(".0").to_owned();
    let invalid = || InvalidDuration { text: given.as_str().map_or_else(shown, ToOwned::to_owned) };
    let read = match given {
        Value::String(text) => read(text.trim()).filter(|_| text.contains(char::is_alphabetic)),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(millis), _) => Some(Duration::from_millis(millis)),
            (None, millis) => millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok()),
        },
        _ => return Err("a duration is a text such as 90s, or a number of milliseconds".to_owned()),
    };
    read.ok_or_else(|| invalid().to_string())
}

/// Durations that are reported: whole milliseconds, under names that end in `_ms`.
pub mod millis {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    /// As a number of milliseconds.
    #[must_use]
    pub fn of(duration: Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }

    /// What is left of a duration when it is written and read back.
    pub(crate) fn whole(duration: Duration) -> Duration {
        Duration::from_millis(of(duration))
    }

    /// Serializes as a number.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(of(*duration))
    }

    /// Deserializes from a number.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// The same for a duration that may be absent.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Duration, Given, Serializer, format};
    use serde::de::Error as _;

    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_some(&format(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let given = Option::<Given>::deserialize(deserializer)?;
        given.map(|given| given.read().map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        let cases = [
            ("0s", Duration::ZERO),
            ("250ms", Duration::from_millis(250)),
            ("1500ms", Duration::from_millis(1500)),
            ("90s", Duration::from_secs(90)),
            ("5m", Duration::from_secs(300)),
            ("1h", Duration::from_secs(3600)),
            ("2d", Duration::from_secs(172_800)),
        ];
        for (text, duration) in cases {
            assert_eq!(parse(text), Ok(duration), "{text}");
            assert_eq!(format(duration), text);
        }
        for (text, seconds) in [("90", 90), (" 15 min ", 900), ("60s", 60), ("24h", 86400)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "soon", "1.5h", "-1s", "1w", "9999999999999999d", "1h30m"] {
            assert_eq!(parse(text).expect_err("no duration").text, text);
        }
    }

    proptest! {
        #[test]
        fn every_duration_is_read_back(seconds in any::<u64>(), nanos in 0..1_000_000_000_u32, unit in 0..4_u32) {
            let nanos = nanos / 1000_u32.pow(unit) * 1000_u32.pow(unit);
            for duration in [Duration::new(seconds, nanos), Duration::from_secs(seconds)] {
                prop_assert_eq!(parse(&format(duration)), Ok(duration));
            }
        }
    }
}
