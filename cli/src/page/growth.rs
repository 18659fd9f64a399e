//! What grows, on a page.

use std::io::{self, Write};

use heapsight::symbols;
use serde_json::json;

use super::{BOLD, DIM};
use crate::view::growth::{Growing, Growth};
use crate::view::numbers::{count, size};

/// Version of the JSON below; it changes when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// For people.
pub(crate) fn write_text(
    growth: &Growth,
    sink: &mut dyn Write,
    has_colour: bool,
) -> io::Result<()> {
    let intervals = growth.looks.len().saturating_sub(1);
    let seconds = growth.looks.last().map_or(0.0, |look| look.0);
    let subject = format!("{} (pid {})", growth.program, growth.pid);
    let stacks = count(growth.call_stacks as u64, "call stack");
    let verdict = match growth.growing.as_slice() {
        [] => format!("nothing grows: none of {stacks} in each of {intervals} intervals"),
        growing => {
            let rate: f64 = growing.iter().map(|one| one.bytes_per_second).sum();
            format!(
                "{} of {stacks} grew in each of {intervals} intervals, by {} a second",
                growing.len(),
                size(rate as u64)
            )
        }
    };
    let (bold, dim) = if has_colour { (BOLD, DIM) } else { Default::default() };
    writeln!(sink, "{bold}heapsight: {verdict}, in {subject}{bold:#}")?;
    for one in &growth.growing {
        write_growing(one, seconds, sink, has_colour)?;
    }
    writeln!(sink)?;
    for (seconds, size_then, pause) in &growth.looks {
        let (bytes, blocks) = (size(size_then.bytes), count(size_then.blocks, "block"));
        let pause = pause.map_or_else(String::new, |pause| {
            format!(", the program stood still for {:.3} ms", pause as f64 / 1e6)
        });
        writeln!(sink, "  {dim}at {seconds:.1} s: {bytes} in {blocks}{pause}{dim:#}")?;
    }
    for note in &growth.notes {
        writeln!(sink, "  note: {note}")?;
    }
    Ok(())
}

fn write_growing(
    one: &Growing,
    seconds: f64,
    sink: &mut dyn Write,
    has_colour: bool,
) -> io::Result<()> {
    let bold = if has_colour { BOLD } else { Default::default() };
    let amount = |size_then: &crate::view::growth::Size| {
        format!("{} in {}", size(size_then.bytes), count(size_then.blocks, "block"))
    };
    let [from, to] =
        [one.sizes.first(), one.sizes.last()].map(|end| end.map(amount).unwrap_or_default());
    let rate = format!(
        "{} and {:.1} blocks a second",
        size(one.bytes_per_second as u64),
        one.blocks_per_second
    );
    writeln!(
        sink,
        "\n  {bold}grows by {rate}{bold:#}: from {from} to {to} in {seconds:.1} s, allocated here:"
    )?;
    symbols::write_frames(&one.group.frames, sink, has_colour)?;
    match &one.group.held_by {
        Some(holder) => writeln!(sink, "      held by {}", symbols::held_by(holder)),
        None => writeln!(sink, "      nothing holds them: they are lost"),
    }
}

/// For programs.
pub(crate) fn write_json(growth: &Growth, mut sink: &mut dyn Write) -> io::Result<()> {
    let looks = growth.looks.iter().map(|(seconds, size, pause_ns)| {
        json!({ "seconds": seconds, "bytes": size.bytes, "blocks": size.blocks,
                "pause_ns": pause_ns })
    });
    let growing = growth.growing.iter().map(|one| {
        json!({
            "bytes_per_second": one.bytes_per_second,
            "blocks_per_second": one.blocks_per_second,
            "bytes": one.sizes.iter().map(|size| size.bytes).collect::<Vec<_>>(),
            "blocks": one.sizes.iter().map(|size| size.blocks).collect::<Vec<_>>(),
            "group": one.group,
        })
    });
    let document = json!({
        "version": VERSION,
        "program": growth.program,
        "pid": growth.pid,
        "looks": looks.collect::<Vec<_>>(),
        "call_stacks": growth.call_stacks,
        "growing": growing.collect::<Vec<_>>(),
        "notes": growth.notes,
    });
    serde_json::to_writer_pretty(&mut sink, &document)?;
    writeln!(sink)
}
