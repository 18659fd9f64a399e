//! A call stack in lines.

use std::fmt::{self, Write};

use heapsight::ledger::FrameKind;

use super::{BOLD, DIM};
use crate::view::numbers::{count, printable};
use crate::view::stacks::{Call, Stack, ending, label, place};

/// Writes the program's calls, and in a line each what lies around them.
pub(crate) fn write(out: &mut String, stack: &Stack<'_>, indent: usize) -> fmt::Result {
    let shown = stack.shown();
    if shown.start > 0 {
        let frames = count(shown.start as u64, "frame");
        let called = printable(&label(&stack.calls[shown.start - 1].frame));
        let line = format!("... {frames} of the allocating library, in {called}");
        writeln!(out, "{:indent$}{DIM}{line}{DIM:#}", "")?;
    }
    for (number, call) in stack.program().iter().enumerate() {
        writeln!(out, "{:indent$}#{number:<2} {}", "", describe(call))?;
    }
    match stack.ending {
        Some(reason) => writeln!(out, "{:indent$}... {}", "", ending(reason)),
        None if stack.calls.is_empty() => {
            writeln!(out, "{:indent$}(no call stack was recorded)", "")
        }
        None => Ok(()),
    }
}

/// `function  file:line (inlined)`, or what of it is known.
pub(crate) fn describe(call: &Call<'_>) -> String {
    let frame = &call.frame;
    let function = printable(frame.function.as_deref().unwrap_or("??"));
    let mark = match call.kind {
        _ if frame.inlined => " (inlined)",
        FrameKind::Heuristic => " (a guess: by frame pointers)",
        FrameKind::Exact => " (interrupted here)",
        _ => "",
    };
    format!("{BOLD}{function}{BOLD:#}  {}{DIM}{mark}{DIM:#}", printable(&place(frame)))
}
