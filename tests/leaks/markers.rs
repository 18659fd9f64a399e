//! The markers in the planted programs: what a leak report must name, to the line and the byte.
//!
//! ```text
//! // LEAK: 3 blocks, 300 bytes in in_a_loop
//! // LEAK: 2 blocks, 96 bytes in make_label, called by second_caller
//! // LEAK: 2 blocks, 154 bytes in inlined dissolved, called by inlining
//! // CALLER: second_caller
//! ```
//!
//! A marker belongs to the line it stands on or, when it stands alone, to the next line of code.
//! CALLER names the function that a call stands in, so that both frames can be held to their line.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::support::{Frame, Leak};

/// One leak that was planted.
#[derive(Debug)]
pub(crate) struct Plant {
    blocks: u64,
    bytes: u64,
    function: String,
    line: u32,
    inlined: bool,
    caller: Option<Caller>,
}

/// The call that led to it.
#[derive(Debug)]
struct Caller {
    function: String,
    line: Option<u32>,
}

/// Reads the markers of a source file.
pub(crate) fn plants(source: &Path) -> Vec<Plant> {
    let text = fs::read_to_string(source).expect("the planted program is there");
    let mut callers = HashMap::new();
    let mut found = Vec::new();
    for (text, line) in comments(&text) {
        if let Some(caller) = text.strip_prefix("CALLER: ") {
            callers.insert(caller.to_owned(), line);
        }
        if let Some(marker) = text.strip_prefix("LEAK: ") {
            found.push(plant(marker, line).unwrap_or_else(|| panic!("a marker: {marker}")));
        }
    }
    for caller in found.iter_mut().filter_map(|plant: &mut Plant| plant.caller.as_mut()) {
        caller.line = callers.get(&caller.function).copied();
    }
    assert!(!found.is_empty(), "{} has no markers", source.display());
    found
}

/// Every comment, with the number of the line of code that it speaks of.
fn comments(text: &str) -> Vec<(&str, u32)> {
    let mut pending = Vec::new();
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let (code, comment) = line.split_once("// ").unwrap_or((line, ""));
        if code.trim().is_empty() {
            pending.push(comment);
            continue;
        }
        found.extend(pending.drain(..).map(|comment| (comment, number)));
        found.push((comment, number));
    }
    found
}

/// `3 blocks, 300 bytes in [inlined] f[, called by g]`
fn plant(marker: &str, line: u32) -> Option<Plant> {
    let (amount, place) = marker.split_once(" in ")?;
    let (blocks, bytes) = amount.split_once(", ")?;
    let (function, caller) = match place.split_once(", called by ") {
        Some((function, caller)) => (function, Some(caller)),
        None => (place, None),
    };
    let plain = function.strip_prefix("inlined ");
    Some(Plant {
        blocks: blocks.split(' ').next()?.parse().ok()?,
        bytes: bytes.split(' ').next()?.parse().ok()?,
        function: plain.unwrap_or(function).to_owned(),
        line,
        inlined: plain.is_some(),
        caller: caller.map(|function| Caller { function: function.to_owned(), line: None }),
    })
}

impl Plant {
    /// Whether this is the leak that was planted: in the program's own file `file`, the first frame
    /// is the function and line of the marker, and the numbers are its numbers.
    fn is(&self, leak: &Leak, file: &str) -> bool {
        let mut own = leak.frames_in(file);
        let first = own.next();
        (leak.blocks, leak.bytes) == (self.blocks, self.bytes)
            && first.is_some_and(|frame| {
                frame.is_function(&self.function)
                    && frame.line == Some(self.line)
                    && (frame.inlined || !self.inlined)
                    && frame.module.is_some()
            })
            && self.caller.as_ref().is_none_or(|caller| {
                own.next().is_some_and(|frame| {
                    frame.is_function(&caller.function)
                        && (caller.line.is_none() || frame.line == caller.line)
                })
            })
    }
}

/// Holds the leaks of a report against the plants of `file`: each found once, and nothing else in
/// the program's own code.
pub(crate) fn compare(plants: &[Plant], leaks: &[&Leak], file: &str) {
    let mut own = merged(leaks, file);
    let mut complaints = String::new();
    for plant in plants {
        match own.iter().position(|leak| plant.is(leak, file)) {
            Some(found) => drop(own.swap_remove(found)),
            None => writeln!(complaints, "not found: {plant:?}").expect("text takes text"),
        }
    }
    for leak in own {
        complaints.push_str("found, but not planted so: ");
        complaints.push_str(&shown(&leak));
    }
    assert!(complaints.is_empty(), "{file}:\n{complaints}");
}

/// The leaks in the program's own code, one for each place in it. A compiler that unrolls a loop
/// makes several stacks of one place, and a string is an object and a text.
fn merged(leaks: &[&Leak], file: &str) -> Vec<Leak> {
    let place = |leak: &Leak| -> Vec<_> {
        leak.frames_in(file).map(|frame| (frame.function.clone(), frame.line)).collect()
    };
    let mut merged: Vec<Leak> = Vec::new();
    for &leak in leaks.iter().filter(|leak| leak.frames_in(file).next().is_some()) {
        match merged.iter_mut().find(|other| place(other) == place(leak)) {
            Some(same) => {
                same.blocks += leak.blocks;
                same.bytes += leak.bytes;
            }
            None => merged.push(leak.clone()),
        }
    }
    merged
}

/// A leak for the reader of a failed test.
pub(crate) fn shown(leak: &Leak) -> String {
    let mut text = format!("{} blocks, {} bytes\n", leak.blocks, leak.bytes);
    for frame in &leak.frames {
        text.push_str(&shown_frame(frame));
    }
    text
}

fn shown_frame(frame: &Frame) -> String {
    format!(
        "    {} at {}:{} in {}{}\n",
        frame.function.as_deref().unwrap_or("?"),
        frame.file.as_deref().unwrap_or("?"),
        frame.line.unwrap_or(0),
        frame.module.as_deref().unwrap_or("?"),
        if frame.inlined { ", inlined" } else { "" }
    )
}
