//! The moment of a question, in UTC.

use crate::utc;

/// What rules may ask of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Of the day, 0 to 1439.
    pub(super) minute: u64,
    /// 1 for Monday to 7 for Sunday.
    pub(super) weekday: u64,
    /// Year, month and day as one number, e.g. 20260131.
    pub(super) date: u64,
}

const MINUTE_US: u64 = 60_000_000;

impl Moment {
    pub(super) fn of(wall_us: u64) -> Self {
        let minutes = wall_us / MINUTE_US;
        let days = minutes / 1440;
        let (year, month, day) = utc::date(days);
        Self {
            minute: minutes % 1440,
            weekday: (days + 3) % 7 + 1, // the epoch was a Thursday
            date: year * 10_000 + month * 100 + day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> (u64, u64, u64) {
        let moment = Moment::of(seconds * 1_000_000);
        (moment.date, moment.weekday, moment.minute)
    }

    #[test]
    fn the_calendar_knows_leap_days_and_weekdays() {
        assert_eq!(at(0), (19_700_101, 4, 0));
        assert_eq!(at(951_782_400), (20_000_229, 2, 0));
        assert_eq!(at(951_868_799), (20_000_229, 2, 1439));
        assert_eq!(at(951_868_800), (20_000_301, 3, 0));
        assert_eq!(at(1_772_323_200), (20_260_301, 7, 0));
        assert_eq!(at(4_107_542_400), (21_000_301, 1, 0)); // 2100 has no leap day
    }
}
