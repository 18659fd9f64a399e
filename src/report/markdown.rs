//! The report as Markdown: a verdict, a table, and the stacks to unfold. For comments on changes
//! and for the summaries of continuous integration.

use super::model::{Leak, LeakReport, MemoryStats, count, grouped};
use super::text::{Style, class, held_by, own_place, suppression_lines, write_frames};
use std::format;
use std::io::{self, Write};
use std::string::String;
use std::vec::Vec;

/// Groups whose stacks are shown: services cut long comments off.
const STACKS_MAX: usize = 25;

/// Writes the whole report.
pub(crate) fn write_markdown(report: &LeakReport, sink: &mut dyn Write) -> io::Result<()> {
    let sign = if report.has_leaks() { "❌" } else { "✅" };
    writeln!(sink, "### {sign} {}\n", escaped(&report.verdict()))?;
    let leaked: Vec<_> = report.leaked().collect();
    if !leaked.is_empty() {
        writeln!(sink, "| | blocks | bytes | allocated by |\n|---|--:|--:|---|")?;
    }
    for leak in &leaked {
        let (blocks, bytes) = (grouped(leak.blocks), grouped(leak.bytes));
        let place = escaped(&own_place(&leak.frames));
        writeln!(sink, "| {} | {blocks} | {bytes} | {place} |", escaped(&class(leak)))?;
    }
    for leak in leaked.iter().take(STACKS_MAX) {
        write_stack(leak, sink)?;
    }
    let more = leaked.len().saturating_sub(STACKS_MAX);
    if more > 0 {
        writeln!(sink, "\nThe stacks of {} are left out.", count(more as u64, "smaller group"))?;
    }
    let known = suppression_lines(&report.suppressions);
    if !known.is_empty() {
        writeln!(sink, "\nKnown leaks:\n")?;
    }
    for line in known {
        writeln!(sink, "- {}", escaped(&line))?;
    }
    write_numbers(&report.stats, sink)?;
    for note in &report.notes {
        writeln!(sink, "\n> {}", escaped(note))?;
    }
    Ok(())
}

fn write_stack(leak: &Leak, sink: &mut dyn Write) -> io::Result<()> {
    let size = format!("{} in {}", count(leak.bytes, "byte"), count(leak.blocks, "block"));
    let place = markup(&own_place(&leak.frames));
    writeln!(sink, "\n<details><summary>{size} from {place}</summary>\n\n```text")?;
    write_frames(&leak.frames, sink, Style::PLAIN)?;
    if let Some(holder) = &leak.held_by {
        writeln!(sink, "      held by {}", held_by(holder))?;
    }
    writeln!(sink, "```\n\n</details>")
}

/// Writes the statistics alone.
pub(crate) fn write_stats(stats: &MemoryStats, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "### Memory statistics")?;
    write_numbers(stats, sink)
}

fn write_numbers(stats: &MemoryStats, sink: &mut dyn Write) -> io::Result<()> {
    let MemoryStats { total_allocations, total_deallocations, peak_bytes, .. } = *stats;
    writeln!(
        sink,
        "\n{}, {}, at most {} in use at once.",
        count(total_allocations, "allocation"),
        count(total_deallocations, "deallocation"),
        count(peak_bytes, "byte"),
    )
}

/// Text that means itself in a paragraph and in a cell of a table.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for symbol in text.chars() {
        if matches!(symbol, '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '~') {
            safe.push('\\');
        }
        push_markup(&mut safe, symbol);
    }
    safe
}

/// Text that means itself in HTML.
fn markup(text: &str) -> String {
    let mut safe = String::new();
    text.chars().for_each(|symbol| push_markup(&mut safe, symbol));
    safe
}

fn push_markup(text: &mut String, symbol: char) {
    match symbol {
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '&' => text.push_str("&amp;"),
        _ if symbol.is_control() => text.push('?'),
        _ => text.push(symbol),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::tests::sample;

    fn markdown_of(report: &LeakReport) -> String {
        let mut sink = Vec::new();
        write_markdown(report, &mut sink).expect("a vector takes everything");
        String::from_utf8(sink).expect("text")
    }

    #[test]
    fn a_leak_is_a_row_and_a_stack() {
        let text = markdown_of(&sample());
        let head = "### ❌ 3,000 bytes in 2 blocks at 1 call stack leaked by /bin/shop\n";
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains("| lost | 2 | 3,000 | add (shop.c:12) |"), "{text}");
        assert!(text.contains("<summary>3,000 bytes in 2 blocks from add (shop.c:12)"), "{text}");
        assert!(text.contains("#0  add  src/shop.c:12"), "{text}");
    }

    #[test]
    fn names_are_no_markup() {
        let mut report = sample();
        report.leaks[0].frames[1].function = Some("list<int>::|_make_|".into());
        let text = markdown_of(&report);
        assert!(text.contains(r"list&lt;int&gt;::\|\_make\_\| (shop.c:12)"), "{text}");
        assert!(text.contains("from list&lt;int&gt;::|_make_| (shop.c:12)</summary>"), "{text}");
    }

    #[test]
    fn without_leaks_there_is_no_table() {
        let report = LeakReport { leaks: Vec::new(), ..sample() };
        let text = markdown_of(&report);
        assert!(text.starts_with("### ✅ no leaks"), "{text}");
        assert!(!text.contains("|---"), "{text}");
    }
}
