//! The leak check: freezes the heap, stops the world, asks [`crate::leak`], and makes a report of
//! what it says.

use super::inspect::{Unobserved, census, notes, stats};
use super::park::{self, Caller, Stopped};
use super::regions::REGIONS;
use super::{ENGINE, ask, raw};
use crate::base::sync::{AtomicU64, Ordering};
use crate::heap::frozen::Frozen;
use crate::leak::births::Births;
use crate::leak::findings::{Class, Findings, Group};
use crate::leak::layout::{Extents, Layout};
use crate::leak::mark::Interior;
use crate::leak::roots;
use crate::leak::scratch::{NoMemory, Vector};
use crate::leak::snapshot::{self, Failed};
use crate::leak::world::{RED_ZONE, Thread};
use crate::leak::{self, Wanted, roots::Root};
use crate::os::{clock, process, thread};
use crate::report::{self, Leak, LeakReport, MemoryStats, Modules, RawReport};
use crate::track::Tracker;
use crate::track::columns::Record;
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
pub(crate) fn leak_report(caller: &Caller, how: How) -> LeakReport {
    let _unobserved = Unobserved::begin();
    // The statistics first: they are what the program did, up to this call.
    let stats = stats();
    let found =
        if is_anything_tracked() { find(caller, how, |_| true) } else { Ok(Found::default()) };
    let modules = Modules::of_this_process();
    report(found, Subject { stats, pid: process::id(), modules: &modules, address: 0 })
}

/// The same in a copy of the process, which goes on by itself. `address`: what is asked about
/// besides; zero: nothing.
pub(super) fn report_in_copy(held: Held, address: u64) -> Result<LeakReport, NoMemory> {
    let pid = held.world.process;
    let asked = (address != 0).then_some(address as usize);
    let found = look(held, |_| true, asked)?;
    let modules = Modules::of_this_copy();
    Ok(report(Ok(found), Subject { stats: stats(), pid, modules: &modules, address }))
}

/// What a report is about.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    stats: MemoryStats,
    pid: u32,
    modules: &'a Modules,
    address: u64,
}

fn report(found: Result<Found, NoMemory>, subject: Subject<'_>) -> LeakReport {
    let mut notes = notes();
    let found = found.unwrap_or_else(|NoMemory| {
        notes.push("leaks could not be looked for: no memory left to do it".into());
        Found::default()
    });
    if found.findings.inherited > 0 {
        let blocks = found.findings.inherited;
        notes.push(format!("{blocks} blocks of the parent process are not counted"));
    }
    notes.extend(running(&found.running));
    let Subject { stats, pid, modules, address } = subject;
    let asked = (address != 0).then(|| raw::asked(address, found.findings.asked));
    let leaks = found.findings.groups.into_iter().map(raw::leak).collect();
    let overhead_bytes = census().records as u64;
    let raw = RawReport { stats, leaks, notes, overhead_bytes, pid, asked };
    LeakReport { pause_ns: found.pause_ns, ..report::leak_report(raw, modules) }
}

/// What of some blocks has leaked, by call stack. `None`: it could not be found out.
#[inline(never)]
pub(crate) fn leaks_of(births: &Births, caller: &Caller) -> Option<Vec<Leak>> {
    let _unobserved = Unobserved::begin();
    let found = find(caller, How::Here, |record| births.contain(record)).ok()?;
    let is_leaked = |group: &Group| group.class != Class::Reachable;
    let leaks: Vec<_> =
        found.findings.groups.into_iter().filter(is_leaked).map(raw::leak).collect();
    if leaks.is_empty() {
        return Some(Vec::new());
    }
    let (stats, notes, pid) = (stats(), Vec::new(), process::id());
    let raw = RawReport { stats, leaks, notes, overhead_bytes: 0, pid, asked: None };
    let report = report::leak_report(raw, &Modules::of_this_process());
    Some(report.leaks)
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
    /// How long the program stood still, if it went on while a copy was looked at.
    pause_ns: Option<u64>,
}

/// How long the world stood still the last time, in nanoseconds.
static PAUSE_NS: AtomicU64 = AtomicU64::new(0);

/// How long that was.
pub(super) fn pause_ns() -> u64 {
    PAUSE_NS.load(Ordering::Relaxed)
}

/// The world, stopped, and the heap, frozen. Dropped in this order.
#[derive(Debug)]
pub(super) struct Held {
    world: Stopped,
    heap: Frozen<'static, Tracker>,
    _pause: Pause,
}

/// Takes the time until it is dropped.
#[derive(Debug)]
struct Pause {
    since: u64,
}

impl Drop for Pause {
    fn drop(&mut self) {
        let passed = clock::monotonic_ns().saturating_sub(self.since);
        PAUSE_NS.store(passed, Ordering::Relaxed);
    }
}

impl Held {
    /// `own`: how the calling thread is to be seen.
    pub(super) fn take(own: Thread) -> Result<Self, NoMemory> {
        let _pause = Pause { since: clock::monotonic_ns() };
        let heap = ENGINE.freeze();
        // From here on nothing may be allocated.
        let world = park::stop(own).ok_or(NoMemory)?;
        Ok(Self { world, heap, _pause })
    }
}

fn find(
    caller: &Caller,
    how: How,
    is_wanted: impl Fn(Record) -> bool + Copy,
) -> Result<Found, NoMemory> {
    let held = Held::take(caller.thread())?;
    // A thread that runs on may unmap what is being read; in a copy there is none.
    let all_stopped = held.world.threads.iter().all(|thread| thread.is_stopped);
    match how {
        How::Here if all_stopped => look(held, is_wanted, None),
        How::Here | How::Aside => look_aside(held, caller, is_wanted),
    }
}

/// Looks in a copy of the process, while the program goes on; here, if there can be none.
fn look_aside(
    held: Held,
    caller: &Caller,
    is_wanted: impl Fn(Record) -> bool + Copy,
) -> Result<Found, NoMemory> {
    let task = |held| {
        let found = look(held, is_wanted, None).ok()?;
        serde_json::to_vec(&found).ok()
    };
    // SAFETY: looking needs system calls, scratch memory and, once the heap is no longer frozen,
    // blocks: this thread's heap is whole, as it has allocated nothing since before the freezing.
    match unsafe { snapshot::in_copy(held, task) } {
        Ok(bytes) => {
            let found: Found = serde_json::from_slice(&bytes).map_err(|_| NoMemory)?;
            Ok(Found { pause_ns: Some(pause_ns()), ..found })
        }
        Err(Failed::Refused(held)) => look(held, is_wanted, None),
        Err(Failed::Ended) => look(Held::take(caller.thread())?, is_wanted, None),
    }
}

fn look(
    held: Held,
    is_wanted: impl Fn(Record) -> bool,
    asked: Option<usize>,
) -> Result<Found, NoMemory> {
    let Held { world, heap, .. } = &held;
    let mut extents = Extents::new();
    let mut failed = None;
    let mut add = |start, len| failed = failed.or(extents.push((start, start + len)).err());
    heap.for_each_reservation(&mut add);
    heap.for_each_heap(|heap| ENGINE.observer.for_each_mapping(heap, &mut add));
    let own = ENGINE.observer.ledger.mapping().into_iter().chain(ask::stack());
    own.for_each(|(start, len)| add(start, len));
    failed.map_or(Ok(()), Err)?;
    extents.sort_unstable();
    let mut layout = Layout::take(&extents, &world.library)?;
    let mut all = Vector::<Root>::new();
    let mut failed = None;
    let mut add = |root| failed = failed.or(all.push(root).err());
    roots::visit(world, &layout, &mut add);
    REGIONS.for_each(|start, end| roots::visit_region(&layout, (start, end), &mut add));
    failed.map_or(Ok(()), Err)?;
    // SAFETY: the roots and the layout's areas are mapped, and stay so while the world is stopped;
    // the heap is frozen.
    let checked = unsafe {
        let each = |visit: &mut dyn FnMut(Root)| all.iter().for_each(|root| visit(*root));
        let wanted = Wanted { interior: Interior::Reaches, is_wanted, asked };
        leak::check(heap, each, &mut layout, wanted)
    };
    let running = world.unstopped_ids()?;
    let Held { world, heap, .. } = held;
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
    Ok(Found { findings, running: running.to_vec(), pause_ns: None })
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
