//! Curves in a line of text, or in a few.

use heapsight::ledger::Point;

use super::numbers;

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The most bytes in use in each of `columns` equal stretches of time; a stretch without a point
/// has what was in use before.
pub(crate) fn columns(timeline: &[Point], end_ns: u64, columns: usize) -> Vec<u64> {
    let end_ns = timeline.last().map_or(0, |last| last.ns).max(end_ns).max(1);
    let mut values = Vec::with_capacity(columns);
    let (mut next, mut current) = (0, 0);
    for column in 1..=columns {
        let until = u128::from(end_ns) * column as u128 / columns as u128;
        let mut most = current;
        while let Some(point) = timeline.get(next).filter(|point| u128::from(point.ns) <= until) {
            most = most.max(point.high_bytes).max(point.bytes);
            current = point.bytes;
            next += 1;
        }
        values.push(most);
    }
    values
}

/// `▁▂▅█▃`: a block for each value, the lowest for all that is small but not nothing.
pub(crate) fn sparkline(values: &[u64]) -> String {
    let most = values.iter().max().copied().unwrap_or(0);
    let level = |value: u64| (u128::from(value) * 8).div_ceil(u128::from(most)).max(1) as usize - 1;
    values.iter().map(|value| if *value == 0 { ' ' } else { LEVELS[level(*value)] }).collect()
}

/// The same in `rows` lines, with the largest value and the time at the axes.
pub(crate) fn chart(timeline: &[Point], end_ns: u64, width: usize, rows: usize) -> Vec<String> {
    let values = columns(timeline, end_ns, width);
    let most = values.iter().max().copied().unwrap_or(0).max(1);
    let margin = numbers::size(most).chars().count().max(3);
    let eighths = |value: &u64| (u128::from(*value) * 8 * rows as u128).div_ceil(most.into());
    let mut lines = Vec::new();
    for row in (0..rows).rev() {
        let below = row as u128 * 8;
        let cell = |value: &u64| match eighths(value).saturating_sub(below) {
            0 => ' ',
            some => LEVELS[some.min(8) as usize - 1],
        };
        let edge = if row + 1 == rows { numbers::size(most) } else { String::new() };
        let line: String = values.iter().map(cell).collect();
        lines.push(format!("{edge:>margin$} ┤{}", line.trim_end()));
    }
    let end = numbers::duration(timeline.last().map_or(0, |last| last.ns).max(end_ns));
    let gap = width.saturating_sub(1 + end.chars().count());
    lines.push(format!("{:>margin$} └{}", "0 B", "─".repeat(width)));
    lines.push(format!("{:margin$}  0{:gap$}{end}", "", ""));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(ns: u64, bytes: u64, high_bytes: u64) -> Point {
        Point { ns, bytes, high_bytes, ..Point::default() }
    }

    #[test]
    fn the_curve_keeps_peaks_and_bridges_gaps() {
        let timeline = [point(10, 5, 5), point(20, 0, 9), point(100, 3, 3)];
        assert_eq!(columns(&timeline, 100, 5), [9, 0, 0, 0, 3]);
        assert_eq!(columns(&timeline, 200, 2), [9, 3]);
        assert_eq!(columns(&[], 0, 3), [0, 0, 0]);
    }

    #[test]
    fn the_largest_value_is_full_and_the_smallest_is_seen() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), " ▁▄█");
        assert_eq!(sparkline(&[0, 0]), "  ");
        assert_eq!(sparkline(&[u64::MAX, 1]), "█▁");
    }

    #[test]
    fn the_chart_has_its_scale_at_its_sides() {
        let lines = chart(&[point(500, 1024, 1024), point(1000, 0, 2048)], 1000, 10, 2);
        assert_eq!(
            lines,
            [
                "2.0 KiB ┤         █",
                "        ┤    ██████",
                "    0 B └──────────",
                "         0     1 µs",
            ]
        );
    }
}
