//! Floor 7: reports, from plain data to text and JSON.
//!
//! ```text
//!   return addresses ── symbols ──▶ frames ── keepers ──▶ class ──▶ LeakReport ──▶ json
//!       (RawLeak)      (modules)                                     (model)   └─▶ text (fold)
//! ```
//!
//! [`reader`] is the same for viewers, which look at other processes.
//!
//! Nothing here knows the heap: a report can be made of any list of stacks.

mod assertion;
mod fold;
mod image;
mod imports;
mod json;
mod keepers;
mod model;
mod modules;
pub mod reader;
mod separate;
mod symbols;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use assertion::CallSite;
pub(crate) use assertion::{
    RawCallSite, call_sites, cut_below_runner, leaked, write_call_sites, write_leaks,
};
pub(crate) use json::{write_json, write_stats_json};
pub use model::{Frame, Leak, LeakClass, LeakReport, MemoryStats};
pub(crate) use modules::Modules;
pub(crate) use text::{Style, write_stack, write_stats, write_text};

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;
use symbols::{Detail, Symbolizer};

/// What was found at one call stack.
#[derive(Clone, Debug)]
pub(crate) struct RawLeak {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// Kernel ids of the allocating threads.
    pub(crate) threads: Vec<u32>,
    /// Return addresses, innermost first; the first may be Heapsight's own.
    pub(crate) stack: Vec<u64>,
    /// The stack had more frames than were kept.
    pub(crate) truncated: bool,
}

/// All that a report is made of.
#[derive(Clone, Debug)]
pub(crate) struct RawReport {
    pub(crate) stats: MemoryStats,
    pub(crate) leaks: Vec<RawLeak>,
    /// Sentences that qualify the numbers.
    pub(crate) notes: Vec<String>,
    /// Heapsight's own memory.
    pub(crate) overhead_bytes: u64,
}

/// Symbolises, folds, classifies and sorts.
pub(crate) fn leak_report(raw: RawReport, modules: &Modules) -> LeakReport {
    let mut symbolizer = Symbolizer::new(modules);
    // Stacks of the same calls at the same lines are one to the reader, whatever the compiler made
    // of a loop around them.
    let mut groups = BTreeMap::<Vec<Frame>, Leak>::new();
    for leak in raw.leaks {
        let (class, frames) = explain(&mut symbolizer, &leak.stack, leak.truncated);
        let key: Vec<_> = frames.iter().map(Frame::without_address).collect();
        match groups.get_mut(&key) {
            Some(group) => group.absorb(leak.blocks, leak.bytes, &leak.threads),
            None => {
                let (blocks, bytes) = (leak.blocks, leak.bytes);
                let (threads, truncated) = (leak.threads, leak.truncated);
                groups.insert(key, Leak { class, blocks, bytes, threads, truncated, frames });
            }
        }
    }
    let mut leaks: Vec<_> = groups.into_values().collect();
    leaks.sort_by(|a, b| (a.class, b.bytes, b.blocks).cmp(&(b.class, a.bytes, a.blocks)));
    LeakReport {
        program: modules.program(),
        pid: std::process::id(),
        stats: raw.stats,
        leaks,
        notes: raw.notes,
        overhead_bytes: raw.overhead_bytes,
    }
}

/// Whose the blocks of a stack are, and its frames without Heapsight's own.
fn explain(
    symbolizer: &mut Symbolizer<'_>,
    stack: &[u64],
    is_truncated: bool,
) -> (LeakClass, Vec<Frame>) {
    let stack = symbolizer.without_own(stack);
    let frames = symbolizer.frames(stack, Detail::Names);
    match keepers::classify(&frames, is_truncated) {
        LeakClass::Runtime => (LeakClass::Runtime, frames),
        LeakClass::Unfreed => (LeakClass::Unfreed, symbolizer.frames(stack, Detail::Lines)),
    }
}
