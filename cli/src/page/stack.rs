//! A call stack in lines.

use std::fmt::{self, Write};

use heapsight::ledger::FrameKind;

use super::{BOLD, DIM};
use crate::view::numbers::{count, printable};
use crate::view::stacks::{Call, Stack, ending, label, place};

/// Of a deep stack these many inner and outer calls are shown.
const INNER: usize = 16;
const OUTER: usize = 4;

/// Writes the program's calls, and in a line each what lies around them. Of a deep stack the middle
/// is left out, unless `is_whole`.
pub(crate) fn write(
    out: &mut String,
    stack: &Stack<'_>,
    indent: usize,
    is_whole: bool,
) -> fmt::Result {
    let shown = stack.shown();
    if shown.start > 0 {
        let frames = count(shown.start as u64, "frame");
        let called = printable(&label(&stack.calls[shown.start - 1].frame));
        let line = format!("... {frames} of the allocating library, in {called}");
        writeln!(out, "{:indent$}{DIM}{line}{DIM:#}", "")?;
    }
    let calls = stack.program();
    let left_out = match calls.len() {
        len if len > INNER + OUTER + 1 && !is_whole => INNER..len - OUTER,
        _ => 0..0,
    };
    for (number, call) in calls.iter().enumerate() {
        if number == left_out.start && !left_out.is_empty() {
            let calls = count(left_out.len() as u64, "call");
            let line = format!("... {calls}: --whole shows them");
            writeln!(out, "{:indent$}{DIM}{line}{DIM:#}", "")?;
        }
        if !left_out.contains(&number) {
            writeln!(out, "{:indent$}#{number:<2} {}", "", describe(call))?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use heapsight::Frame;
    use std::borrow::Cow;

    #[test]
    fn the_middle_of_a_deep_stack_is_left_out() {
        let call = |number: usize| Call {
            index: 1,
            kind: FrameKind::Return,
            frame: Cow::Owned(Frame { function: Some(format!("f{number}")), ..Frame::default() }),
        };
        let stack = Stack { calls: (0..50).map(call).collect(), ending: None };
        let text = |is_whole| {
            let mut text = String::new();
            write(&mut text, &stack, 2, is_whole).expect("written");
            anstream::adapter::strip_str(&text).to_string()
        };
        assert_eq!(text(true).lines().count(), 50);
        let short = text(false);
        assert_eq!(short.lines().count(), INNER + OUTER + 1);
        assert!(short.contains("  #15 f15"), "{short}");
        assert!(short.contains("\n  ... 30 calls: --whole shows them\n  #46 f46  "), "{short}");
    }
}
