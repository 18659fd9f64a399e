//! Collapsed stacks: a line for each call stack, `main;fill_cart;add_item 1048576`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Profile;
use crate::view::metric::Metric;

/// The lines, sorted, equal stacks made one.
pub(crate) fn lines(profile: &Profile<'_>, metric: Metric) -> Vec<String> {
    let mut stacks = BTreeMap::<String, u64>::new();
    for entry in &profile.entries {
        let value = profile.value(metric, entry);
        if value > 0 {
            let names: Vec<_> = entry.names().map(|name| plain(&name)).collect();
            let sum = stacks.entry(names.join(";")).or_default();
            *sum = sum.saturating_add(value);
        }
    }
    stacks.into_iter().map(|(stack, value)| format!("{stack} {value}")).collect()
}

/// A name without what separates names and lines.
fn plain(name: &str) -> String {
    let is_separator = |symbol: char| symbol == ';' || symbol.is_control();
    name.chars().map(|symbol| if is_separator(symbol) { ':' } else { symbol }).collect()
}

/// Writes the lines.
pub(crate) fn write(profile: &Profile<'_>, metric: Metric, sink: &mut dyn Write) -> io::Result<()> {
    for line in lines(profile, metric) {
        writeln!(sink, "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    #[test]
    fn stacks_start_at_the_root_and_have_the_metric() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let lines = lines(&Profile::of(&snapshot, &names), Metric::Bytes);
        assert_eq!(
            lines,
            [
                "[deeper];fill_cart;add_item 5000",
                "[no call stack] 400",
                "__libc_start_call_main;main;fill_cart;add_item 1048576",
                "__libc_start_call_main;main;greet 64000",
            ]
        );
        assert_eq!(plain("a;b\n"), "a:b:");
    }
}
