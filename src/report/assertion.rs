//! What a test is told of its allocations: where they came from, and which it leaked.

use super::model::{Frame, Leak, count};
use super::modules::Modules;
use super::symbols::{Detail, Symbolizer};
use super::text::{Style, bytes, write_frames, write_leak};
use std::collections::BTreeMap;
use std::format;
use std::io::{self, Write};
use std::string::String;
use std::vec::Vec;

/// The allocations of one call stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// How many.
    pub allocations: u64,
    /// Bytes asked for.
    pub bytes: u64,
    /// The stack was deeper than what was kept.
    pub truncated: bool,
    /// The stack, up to the function that entered the scope.
    pub frames: Vec<Frame>,
}

/// The same before anything has a name.
#[derive(Clone, Debug)]
pub(crate) struct RawCallSite {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    /// Return addresses, innermost first.
    pub(crate) stack: Vec<u64>,
    pub(crate) truncated: bool,
}

/// Groups that a message shows.
const GROUPS_MAX: usize = 10;

/// Functions that run the body of a test: what is called from them is the test.
const RUNNERS: &str = "heapsight::testing::";
/// How they call it.
const CALLS: &[&str] = &["core::ops::function::", "<core::panic::unwind_safe::", "core::future::"];

/// Symbolises, groups, sorts: the most bytes first.
pub(crate) fn call_sites(raw: Vec<RawCallSite>, modules: &Modules) -> Vec<CallSite> {
    let mut symbolizer = Symbolizer::new(modules);
    let mut groups = BTreeMap::<Vec<Frame>, CallSite>::new();
    for RawCallSite { allocations, bytes, stack, truncated } in raw {
        let stack = symbolizer.without_own(&stack);
        let mut frames = symbolizer.frames(stack, Detail::Lines);
        cut_below_runner(&mut frames);
        let key = frames.iter().map(Frame::without_address).collect();
        let site = CallSite { allocations: 0, bytes: 0, truncated, frames };
        let group = groups.entry(key).or_insert(site);
        group.allocations += allocations;
        group.bytes += bytes;
    }
    let mut sites: Vec<_> = groups.into_values().collect();
    sites.sort_by_key(|site| core::cmp::Reverse((site.bytes, site.allocations)));
    sites
}

/// Leaves out what ran the test: the way from the kernel to it is of no interest.
pub(crate) fn cut_below_runner(frames: &mut Vec<Frame>) {
    let starts = |frame: &Frame, prefixes: &[&str]| {
        let name = frame.function.as_deref().unwrap_or_default();
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let Some(runner) = frames.iter().position(|frame| starts(frame, &[RUNNERS])) else { return };
    frames.truncate(runner);
    while frames.last().is_some_and(|frame| starts(frame, CALLS)) {
        frames.pop();
    }
}

/// Writes call stacks that allocated.
pub(crate) fn write_call_sites(sites: &[CallSite], sink: &mut dyn Write) -> io::Result<()> {
    for site in sites.iter().take(GROUPS_MAX) {
        let number = count(site.allocations, "allocation");
        writeln!(sink, "\n  {number} of {}, here:", bytes(site.bytes))?;
        write_frames(&site.frames, sink, Style::PLAIN)?;
        if site.truncated {
            writeln!(sink, "      ... the stack is deeper than what was recorded")?;
        }
    }
    write_rest(sites.len(), sink)
}

/// Leaks in a few words: `48 bytes in 2 blocks leaked`.
pub(crate) fn leaked(leaks: &[Leak]) -> String {
    let size = leaks.iter().map(|leak| leak.bytes).sum();
    let blocks = leaks.iter().map(|leak| leak.blocks).sum();
    format!("{} in {} leaked", bytes(size), count(blocks, "block"))
}

/// Writes leaks, the largest first.
pub(crate) fn write_leaks(leaks: &[Leak], sink: &mut dyn Write) -> io::Result<()> {
    let total = leaks.iter().map(|leak| leak.bytes).sum::<u64>().max(1);
    for leak in leaks.iter().take(GROUPS_MAX) {
        write_leak(leak, total, sink, Style::PLAIN)?;
    }
    write_rest(leaks.len(), sink)
}

fn write_rest(groups: usize, sink: &mut dyn Write) -> io::Result<()> {
    match groups.saturating_sub(GROUPS_MAX) as u64 {
        0 => Ok(()),
        rest => writeln!(sink, "\n  ... and {}", count(rest, "smaller call stack")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn stacks_end_where_the_test_begins() {
        let named = |name: &str| Frame { function: Some(name.to_string()), ..Frame::default() };
        let cut = |names: &[&str]| {
            let mut frames = names.iter().copied().map(named).collect();
            cut_below_runner(&mut frames);
            frames.into_iter().filter_map(|frame| frame.function).collect::<Vec<_>>()
        };
        let test = [
            "shop::add",
            "shop::tests::adds::{closure#0}",
            "core::ops::function::FnOnce::call_once",
            "heapsight::testing::call",
            "shop::tests::adds",
            "heapsight::testing::call",
            "main",
        ];
        assert_eq!(cut(&test), test[..2]);
        assert_eq!(cut(&["shop::add", "main"]), ["shop::add", "main"], "nobody ran it");
    }
}
