//! A day of the calendar, as `2027-06-30`.

use std::format;
use std::string::String;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    year: u32,
    month: u32,
    day: u32,
}

const DAY_SECONDS: u64 = 24 * 60 * 60;

impl Date {
    /// `None`: the calendar has no such day.
    pub(crate) fn of(year: u32, month: u32, day: u32) -> Option<Self> {
        let is_leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let len = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => return None,
        };
        let is_real = (1..=9999).contains(&year) && (1..=len).contains(&day);
        is_real.then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str, len: usize| {
            let is_plain = digits.len() == len && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| digits.parse().ok())?
        };
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        Self::of(number(year, 4)?, number(month, 2)?, number(day, 2)?)
    }

    /// Today, in Greenwich.
    pub(crate) fn today() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        Self::of_days(now / DAY_SECONDS)
    }

    /// The day so many days after the first of January 1970. The years begin in March here, so that
    /// the leap day is the last one. After Howard Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", `civil_from_days`.
    fn of_days(days: u64) -> Self {
        const ERA_DAYS: u64 = 146_097;
        // From the first of March of the year 0.
        let days = days + 719_468;
        let (era, of_era) = (days / ERA_DAYS, days % ERA_DAYS);
        let year_of_era =
            (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA_DAYS - 1)) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = era * 400 + year_of_era + next;
        Self { year: year as u32, month: month as u32, day: day as u32 }
    }

    pub(super) fn text(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_780, "2026-11-23"),
        ] {
            assert_eq!(Date::of_days(days).text(), text);
        }
    }

    proptest! {
        #[test]
        fn the_next_day_is_later_and_every_day_can_be_read(days in 0u64..2_000_000) {
            let (day, next) = (Date::of_days(days), Date::of_days(days + 1));
            prop_assert!(day < next);
            prop_assert_eq!(Date::parse(&day.text()), Some(day));
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-02-29",
            "2026-04-31",
            "2026-+1-01",
            "0000-01-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
