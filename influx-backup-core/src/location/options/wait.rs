//! Durations as the object_store crate writes them.

use std::time::Duration;

use super::kind::Flaw;

/// No request and no pause lasts longer. Far longer ones are too long for the clock.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// Reads `30s`, `500ms`, `1h 30m`, or seconds.
pub(in crate::location) fn wait(value: &str, least: Duration) -> Result<Duration, Flaw> {
    let read = sum(value).ok_or(Flaw::from("write a duration as 500ms, 30s, 5m or 1h"))?;
    if read < least {
        return Err("nothing is done within 0 s: set more".into());
    }
    if read > LONGEST { Err("no more than 7 days are possible".into()) } else { Ok(read) }
}

fn sum(value: &str) -> Option<Duration> {
    let is_digit = |c: char| c.is_ascii_digit();
    if value.chars().all(is_digit) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let (mut rest, mut sum) = (value, Duration::ZERO);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_digit(c))?);
        let after = after.trim_start();
        let (unit, after) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let number: u64 = number.parse().ok()?;
        let part = match unit {
            "ns" | "nsec" => Duration::from_nanos(number),
            "us" | "usec" => Duration::from_micros(number),
            "ms" | "msec" | "millis" => Duration::from_millis(number),
            "s" | "sec" | "secs" | "second" | "seconds" => Duration::from_secs(number),
            "m" | "min" | "mins" | "minute" | "minutes" => Duration::from_secs(number.checked_mul(60)?),
            "h" | "hr" | "hrs" | "hour" | "hours" => Duration::from_secs(number.checked_mul(3600)?),
            "d" | "day" | "days" => Duration::from_secs(number.checked_mul(86_400)?),
            _ => return None,
        };
        sum = sum.checked_add(part)?;
        rest = after.trim_start();
    }
    Some(sum)
}
