//! Roots: memory that is in use by itself.

use super::elsewhere::Elsewhere;
use super::layout::{Area, Kind, Layout};
use super::world::{Thread, World};
use serde::{Deserialize, Serialize};

/// A piece of memory whose pointers count, in whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) origin: Origin,
}

/// What a root is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// Variables of a module; the address tells which.
    Global,
    /// Stack of a thread, from its stack pointer on; the kernel's id.
    Stack { thread: u32 },
    /// Registers of a thread.
    Registers { thread: u32 },
    /// Thread-local variables.
    Tls { thread: u32 },
    /// The thread's control block, with its specific data and its table of thread-local blocks.
    /// Zero: of one that has ended, and whose result nobody has asked for yet.
    Control { thread: u32 },
    /// The stack that a thread keeps for its signal handlers.
    AlternateStack { thread: u32 },
    /// Memory that the program has registered.
    Region,
    /// Memory outside of the heap that something reachable points to.
    Mapping,
    /// No memory: the program has said that the block is to be ignored.
    Ignored,
    /// No memory: a suppression speaks for the block.
    Suppressed,
}

const WORD: usize = size_of::<usize>();

/// Visits what there is of a region that the program has registered. It may have unmapped it since.
/// `block`: the block of the heap that it begins in.
pub(crate) fn visit_region(
    layout: &Layout,
    block: Option<(usize, usize)>,
    (start, end): (usize, usize),
    visit: &mut dyn FnMut(Root),
) {
    let areas = layout.between(start, end).map(|area| (area.start, area.end));
    for (from, to) in areas.chain(block) {
        let (from, to) = (from.max(start), to.min(end));
        let (start, end) = (from.next_multiple_of(WORD), to & !(WORD - 1));
        if start < end {
            visit(Root { start, end, origin: Origin::Region });
        }
    }
}

/// Visits all roots.
pub(crate) fn visit(world: &World, layout: &Layout, visit: &mut dyn FnMut(Root)) {
    let mut visit = |start: usize, end: usize, origin| {
        let (start, end) = (start.next_multiple_of(WORD), end & !(WORD - 1));
        if start < end {
            visit(Root { start, end, origin });
        }
    };
    for area in layout.of_kind(Kind::Global) {
        // Around Heapsight's own variables, which point to what is free, too.
        let (from, to) = world.own;
        visit(area.start, area.end.min(from.max(area.start)), Origin::Global);
        visit(area.start.max(to.min(area.end)), area.end, Origin::Global);
    }
    for thread in world.threads.iter() {
        roots_of(thread, world, layout, &mut visit);
    }
    // After the others: one that could not be stopped may have ended meanwhile.
    for result in layout.results(&world.library) {
        visit(result, result + WORD, Origin::Control { thread: 0 });
    }
}

fn roots_of(
    thread: &Thread,
    world: &World,
    layout: &Layout,
    visit: &mut dyn FnMut(usize, usize, Origin),
) {
    let (id, library) = (thread.id, &world.library);
    let is_first = id == world.process;
    let pointer = match thread.pointer {
        0 if is_first => library.first,
        0 => layout.pointer_of(id, library).unwrap_or(0),
        known => known,
    };
    let home = layout.find(pointer);
    let tls = pointer.saturating_sub(library.tls).max(home.map_or(0, |home| home.start));
    if let Some(home) = home {
        visit(tls, pointer, Origin::Tls { thread: id });
        let end = (pointer + library.control).min(home.end);
        visit(pointer, end, Origin::Control { thread: id });
    }
    let stack = if is_first {
        layout.of_kind(Kind::FirstStack).next()
    } else {
        home.map(|home| Area { end: tls, ..home })
    };
    let sp = thread.sp;
    let is_on = |start: usize, end: usize| (start..end).contains(&sp);
    if let Some(stack) = stack {
        // Who runs on another stack has left this one somewhere.
        let from = if is_on(stack.start, stack.end) { sp.max(stack.start) } else { stack.start };
        visit(from, stack.end, Origin::Stack { thread: id });
    } else if pointer > sp && sp != 0 {
        // A stack that the program has provided, of the heap perhaps.
        visit(sp, tls, Origin::Stack { thread: id });
    }
    let (from, to) = thread.alternate;
    if is_on(from, to) {
        visit(sp.max(from), to, Origin::AlternateStack { thread: id });
    }
    let registers = Origin::Registers { thread: id };
    visit(thread.registers.0, thread.registers.1, registers);
    visit(thread.vectors.0, thread.vectors.1, registers);
    // The kernel knows where the alternate stack is, and the stack pointer is a pointer: both keep
    // memory in use that nobody else may know of.
    for word in [&thread.alternate.0, &thread.sp] {
        let address = core::ptr::from_ref(word) as usize;
        visit(address, address + WORD, registers);
    }
}

impl Elsewhere for Layout {
    fn bounds(&self) -> Option<(usize, usize)> {
        self.bounds()
    }

    fn holds(&self, address: usize) -> bool {
        self.find(address).is_some_and(|area| area.kind == Kind::Other)
    }

    fn find(&mut self, address: usize) -> Option<(usize, usize)> {
        self.visit(address)
    }

    fn holes(&self) -> &[(usize, usize)] {
        self.holes()
    }
}
