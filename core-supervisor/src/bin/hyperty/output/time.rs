//! Times for humans and for machines, without a time zone database.
//!
//! Machines get RFC 3339 in UTC. Humans get the time of day in UTC in a live
//! view, and a length of time everywhere else.

use std::time::Duration;

/// RFC 3339 in UTC with milliseconds, from microseconds since the Unix epoch.
pub(crate) fn rfc3339(at_us: u64) -> String {
    let (year, month, day) = civil_date(at_us / 86_400_000_000);
    format!("{year:04}-{month:02}-{day:02}T{}Z", clock(at_us))
}

/// The time of day in UTC with milliseconds: `09:21:34.120`.
pub(crate) fn clock(at_us: u64) -> String {
    let ms = (at_us / 1000) % 86_400_000;
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
}

/// A length of time in the two largest units: `3d 4h`, `2m 05s`, `4.2s`, `310ms`.
pub(crate) fn span(length: Duration) -> String {
    let (s, ms) = (length.as_secs(), length.as_millis());
    match s {
        0 => format!("{ms}ms"),
        1..=9 => format!("{}.{}s", s, ms % 1000 / 100),
        10..=59 => format!("{s}s"),
        60..=3599 => format!("{}m {:02}s", s / 60, s % 60),
        3600..=86_399 => format!("{}h {:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d {}h", s / 86_400, s / 3600 % 24),
    }
}

/// A latency: `38µs`, `1.24ms`, `2.1s`.
pub(crate) fn latency(us: u64, unicode: bool) -> String {
    match us {
        0..=999 => format!("{us}{}s", if unicode { 'µ' } else { 'u' }),
        1000..=999_999 => format!("{}.{:02}ms", us / 1000, us % 1000 / 10),
        _ => span(Duration::from_micros(us)),
    }
}

/// Microseconds since the Unix epoch, now.
pub(crate) fn now_us() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Reads `500ms`, `10s`, `2m`, `1h` or a bare number of seconds.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is not a length of time: say 500ms, 10s, 2m or 1h"))?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(format!("`{unit}` is not a unit of time: say ms, s, m or h")),
    };
    match milliseconds {
        // A week: long enough for any watch, short enough for the header's 32 bits.
        Some(ms) if ms <= 604_800_000 => Ok(Duration::from_millis(ms)),
        _ => Err(format!("`{text}` is longer than a week")),
    }
}

// Days since 1970-01-01 to a date of the Gregorian calendar, counting in eras
// of 400 years that start in March so that the leap day is the last of a year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_252_894_123_456), "2026-11-21T09:21:34.123Z");
        assert_eq!(rfc3339(4_107_542_399_999_999), "2100-02-28T23:59:59.999Z");
    }

    #[test]
    fn a_length_of_time_shows_its_two_largest_units() {
        let shown: Vec<_> = [310, 4_250, 42_000, 125_000, 11_100_000, 273_600_000]
            .map(|ms| span(Duration::from_millis(ms)))
            .into();

        assert_eq!(shown, ["310ms", "4.2s", "42s", "2m 05s", "3h 05m", "3d 4h"]);
    }

    #[test]
    fn a_latency_keeps_three_digits() {
        assert_eq!(latency(38, true), "38µs");
        assert_eq!(latency(38, false), "38us");
        assert_eq!(latency(1_240, true), "1.24ms");
        assert_eq!(latency(2_100_000, true), "2.1s");
    }

    #[test]
    fn lengths_of_time_are_read_with_their_unit() {
        assert_eq!(parse_span("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_span("3"), Ok(Duration::from_secs(3)));
        assert_eq!(parse_span("2m"), Ok(Duration::from_mins(2)));
        assert!(parse_span("soon").is_err());
        assert!(parse_span("3 fortnights").is_err());
        assert!(parse_span("99999999999999999999s").is_err());
        assert!(parse_span("9999h").is_err());
    }
}
