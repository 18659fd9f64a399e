//! From what was found to what a reader understands: names for addresses, groups by what they name.

use super::asked::Asked;
use super::holder::{Holder, Hop, Member, Root, RootKind};
use super::keepers;
use super::model::{Block, Frame, Leak, LeakClass, LeakReport};
use super::modules::Modules;
use super::raw::{RawHop, RawLeak, RawMember, RawPath, RawReport, RawRoot};
use super::symbols::{Detail, Symbolizer};
use std::collections::BTreeMap;
use std::format;
use std::fs;
use std::string::{String, ToString};
use std::vec::Vec;

/// Symbolises, folds, classifies and sorts.
pub(crate) fn leak_report(raw: RawReport, modules: &Modules) -> LeakReport {
    let mut symbolizer = Symbolizer::new(modules);
    let mut groups = BTreeMap::<Key, Leak>::new();
    for leak in raw.leaks {
        let leak = explain(&mut symbolizer, raw.pid, leak);
        match groups.get_mut(&Key::of(&leak)) {
            Some(group) => group.absorb(leak),
            None => drop(groups.insert(Key::of(&leak), leak)),
        }
    }
    let mut leaks: Vec<_> = groups.into_values().collect();
    leaks.sort_by(|a, b| (a.class, b.bytes, b.blocks).cmp(&(b.class, a.bytes, a.blocks)));
    let asked = raw.asked.map(|asked| Asked {
        address: asked.address,
        start: asked.start,
        usable: asked.usable,
        block: asked.block.map(|block| explain(&mut symbolizer, raw.pid, block)),
        place: asked.place,
    });
    LeakReport {
        program: modules.program(),
        pid: raw.pid,
        stats: raw.stats,
        leaks,
        suppressions: raw.suppressions,
        notes: raw.notes,
        overhead_bytes: raw.overhead_bytes,
        pause_ns: None,
        asked,
    }
}

/// What is one group to the reader. Stacks of the same calls at the same lines are, whatever the
/// compiler made of a loop around them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: LeakClass,
    interior: bool,
    frames: Vec<Frame>,
    /// Of the lost block that leads to these.
    lost: Vec<Frame>,
    members: Vec<Vec<Frame>>,
}

impl Key {
    fn of(leak: &Leak) -> Self {
        let plain =
            |frames: &[Frame]| frames.iter().map(Frame::without_address).collect::<Vec<_>>();
        Self {
            class: leak.class,
            interior: leak.interior,
            frames: plain(&leak.frames),
            lost: leak.held_by.as_ref().map_or_else(Vec::new, |holder| plain(&holder.root.frames)),
            members: leak.members.iter().map(|member| plain(&member.frames)).collect(),
        }
    }
}

fn explain(symbolizer: &mut Symbolizer<'_>, pid: u32, leak: RawLeak) -> Leak {
    let (runtime, frames) = classify(symbolizer, &leak.stack, leak.truncated);
    let members = members(symbolizer, leak.members);
    Leak {
        class: leak.class,
        interior: leak.is_interior,
        runtime,
        blocks: leak.blocks,
        bytes: leak.bytes,
        threads: leak.threads,
        truncated: leak.truncated,
        frames,
        held_by: leak.held_by.map(|path| holder(symbolizer, pid, path)),
        members,
        listed: leak.listed.into_iter().map(|(address, size)| Block { address, size }).collect(),
    }
}

/// The members of a cycle, one for each place in the sources.
fn members(symbolizer: &mut Symbolizer<'_>, raw: Vec<RawMember>) -> Vec<Member> {
    let mut members = Vec::<Member>::new();
    for RawMember { stack, blocks, bytes } in raw {
        let frames = lines(symbolizer, &stack);
        let is_same = |member: &&mut Member| {
            let own = member.frames.iter().map(Frame::without_address);
            own.eq(frames.iter().map(Frame::without_address))
        };
        match members.iter_mut().find(is_same) {
            Some(member) => {
                member.blocks += blocks;
                member.bytes += bytes;
            }
            None => members.push(Member { frames, blocks, bytes }),
        }
    }
    members
}

/// Whether a run-time library keeps the blocks of a stack, and its frames without Heapsight's own.
fn classify(
    symbolizer: &mut Symbolizer<'_>,
    stack: &[u64],
    is_truncated: bool,
) -> (bool, Vec<Frame>) {
    let stack = symbolizer.without_own(stack);
    let frames = symbolizer.frames(stack, Detail::Names);
    if keepers::is_kept(&frames, is_truncated) {
        return (true, frames);
    }
    (false, symbolizer.frames(stack, Detail::Lines))
}

fn lines(symbolizer: &mut Symbolizer<'_>, stack: &[u64]) -> Vec<Frame> {
    let stack = symbolizer.without_own(stack);
    symbolizer.frames(stack, Detail::Lines)
}

fn holder(symbolizer: &mut Symbolizer<'_>, pid: u32, path: RawPath) -> Holder {
    let root = root(symbolizer, pid, path.root);
    let hop = |hop: RawHop| Hop {
        address: hop.address,
        size: hop.size,
        offset: hop.offset,
        frames: lines(symbolizer, &hop.stack),
    };
    let omitted = path.omitted;
    Holder { root, path: path.hops.into_iter().map(hop).collect(), omitted }
}

fn root(symbolizer: &mut Symbolizer<'_>, pid: u32, raw: RawRoot) -> Root {
    let (kind, thread, address) = match &raw {
        RawRoot::Global { address } => (RootKind::Global, None, *address),
        RawRoot::Stack { thread, address, .. } => (RootKind::Stack, Some(*thread), *address),
        RawRoot::Registers { thread } => (RootKind::Registers, Some(*thread), 0),
        RawRoot::Tls { thread, address } => (RootKind::Tls, Some(*thread), *address),
        RawRoot::AlternateStack { thread, address } => {
            (RootKind::AlternateStack, Some(*thread), *address)
        }
        RawRoot::Region { address } => (RootKind::Region, None, *address),
        RawRoot::Mapping { address } => (RootKind::Mapping, None, *address),
        RawRoot::Lost { .. } => (RootKind::Lost, None, 0),
        RawRoot::Ignored => (RootKind::Ignored, None, 0),
        RawRoot::Suppressed => (RootKind::Suppressed, None, 0),
    };
    let (module, variable) = match kind {
        RootKind::Global | RootKind::Region => symbolizer.variable(address).unzip(),
        _ => (None, None),
    };
    let (symbol, offset) = match variable.flatten() {
        Some(found) => (Some(found.name), found.offset),
        None => (None, 0),
    };
    let function = match &raw {
        RawRoot::Stack { pc: Some(pc), .. } => {
            let frames = symbolizer.frames(&[*pc], Detail::Lines);
            frames.into_iter().find_map(|frame| frame.function)
        }
        _ => None,
    };
    let frames = match raw {
        RawRoot::Lost { stack } => lines(symbolizer, &stack),
        _ => Vec::new(),
    };
    let thread_name = thread.and_then(|thread| thread_name(pid, thread));
    Root { kind, symbol, offset, module, thread, thread_name, function, address, frames }
}

/// The name of a thread of the process that still runs.
fn thread_name(pid: u32, thread: u32) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/task/{thread}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.trim_ascii_end()).to_string()).filter(|name| !name.is_empty())
}
