//! The truth about a program, written beside the lines that allocate.
//!
//! ```text
//! // LEAK lost 3 blocks 72 bytes
//! // LEAK indirect 4 blocks 64 bytes under head
//! // LEAK reachable interior 1 block 88 bytes held by global kept
//! // LIBRARY the thread's control block
//! ```
//!
//! `programs/README.md` says what each part means.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::found::{Leak, Report};

/// What the source of a program says.
#[derive(Debug)]
pub(crate) struct Truth {
    file: String,
    plants: Vec<Plant>,
    /// Lines where a library allocates for itself.
    library: Vec<u32>,
}

/// Blocks of one line that share a fate.
#[derive(Debug)]
struct Plant {
    line: u32,
    class: String,
    is_interior: bool,
    blocks: u64,
    bytes: u64,
    holder: Option<Keeper>,
}

/// Who holds them, as far as the truth says.
#[derive(Debug)]
enum Keeper {
    /// A root of that kind; a global's name contains the text.
    Root { kind: String, name: String },
    /// A lost block that this function allocated.
    Lost { function: String },
}

impl Truth {
    /// Reads the markers of a source file.
    pub(crate) fn read(source: &Path) -> Self {
        let text = fs::read_to_string(source).expect("the source is there");
        let file = source.file_name().expect("a file").to_string_lossy().into_owned();
        let mut truth = Self { file, plants: Vec::new(), library: Vec::new() };
        for (comment, line) in comments(&text) {
            if comment.starts_with("LIBRARY") {
                truth.library.push(line);
            }
            if let Some(marker) = comment.strip_prefix("LEAK ") {
                let plant = Plant::parse(marker, line);
                truth.plants.push(plant.unwrap_or_else(|| panic!("a marker: {marker}")));
            }
        }
        assert!(!truth.plants.is_empty(), "{} has no markers", truth.file);
        truth
    }

    /// What the report of the program gets wrong.
    pub(crate) fn against(&self, report: &Report) -> String {
        let mut found = self.merged(report);
        let mut complaints = String::new();
        for plant in &self.plants {
            let Some(position) = found.iter().position(|(line, leak)| plant.is(*line, leak)) else {
                writeln!(complaints, "not found: {plant:?}").expect("text takes text");
                continue;
            };
            let (_, leak) = found.swap_remove(position);
            if !plant.holder.as_ref().is_none_or(|keeper| keeper.is(&leak, &self.file)) {
                writeln!(complaints, "not so held: {plant:?}\n{}", shown(&leak, &self.file))
                    .expect("text takes text");
            }
        }
        for (line, leak) in found {
            let is_library = line.is_none_or(|line| self.library.contains(&line));
            if !(leak.class == "reachable" && is_library) {
                writeln!(complaints, "not planted so: {}", shown(&leak, &self.file))
                    .expect("text takes text");
            }
        }
        complaints
    }

    /// What the report of the twin gets wrong: it leaks nothing, and nor does any library.
    pub(crate) fn of_the_twin(&self, report: &Report) -> String {
        let counts = |leak: &&Leak| leak.class != "reachable" && !leak.runtime;
        report.leaks.iter().filter(counts).map(|leak| shown(leak, &self.file)).collect()
    }

    /// The findings that are the program's, one for each line and fate: a compiler that unrolls a
    /// loop makes several stacks of one line.
    fn merged(&self, report: &Report) -> Vec<(Option<u32>, Leak)> {
        let mut merged: Vec<(Option<u32>, Leak)> = Vec::new();
        for leak in report.leaks.iter().filter(|leak| !leak.runtime) {
            let line = leak.line_in(&self.file);
            let same = |other: &&mut (Option<u32>, Leak)| {
                line.is_some()
                    && other.0 == line
                    && (&other.1.class, other.1.interior) == (&leak.class, leak.interior)
            };
            match merged.iter_mut().find(same) {
                Some((_, other)) => {
                    other.blocks += leak.blocks;
                    other.bytes += leak.bytes;
                }
                None => merged.push((line, leak.clone())),
            }
        }
        merged
    }
}

/// Every comment, with the number of the line of code that it speaks of: its own or, when it
/// stands alone, that of the next line of code.
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

impl Plant {
    /// `lost 3 blocks 72 bytes`, `reachable interior 1 block 9 bytes held by global name`
    fn parse(marker: &str, line: u32) -> Option<Self> {
        let mut words = marker.split(' ').peekable();
        let class = words.next()?.to_owned();
        let is_interior = words.next_if_eq(&"interior").is_some();
        let blocks = words.next()?.parse().ok()?;
        words.next_if(|word| word.starts_with("block"))?;
        let bytes = words.next()?.parse().ok()?;
        words.next_if(|word| word.starts_with("byte"))?;
        let holder = match words.next() {
            None => None,
            Some("under") => Some(Keeper::Lost { function: words.next()?.to_owned() }),
            Some("held") => {
                words.next_if_eq(&"by")?;
                let kind = words.next()?.to_owned();
                Some(Keeper::Root { kind, name: words.next().unwrap_or_default().to_owned() })
            }
            Some(_) => return None,
        };
        Some(Self { line, class, is_interior, blocks, bytes, holder })
    }

    fn is(&self, line: Option<u32>, leak: &Leak) -> bool {
        line == Some(self.line)
            && (leak.class == self.class && leak.interior == self.is_interior)
            && (leak.blocks, leak.bytes) == (self.blocks, self.bytes)
    }
}

impl Keeper {
    fn is(&self, leak: &Leak, file: &str) -> bool {
        let Some(root) = leak.held_by.as_ref().map(|holder| &holder.root) else { return false };
        match self {
            Self::Root { kind, name } => {
                root.kind == *kind && root.symbol.as_deref().unwrap_or_default().contains(name)
            }
            Self::Lost { function } => {
                let own = root.frames.iter().find(|frame| frame.is_in(file));
                root.kind == "lost" && own.is_some_and(|frame| frame.is_function(function))
            }
        }
    }
}

/// A finding for the reader of a failed test.
fn shown(leak: &Leak, file: &str) -> String {
    let interior = if leak.interior { " interior" } else { "" };
    let mut text = format!("{}{interior} {} blocks, {} bytes", leak.class, leak.blocks, leak.bytes);
    if let Some(line) = leak.line_in(file) {
        write!(text, " of line {line}").expect("text takes text");
    }
    if let Some(holder) = &leak.held_by {
        let name = holder.root.symbol.as_deref().unwrap_or_default();
        write!(text, " held by {} {name}", holder.root.kind).expect("text takes text");
    }
    text.push('\n');
    for frame in leak.frames.iter().take(12) {
        let function = frame.function.as_deref().unwrap_or("?");
        let place = frame.file.as_deref().or(frame.module.as_deref()).unwrap_or("?");
        writeln!(text, "    {function} {place}:{}", frame.line.unwrap_or(0)).expect("text");
    }
    text
}
