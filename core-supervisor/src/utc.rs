//! Moments as text and as dates, in UTC: the only clock that never repeats an hour.

use std::time::Duration;

const DAY_S: u64 = 86_400;

/// Year, month and day of the day with this number since the Unix epoch.
pub(crate) const fn date(days: u64) -> (u64, u64, u64) {
    // The civil calendar in years that begin in March, so that the leap day is the
    // last of the year (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as u64;
    (year, month, day)
}

/// `2026-01-31` of seconds since the Unix epoch.
pub(crate) fn day(seconds: u64) -> String {
    let (year, month, day) = date(seconds / DAY_S);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-01-31T23:59:59Z` of microseconds since the Unix epoch.
pub(crate) fn text(wall_us: u64) -> String {
    let seconds = Duration::from_micros(wall_us).as_secs();
    let (year, month, day) = date(seconds / DAY_S);
    let of_day = seconds % DAY_S;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same to the microsecond: `2026-01-31T23:59:59.000001Z`.
pub(crate) fn exact(wall_us: u64) -> String {
    let whole = text(wall_us);
    let seconds = whole.trim_end_matches('Z');
    format!("{seconds}.{:06}Z", wall_us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_registries_write_it() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(951_868_799_999_999), "2000-02-29T23:59:59Z");
        assert_eq!(text(1_772_323_200_000_000), "2026-03-01T00:00:00Z");
    }
}
