//! The report for people: the verdict first, then what leaked, then the numbers.

mod holders;
mod suppressed;

pub(super) use holders::{own_frame, own_place, sentence as held_by};
pub(super) use suppressed::lines as suppression_lines;

use super::fold;
use super::model::{Frame, Leak, LeakClass, LeakReport, MemoryStats, count, grouped};
use std::format;
use std::io::{self, Write};
use std::string::String;
use std::vec::Vec;

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Bold and dim, for terminals.
    pub(crate) colour: bool,
}

impl Style {
    /// Text and nothing else.
    pub(crate) const PLAIN: Self = Self { colour: false };

    fn bold(self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { String::from(text) }
    }

    fn dim(self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { String::from(text) }
    }
}

/// Groups that the text shows; JSON shows all.
const GROUPS_MAX: usize = 50;
/// And of what is still reachable.
const REACHABLE_MAX: usize = 10;

/// Writes the whole report.
pub(crate) fn write_text(
    report: &LeakReport,
    sink: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    let verdict = format!("heapsight: {} (pid {})", report.verdict(), report.pid);
    writeln!(sink, "{}", style.bold(&verdict))?;
    let leaked = report.leaked_bytes().max(1);
    for leak in report.leaked().take(GROUPS_MAX) {
        write_leak(leak, leaked, sink, style)?;
    }
    let more = report.leaked().count().saturating_sub(GROUPS_MAX);
    if more > 0 {
        let more = count(more as u64, "smaller call stack");
        writeln!(sink, "\n  ... and {more}: report=PATH.json shows them all")?;
    }
    write_reachable(report, sink, style)?;
    suppressed::write(&report.suppressions, sink, style)?;
    writeln!(sink)?;
    write_kept(report, sink, style)?;
    write_stats_line(&report.stats, sink, style)?;
    let own = format!("heapsight's own records: {}", bytes(report.overhead_bytes));
    writeln!(sink, "  {}", style.dim(&own))?;
    if let Some(pause) = report.pause_ns {
        let pause = format!("the program stood still for {}", milliseconds(pause));
        writeln!(sink, "  {}", style.dim(&pause))?;
    }
    for note in &report.notes {
        writeln!(sink, "  note: {note}")?;
    }
    sink.flush()
}

pub(super) fn write_leak(
    leak: &Leak,
    total: u64,
    sink: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    let share = match u128::from(leak.bytes) * 100 / u128::from(total) {
        0 => String::from("under 1 %"),
        share => format!("{share} %"),
    };
    let size = format!("{} in {}", bytes(leak.bytes), count(leak.blocks, "block"));
    let head = format!("{}: {size} ({share})", class(leak));
    let threads = match leak.threads.as_slice() {
        [] => String::new(),
        [one] => format!(", by thread {one}"),
        many => format!(", by {} threads", many.len()),
    };
    writeln!(sink, "\n  {}{}, allocated here:", style.bold(&head), style.dim(&threads))?;
    write_frames(&leak.frames, sink, style)?;
    if leak.truncated {
        writeln!(sink, "      ... the stack is deeper than what was recorded")?;
    }
    if leak.frames.is_empty() {
        writeln!(sink, "      (no call stack was recorded)")?;
    }
    if let Some(holder) = &leak.held_by {
        writeln!(sink, "      held by {}", holders::sentence(holder))?;
    }
    if !leak.members.is_empty() {
        writeln!(sink, "      the cycle:")?;
    }
    for member in holders::members(&leak.members) {
        writeln!(sink, "        {member}")?;
    }
    Ok(())
}

/// What became of the blocks, in a word or two.
pub(super) fn class(leak: &Leak) -> String {
    match leak.class {
        LeakClass::Lost => String::from("lost"),
        LeakClass::Cycle => match holders::counted_pointer(&leak.frames, &leak.members) {
            Some(kind) => format!("lost in a cycle of {kind}"),
            None => String::from("lost in a cycle"),
        },
        LeakClass::Indirect => String::from("lost with what holds it"),
        LeakClass::Possible => String::from("possibly lost"),
        LeakClass::Reachable => String::from("still reachable"),
    }
}

/// What the program can still get at: no leak, unless it grows.
fn write_reachable(report: &LeakReport, sink: &mut dyn Write, style: Style) -> io::Result<()> {
    let groups: Vec<_> =
        report.of_class(LeakClass::Reachable).filter(|leak| !leak.runtime).collect();
    let (blocks, size) =
        groups.iter().fold((0, 0), |sum, leak| (sum.0 + leak.blocks, sum.1 + leak.bytes));
    if blocks == 0 {
        return Ok(());
    }
    let head = format!("still reachable: {} in {}", bytes(size), count(blocks, "block"));
    writeln!(sink, "\n  {}", style.bold(&head))?;
    for leak in groups.iter().take(REACHABLE_MAX) {
        let size = format!("{} in {}", bytes(leak.bytes), count(leak.blocks, "block"));
        let frame = own_place(&leak.frames);
        writeln!(sink, "      {size} from {}", style.bold(&frame))?;
        if let Some(holder) = &leak.held_by {
            writeln!(
                sink,
                "{}",
                style.dim(&format!("        held by {}", holders::sentence(holder)))
            )?;
        }
    }
    let more = groups.len().saturating_sub(REACHABLE_MAX);
    if more > 0 {
        let more = count(more as u64, "smaller call stack");
        writeln!(sink, "      ... and {more}: report=PATH.json shows them all")?;
    }
    Ok(())
}

/// The frames, with those that lead to the heap and to `main` folded into a line each.
pub(super) fn write_frames(frames: &[Frame], sink: &mut dyn Write, style: Style) -> io::Result<()> {
    let above = frames.iter().take_while(|frame| fold::is_plumbing(frame)).count();
    let below = fold::roots_len(frames);
    // A stack of nothing but run-time frames is shown as it is.
    let is_foldable = above + below < frames.len();
    let (above, below) = if is_foldable { (above, below) } else { (0, 0) };
    if above > 0 {
        let called = frames[above - 1].function.as_deref().map(printable).unwrap_or_default();
        let number = count(above as u64, "frame");
        let line = format!("      ... {number} of the allocating library, in {called}");
        writeln!(sink, "{}", style.dim(&line))?;
    }
    for (number, frame) in frames[above..frames.len() - below].iter().enumerate() {
        writeln!(sink, "      #{number:<2} {}", describe(frame, style))?;
    }
    Ok(())
}

/// `function  file:line (inlined)`, or what of it is known.
fn describe(frame: &Frame, style: Style) -> String {
    let place = match (&frame.file, frame.line, &frame.module) {
        (Some(file), Some(line), _) => format!("{file}:{line}"),
        (Some(file), None, _) => file.clone(),
        (None, _, Some(module)) => format!("{module}+{:#x}", frame.address),
        (None, _, None) => format!("{:#x}, in no module", frame.address),
    };
    let inlined = if frame.inlined { " (inlined)" } else { "" };
    let function = printable(frame.function.as_deref().unwrap_or("??"));
    format!("{}  {}{inlined}", style.bold(&function), printable(&place))
}

/// Names come from files that anyone may have made: none moves the cursor of a terminal.
pub(super) fn printable(name: &str) -> String {
    name.chars().map(|symbol| if symbol.is_control() { '?' } else { symbol }).collect()
}

fn write_kept(report: &LeakReport, sink: &mut dyn Write, style: Style) -> io::Result<()> {
    let kept = report.leaks.iter().filter(|leak| leak.runtime);
    let (blocks, size) = kept.fold((0, 0), |sum, leak| (sum.0 + leak.blocks, sum.1 + leak.bytes));
    if blocks == 0 {
        return Ok(());
    }
    let blocks = count(blocks, "block");
    let line = format!("kept by run-time libraries on purpose: {} in {blocks}", bytes(size));
    writeln!(sink, "  {}", style.dim(&line))
}

fn write_stats_line(stats: &MemoryStats, sink: &mut dyn Write, style: Style) -> io::Result<()> {
    let line = format!(
        "in all: {}, {}; most at one moment: {}, {}",
        count(stats.total_allocations, "allocation"),
        bytes(stats.bytes_allocated),
        count(stats.peak_allocations, "block"),
        bytes(stats.peak_bytes),
    );
    writeln!(sink, "  {}", style.dim(&line))
}

/// Writes the statistics as a table.
pub(crate) fn write_stats(
    stats: &MemoryStats,
    is_tracking: bool,
    sink: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    writeln!(sink, "{}", style.bold("heapsight: memory statistics"))?;
    if !is_tracking {
        writeln!(sink, "  tracking is off: nothing is counted. Use track=stats or track=full.")?;
    }
    let rows = [
        ("total allocations", stats.total_allocations),
        ("total deallocations", stats.total_deallocations),
        ("current allocations", stats.current_allocations),
        ("peak allocations", stats.peak_allocations),
        ("bytes allocated", stats.bytes_allocated),
        ("bytes deallocated", stats.bytes_deallocated),
        ("current bytes", stats.current_bytes),
        ("peak bytes", stats.peak_bytes),
    ];
    for (name, value) in rows {
        writeln!(sink, "  {name:<20} {:>20}", grouped(value))?;
    }
    sink.flush()
}

/// `1.234 ms`.
fn milliseconds(nanoseconds: u64) -> String {
    format!("{}.{:03} ms", grouped(nanoseconds / 1_000_000), nanoseconds / 1000 % 1000)
}

/// `1,234 bytes`, and from a kibibyte on the same in words.
pub(super) fn bytes(number: u64) -> String {
    let exact = count(number, "byte");
    let units = [("KiB", 1u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
    match units.iter().rev().find(|(_, size)| number >= *size) {
        Some((unit, size)) => {
            let tenths = u128::from(number) * 10 / u128::from(*size);
            format!("{exact} ({}.{} {unit})", tenths / 10, tenths % 10)
        }
        None => exact,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::string::ToString;

    pub(in crate::report) fn sample() -> LeakReport {
        let frame = |function: &str, line| Frame {
            function: Some(function.to_string()),
            file: Some("src/shop.c".to_string()),
            line: Some(line),
            ..Frame::default()
        };
        let leak = Leak {
            class: LeakClass::Lost,
            interior: false,
            runtime: false,
            blocks: 2,
            bytes: 3000,
            threads: Vec::from([7]),
            truncated: false,
            frames: Vec::from([frame("operator new(unsigned long)", 1), frame("add", 12)]),
            held_by: None,
            members: Vec::new(),
            listed: Vec::new(),
        };
        LeakReport {
            program: "/bin/shop".to_string(),
            pid: 7,
            stats: MemoryStats::default(),
            leaks: Vec::from([leak]),
            suppressions: Vec::new(),
            notes: Vec::new(),
            overhead_bytes: 0,
            pause_ns: None,
            asked: None,
        }
    }

    fn text_of(report: &LeakReport) -> String {
        let mut sink = Vec::new();
        write_text(report, &mut sink, Style::PLAIN).expect("a vector takes everything");
        String::from_utf8(sink).expect("text")
    }

    #[test]
    fn the_verdict_comes_first_and_the_program_before_the_library() {
        let text = text_of(&sample());
        let first = "heapsight: 3,000 bytes in 2 blocks at 1 call stack leaked by /bin/shop";
        assert!(text.starts_with(first), "{text}");
        assert!(text.contains("#0  add  src/shop.c:12"), "{text}");
        assert!(text.contains("1 frame of the allocating library"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn how_long_the_program_stood_still_is_said_where_it_did() {
        let text = text_of(&LeakReport { pause_ns: Some(1_204_567), ..sample() });
        assert!(text.contains("the program stood still for 1.204 ms"), "{text}");
        assert!(!text_of(&sample()).contains("stood still"));
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        let mut report = sample();
        report.leaks[0].frames[1].function = Some("a\x1b[2Jdd\n".to_string());
        let text = text_of(&report);
        assert!(text.contains("#0  a?[2Jdd?  src/shop.c:12"), "{text}");
    }

    #[test]
    fn unknown_frames_and_cut_stacks_are_marked() {
        let mut report = sample();
        let unknown = Frame { module: Some("/lib/a.so".into()), address: 16, ..Frame::default() };
        report.leaks[0].frames = Vec::from([unknown, Frame { address: 32, ..Frame::default() }]);
        report.leaks[0].truncated = true;
        let text = text_of(&report);
        assert!(text.contains("#0  ??  /lib/a.so+0x10"), "{text}");
        assert!(text.contains("#1  ??  0x20, in no module"), "{text}");
        assert!(text.contains("the stack is deeper"), "{text}");
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let mut report = sample();
        report.leaks = std::vec![report.leaks[0].clone(); GROUPS_MAX + 3];
        let text = text_of(&report);
        assert!(text.contains("... and 3 smaller call stacks: report=PATH.json"), "{text}");
        assert!(text.is_ascii());
    }

    #[test]
    fn no_leaks_is_said_in_so_many_words() {
        let report = LeakReport { leaks: Vec::new(), ..sample() };
        assert!(text_of(&report).starts_with("heapsight: no leaks: nothing of /bin/shop was"));
        let stats = MemoryStats { total_allocations: 1, ..report.stats };
        let report = LeakReport { stats, ..report };
        assert!(text_of(&report).starts_with("heapsight: no leaks: /bin/shop freed all"));
    }
}
