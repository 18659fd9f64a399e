//! The leak check: freezes the heap, stops the world, asks [`crate::leak`], and makes a report of
//! what it says.

use super::ENGINE;
use super::inspect::{Unobserved, census, notes, stack_of, stats};
use super::park::{self, Caller, Stopped};
use super::regions::REGIONS;
use super::rules::Rules;
use crate::heap::frozen::Frozen;
use crate::leak::births::Births;
use crate::leak::findings::{Class, Findings, Group, Holder, Hop, Path};
use crate::leak::layout::{Extents, Layout};
use crate::leak::roots::{self, Origin};
use crate::leak::scratch::{NoMemory, Vector};
use crate::leak::snapshot::{self, Failed};
use crate::leak::terms::Terms;
use crate::leak::world::RED_ZONE;
use crate::leak::{self, roots::Root};
use crate::os::thread;
use crate::report::suppress::{Date, Tally};
use crate::report::{
    self, Leak, LeakClass, LeakReport, Modules, RawHop, RawLeak, RawMember, RawPath, RawReport,
    RawRoot,
};
use crate::track::{SiteId, Tracker};
use crate::unwind::{Frame, State, frame_around};
use serde::{Deserialize, Serialize};
use std::format;
use std::string::String;
use std::vec::Vec;

/// Where leaks are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// In this process, which stands still as long: at its end.
    Here,
    /// In a copy, while the program goes on.
    Aside,
}

/// How all blocks stand that live now and were allocated while tracked. `caller`: where the
/// program's part of this thread's stack ends.
#[inline(never)]
pub(super) fn leak_report(caller: &Caller, how: How, rules: &Rules) -> LeakReport {
    let _unobserved = Unobserved::begin();
    // The statistics first: they are what the program did, up to this call.
    let stats = stats();
    let mut notes = notes();
    let mut tally = rules.suppressions.tally(Date::today());
    let found = if is_anything_tracked() {
        find_unsuppressed(caller, how, rules, &mut tally)
    } else {
        Ok(Found::default())
    };
    let found = found.unwrap_or_else(|NoMemory| {
        notes.push("leaks could not be looked for: no memory left to do it".into());
        Found::default()
    });
    if found.findings.inherited > 0 {
        let blocks = found.findings.inherited;
        notes.push(format!("{blocks} blocks of the parent process are not counted"));
    }
    notes.extend(running(&found.running));
    let leaks = found.findings.groups.into_iter().map(raw_leak).collect();
    report::leak_report(
        RawReport {
            stats,
            leaks,
            suppressions: tally.into_uses(),
            notes,
            overhead_bytes: census().records as u64,
        },
        &Modules::of_this_process(),
    )
}

/// What of some blocks has leaked, by call stack. `None`: it could not be found out.
#[inline(never)]
pub(crate) fn leaks_of(births: &Births, caller: &Caller) -> Option<Vec<Leak>> {
    let _unobserved = Unobserved::begin();
    let terms = Terms { births: Some(births), ..Terms::USUAL };
    let found = find(caller, How::Here, &terms).ok()?;
    let is_leaked = |group: &Group| group.class != Class::Reachable;
    let leaks: Vec<_> = found.findings.groups.into_iter().filter(is_leaked).map(raw_leak).collect();
    if leaks.is_empty() {
        return Some(Vec::new());
    }
    let raw = RawReport {
        stats: stats(),
        leaks,
        suppressions: Vec::new(),
        notes: Vec::new(),
        overhead_bytes: 0,
    };
    let report = report::leak_report(raw, &Modules::of_this_process());
    Some(report.leaks)
}

/// Looks once, and where some of what leaked is suppressed, again: then these blocks hold what they
/// lead to.
fn find_unsuppressed(
    caller: &Caller,
    how: How,
    rules: &Rules,
    tally: &mut Tally<'_>,
) -> Result<Found, NoMemory> {
    let found = find(caller, how, &rules.terms)?;
    if rules.suppressions.is_empty() {
        return Ok(found);
    }
    let suppressed = suppressed_sites(&found.findings, tally);
    if suppressed.is_empty() {
        return Ok(found);
    }
    find(caller, how, &Terms { suppressed: &suppressed, ..rules.terms })
}

/// The call sites whose leaks are suppressed, ascending.
fn suppressed_sites(findings: &Findings, tally: &mut Tally<'_>) -> Vec<SiteId> {
    let is_leaked = |group: &&Group| group.class != Class::Reachable;
    let leaked: Vec<_> = findings.groups.iter().filter(is_leaked).collect();
    let stacks: Vec<_> = leaked.iter().map(|group| stack_of(group.site).0).collect();
    let leaks = leaked.iter().zip(&stacks);
    let leaks = leaks.map(|(group, stack)| (stack.as_slice(), group.blocks, group.bytes));
    let are_suppressed = tally.take_all(leaks, &Modules::of_this_process());
    let mut sites: Vec<_> = leaked
        .iter()
        .zip(are_suppressed)
        .filter(|(_, is_suppressed)| *is_suppressed)
        .map(|(group, _)| group.site)
        .collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

fn running(threads: &[u32]) -> Option<String> {
    let names: Vec<_> = threads.iter().take(8).map(|id| format!("{id}")).collect();
    let more = if threads.len() > names.len() { ", ..." } else { "" };
    (!threads.is_empty()).then(|| {
        format!(
            "{} of the threads could not be stopped ({}{more}): what their registers hold is not \
             known, and where their stacks began is a guess",
            threads.len(),
            names.join(", ")
        )
    })
}

/// What a check has brought.
#[derive(Default, Serialize, Deserialize)]
struct Found {
    findings: Findings,
    /// Threads that could not be stopped.
    running: Vec<u32>,
}

/// The world, stopped, and the heap, frozen. Dropped in this order.
struct Held {
    world: Stopped,
    heap: Frozen<'static, Tracker>,
}

impl Held {
    fn take(caller: &Caller) -> Result<Self, NoMemory> {
        let heap = ENGINE.freeze();
        // From here on nothing may be allocated.
        let world = park::stop(caller).ok_or(NoMemory)?;
        Ok(Self { world, heap })
    }
}

fn find(caller: &Caller, how: How, terms: &Terms<'_>) -> Result<Found, NoMemory> {
    let held = Held::take(caller)?;
    // A thread that runs on may unmap what is being read; in a copy there is none.
    let all_stopped = held.world.threads.iter().all(|thread| thread.is_stopped);
    match how {
        How::Here if all_stopped => look(held, terms),
        How::Here | How::Aside => look_aside(held, caller, terms),
    }
}

/// Looks in a copy of the process, while the program goes on; here, if there can be none.
fn look_aside(held: Held, caller: &Caller, terms: &Terms<'_>) -> Result<Found, NoMemory> {
    let task = |held| look(held, terms).ok().and_then(|found| serde_json::to_vec(&found).ok());
    // SAFETY: looking needs system calls, scratch memory and, once the heap is no longer frozen,
    // blocks: this thread's heap is whole, as it has allocated nothing since before the freezing.
    match unsafe { snapshot::in_copy(held, task) } {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| NoMemory),
        Err(Failed::Refused(held)) => look(held, terms),
        Err(Failed::Ended) => look(Held::take(caller)?, terms),
    }
}

fn look(held: Held, terms: &Terms<'_>) -> Result<Found, NoMemory> {
    let Held { world, heap } = &held;
    let mut extents = Extents::new();
    let mut failed = None;
    let mut add = |start, len| failed = failed.or(extents.push((start, start + len)).err());
    heap.for_each_reservation(&mut add);
    heap.for_each_heap(|heap| ENGINE.observer.for_each_mapping(heap, &mut add));
    ENGINE.observer.ledger.mapping().into_iter().for_each(|(start, len)| add(start, len));
    failed.map_or(Ok(()), Err)?;
    extents.sort_unstable();
    let mut layout = Layout::take(&extents, &world.library)?;
    let mut all = Vector::<Root>::new();
    let mut failed = None;
    let mut add = |root| failed = failed.or(all.push(root).err());
    roots::visit(world, &layout, &mut add);
    REGIONS.for_each(|start, end| {
        roots::visit_region(&layout, heap.block_around(start), (start, end), &mut add);
    });
    failed.map_or(Ok(()), Err)?;
    // SAFETY: the roots and the layout's areas are mapped, and stay so while the world is stopped;
    // the heap is frozen.
    let checked = unsafe {
        let each = |visit: &mut dyn FnMut(Root)| all.iter().for_each(|root| visit(*root));
        leak::check(heap, each, &mut layout, terms)
    };
    let running = world.unstopped_ids()?;
    let Held { world, heap } = held;
    // What the unwinder finds out it keeps, which takes one of the heap's locks.
    drop(heap);
    let checked = checked?;
    let mut frames = Vector::<(usize, usize)>::new();
    for (thread, address) in checked.words_of_stacks() {
        if let Some(pc) = frame_of(&world, thread, address) {
            frames.push((address, pc))?;
        }
    }
    drop(world);
    frames.sort_unstable();
    let findings = checked.findings(|_, address| {
        let at = frames.binary_search_by_key(&address, |frame| frame.0).ok()?;
        frames.get(at).map(|frame| frame.1)
    });
    Ok(Found { findings, running: running.to_vec() })
}

/// In whose frame a word of a stopped thread's stack lies: a program counter there.
fn frame_of(world: &Stopped, thread: u32, address: usize) -> Option<usize> {
    let thread = world.threads.iter().find(|known| known.id == thread && known.is_stopped)?;
    let start = match thread.pc {
        0 if thread.pointer == thread::token() => State::here(),
        0 => return None,
        // The leaf's own: it need not move the stack pointer for it.
        pc if address < thread.sp + RED_ZONE => return Some(pc),
        pc => State::interrupted(pc, thread.sp + RED_ZONE, thread.fp),
    };
    frame_around(&ENGINE.observer.rules, start, address).map(Frame::pc)
}

/// Whether there is anything to look for.
fn is_anything_tracked() -> bool {
    let mut any = false;
    ENGINE.space.for_each_span(|span| any |= span.is_tracked());
    any
}

// --- For the report ---

fn raw_leak(group: Group) -> RawLeak {
    let (stack, truncated) = stack_of(group.site);
    let members = group.members.into_iter().map(|member| RawMember {
        stack: stack_of(member.site).0,
        blocks: member.blocks,
        bytes: member.bytes,
    });
    RawLeak {
        class: class(group.class),
        is_interior: group.is_interior,
        blocks: group.blocks,
        bytes: group.bytes,
        threads: group.threads,
        stack,
        truncated,
        held_by: group.path.and_then(raw_path),
        members: members.collect(),
        listed: group.listed,
    }
}

fn class(class: Class) -> LeakClass {
    match class {
        Class::Lost => LeakClass::Lost,
        Class::Indirect => LeakClass::Indirect,
        Class::Cycle => LeakClass::Cycle,
        Class::Possible => LeakClass::Possible,
        Class::Reachable => LeakClass::Reachable,
    }
}

/// `None`: nothing holds the block, or nobody knows what.
fn raw_path(path: Path) -> Option<RawPath> {
    let root = match path.root {
        Holder::Unknown => return None,
        Holder::Lost(_) if path.hops.is_empty() => return None,
        Holder::Lost(site) => RawRoot::Lost { stack: stack_of(site).0 },
        Holder::Root { origin, address, pc } => raw_root(origin, address, pc),
    };
    let omitted = path.omitted;
    Some(RawPath { root, hops: path.hops.into_iter().map(raw_hop).collect(), omitted })
}

fn raw_root(origin: Origin, address: u64, pc: Option<u64>) -> RawRoot {
    match origin {
        Origin::Global => RawRoot::Global { address },
        Origin::Stack { thread } => RawRoot::Stack { thread, address, pc },
        Origin::Registers { thread } => RawRoot::Registers { thread },
        Origin::Tls { thread } | Origin::Control { thread } => RawRoot::Tls { thread, address },
        Origin::AlternateStack { thread } => RawRoot::AlternateStack { thread, address },
        Origin::Region => RawRoot::Region { address },
        Origin::Mapping => RawRoot::Mapping { address },
        Origin::Ignored => RawRoot::Ignored,
        Origin::Suppressed => RawRoot::Suppressed,
    }
}

fn raw_hop(hop: Hop) -> RawHop {
    let stack = |site: SiteId| stack_of(site).0;
    RawHop {
        address: hop.address,
        size: hop.size,
        offset: hop.offset,
        stack: hop.site.map_or_else(Vec::new, stack),
    }
}
