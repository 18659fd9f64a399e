//! A search for leaks: freezes the heap, stops the world, asks [`crate::leak`], and lets the world
//! go on; in this process or in a copy of it.

use super::park::{self, Caller, Stopped};
use super::regions::REGIONS;
use super::{ENGINE, ask};
use crate::base::sync::{AtomicU64, Ordering};
use crate::heap::frozen::Frozen;
use crate::leak::findings::{Checked, Findings};
use crate::leak::layout::{Extents, Layout};
use crate::leak::roots::{self, Root};
use crate::leak::scratch::{NoMemory, Vector};
use crate::leak::snapshot::{self, Failed};
use crate::leak::terms::Terms;
use crate::leak::world::{RED_ZONE, Thread};
use crate::leak::{self};
use crate::os::{clock, thread};
use crate::track::Tracker;
use crate::unwind::{Frame, State, frame_around};
use serde::{Deserialize, Serialize};
use std::vec::Vec;

/// Where leaks are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// In this process, which stands still as long: at its end.
    Here,
    /// In a copy, while the program goes on.
    Aside,
}

/// What a search has brought.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) findings: Findings,
    /// Threads that could not be stopped.
    pub(super) running: Vec<u32>,
    /// How long the program stood still, if it went on while a copy was looked at.
    pub(super) pause_ns: Option<u64>,
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
    pub(super) world: Stopped,
    heap: Frozen<'static, Tracker>,
    _pause: Pause,
}

/// Takes the time until it is dropped.
#[derive(Debug)]
struct Pause {
    since: u64,
}

impl Pause {
    fn begin() -> Self {
        Self { since: clock::monotonic_ns() }
    }
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
        let _pause = Pause::begin();
        let heap = ENGINE.freeze();
        // From here on nothing may be allocated.
        let world = park::stop(own).ok_or(NoMemory)?;
        Ok(Self { world, heap, _pause })
    }

    /// The same of a world that stands still already.
    pub(super) fn again(world: Stopped) -> Self {
        Self { world, heap: ENGINE.freeze(), _pause: Pause::begin() }
    }
}

/// Searches once.
pub(super) fn find(caller: &Caller, how: How, terms: &Terms<'_>) -> Result<Found, NoMemory> {
    let held = Held::take(caller.thread())?;
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
        Ok(bytes) => {
            let found: Found = serde_json::from_slice(&bytes).map_err(|_| NoMemory)?;
            Ok(Found { pause_ns: Some(pause_ns()), ..found })
        }
        Err(Failed::Refused(held)) => look(held, terms),
        Err(Failed::Ended) => look(Held::take(caller.thread())?, terms),
    }
}

fn look(held: Held, terms: &Terms<'_>) -> Result<Found, NoMemory> {
    let (seen, world) = examine(held, terms)?;
    // Before the rest, which can wait.
    drop(world);
    Ok(seen.found())
}

/// Looks, and leaves the world as it stands.
pub(super) fn look_on(held: Held, terms: &Terms<'_>) -> Result<(Found, Stopped), NoMemory> {
    let (seen, world) = examine(held, terms)?;
    Ok((seen.found(), world))
}

/// What has been seen of a world that may go on since.
struct Seen {
    checked: Checked,
    /// Words of stacks that hold blocks, and program counters of the functions whose they are.
    frames: Vector<(usize, usize)>,
    running: Vector<u32>,
}

fn examine(held: Held, terms: &Terms<'_>) -> Result<(Seen, Stopped), NoMemory> {
    let Held { world, heap, .. } = &held;
    let mut extents = Extents::new();
    let mut failed = None;
    let mut add = |start, len| failed = failed.or(extents.push((start, start + len)).err());
    heap.for_each_reservation(&mut add);
    heap.for_each_heap(|heap| ENGINE.observer.for_each_mapping(heap, &mut add));
    let own = ENGINE.observer.ledger.mapping().into_iter().chain(ask::stack());
    own.for_each(|(start, len)| add(start, len));
    failed.map_or(Ok(()), Err)?;
    let mut layout = Layout::take(extents, &world.library)?;
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
    frames.sort_unstable();
    Ok((Seen { checked, frames, running }, world))
}

impl Seen {
    fn found(self) -> Found {
        let findings = self.checked.findings(|_, address| {
            let at = self.frames.binary_search_by_key(&address, |frame| frame.0).ok()?;
            self.frames.get(at).map(|frame| frame.1)
        });
        Found { findings, running: self.running.to_vec(), pause_ns: None }
    }
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
pub(super) fn is_anything_tracked() -> bool {
    let mut any = false;
    ENGINE.space.for_each_span(|span| any |= span.is_tracked());
    any
}
