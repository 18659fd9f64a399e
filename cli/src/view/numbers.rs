//! Numbers as people read them.

/// A number with its thousands set apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 block`, `1,234 blocks`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `17 B`, `1.5 KiB`, `2.0 MiB`: three digits at most.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded to 1024 of a unit is one of the next.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 99.95 { 1 } else { 0 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `+1.5 KiB`, `-17 B`, `0 B`.
pub(crate) fn size_change(bytes: i128) -> String {
    signed(bytes, size)
}

/// `+1,234`, `-17`, `0`.
pub(crate) fn change(number: i128) -> String {
    signed(number, grouped)
}

fn signed(number: i128, text: fn(u64) -> String) -> String {
    let sign = match number {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", text(u64::try_from(number.unsigned_abs()).unwrap_or(u64::MAX)))
}

/// `850 ns`, `12 ms`, `2.3 s`, `4 min 5 s`, `3 h 2 min`.
pub(crate) fn duration(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ if seconds < 60 => format!("{}.{} s", seconds, ns % 1_000_000_000 / 100_000_000),
        _ if seconds < 3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `72 %`, `under 1 %`, and nothing of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    match percent(part, whole) {
        None => "-".into(),
        Some(0) if part > 0 => "under 1 %".into(),
        Some(share) => format!("{share} %"),
    }
}

/// Hundredths of the whole, rounded down.
pub(crate) fn percent(part: u64, whole: u64) -> Option<u64> {
    let share = (u128::from(part) * 100).checked_div(u128::from(whole))?;
    Some(u64::try_from(share).unwrap_or(u64::MAX))
}

/// `± 3 %`: a standard deviation beside what it belongs to; nothing where there is none.
pub(crate) fn error(deviation: f64, value: u64) -> String {
    if deviation <= 0.0 || value == 0 {
        return String::new();
    }
    let share = deviation / value as f64 * 100.0;
    if share < 1.0 { " ± under 1 %".into() } else { format!(" ± {share:.0} %") }
}

/// Bytes as typed: `4096`, `64K`, `1.5M`, `2GiB`.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no number of bytes: write it as 4096, 64K, 1.5M or 2G");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().map_err(|_| wrong())?;
    let unit = text[end..].trim().to_ascii_lowercase();
    let shift = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(wrong()),
    };
    Ok((number * (1u64 << shift) as f64) as u64)
}

/// A text that moves no terminal's cursor: names come from files that anyone may have made.
pub(crate) fn printable(name: &str) -> String {
    name.chars().map(|symbol| if symbol.is_control() { '?' } else { symbol }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_at_most() {
        let texts = [0, 1023, 1024, 102_400, (1 << 20) - 1, 1 << 20, 5 << 30, u64::MAX].map(size);
        let expected =
            ["0 B", "1023 B", "1.0 KiB", "100 KiB", "1.0 MiB", "1.0 MiB", "5.0 GiB", "16.0 EiB"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn changes_have_a_sign() {
        assert_eq!([-2048, 0, 17].map(size_change), ["-2.0 KiB", "0 B", "+17 B"]);
        assert_eq!([-1234, 0, 17].map(change), ["-1,234", "0", "+17"]);
    }

    #[test]
    fn durations_are_told_in_the_unit_that_fits() {
        let ns = [5, 5_000, 12_000_000, 2_340_000_000, 245_000_000_000, 10_930_000_000_000];
        let texts = ["5 ns", "5 µs", "12 ms", "2.3 s", "4 min 5 s", "3 h 2 min"];
        assert_eq!(ns.map(duration), texts);
    }

    #[test]
    fn shares_of_little_and_of_nothing() {
        assert_eq!([share(0, 0), share(1, 0), share(0, 5)], ["-", "-", "0 %"]);
        assert_eq!([share(1, 500), share(u64::MAX, u64::MAX)], ["under 1 %", "100 %"]);
        assert_eq!(
            [error(0.0, 9), error(0.5, 100), error(30.0, 100)],
            ["", " ± under 1 %", " ± 30 %"]
        );
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let sizes = ["0", "4096", "64K", "1.5M", "2GiB", "3 kb"].map(|text| parse_size(text).ok());
        assert_eq!(sizes, [0, 4096, 65536, 3 << 19, 2 << 30, 3072].map(Some));
        for wrong in ["", "M", "1.2.3", "5x", "-1"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
