//! A flame graph: one SVG file, made by `inferno`, that zooms and searches in a browser.

use std::io::{self, Write};

use inferno::flamegraph::{Direction, Options, TextTruncateDirection, color, from_lines};

use super::{Profile, collapsed};
use crate::view::metric::Metric;

/// How the picture looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// Instead of the program and the metric.
    pub(crate) title: Option<String>,
    /// The roots are at the top.
    pub(crate) is_icicle: bool,
}

/// Draws the metric.
pub(crate) fn write(
    profile: &Profile<'_>,
    metric: Metric,
    look: &Look,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let mut options = Options::default();
    let title = || format!("{}: {}", profile.title(), metric.phrase());
    options.title = look.title.clone().unwrap_or_else(title);
    options.count_name = if metric.is_bytes() { "bytes".into() } else { "blocks".into() };
    options.colors = color::Palette::Basic(color::BasicPalette::Mem);
    options.hash = true;
    options.direction = if look.is_icicle { Direction::Inverted } else { Direction::Straight };
    options.text_truncate_direction = TextTruncateDirection::Right;
    let mut lines = collapsed::lines(profile, metric);
    if lines.is_empty() {
        // `inferno` draws no empty picture, and this one should say why it is.
        options.subtitle = Some(format!("nothing has {}", metric.phrase()));
        lines.push("nothing 1".into());
    }
    from_lines(&mut options, lines.iter().map(String::as_str), sink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    fn picture(metric: Metric, look: &Look) -> String {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let mut sink = Vec::new();
        write(&Profile::of(&snapshot, &names), metric, look, &mut sink).expect("drawn");
        String::from_utf8(sink).expect("text")
    }

    #[test]
    fn the_picture_has_title_functions_and_values() {
        let svg = picture(Metric::Bytes, &Look::default());
        for expected in [
            "/opt/shop/shop (pid 31137): bytes allocated",
            "<title>add_item (1,048,576 bytes, 93.79%)</title>",
        ] {
            assert!(svg.contains(expected), "{expected} is missing");
        }
        let look = Look { title: Some("Shop".into()), is_icicle: true };
        assert!(picture(Metric::Count, &look).contains(">Shop</text>"));
    }

    #[test]
    fn a_picture_of_nothing_says_so() {
        let snapshot = heapsight::ledger::Snapshot::default();
        let names = crate::view::names::Names::new(false);
        let mut sink = Vec::new();
        let profile = Profile::of(&snapshot, &names);
        write(&profile, Metric::Live, &Look::default(), &mut sink).expect("drawn");
        assert!(String::from_utf8_lossy(&sink).contains("nothing has bytes in use"));
    }
}
