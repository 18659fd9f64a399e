//! A ledger that reads as a given snapshot.

use super::{Cell, Chunk, Event, Flow, Frame, Header, Ledger, Module, Node, Point, Shard, Shared};
use super::{Site, Thread, Wide};
use crate::format::layout::{
    CHUNK_CELLS, Cell as CellLayout, Frame as FrameLayout, LIVES, Node as NodeLayout, ending,
    event, mode, state,
};
use crate::format::read::outline::NAMES;
use crate::format::snapshot::{
    self, Counters, Ending, EventKind, FrameKind, Mode, Snapshot, State,
};
use std::vec::Vec;

impl Ledger {
    /// A ledger that reads as `snapshot`, with one tick to the nanosecond, bytes allocated evenly,
    /// and all counters in one shard.
    ///
    /// What the reader derives is not taken from the snapshot: of counters `live` and `live_bytes`,
    /// of the totals what the classes sum up to, of tracking the ledger's size, whether there are
    /// estimates, and the edges of lifetimes. Threads did no more than the classes say, events are
    /// in threads that have a record, and nothing is later than `elapsed_ns`.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut ledger = Self::new();
        let pace = pace(snapshot);
        ledger.header = ledger.header_of(snapshot, pace);
        ledger.modules = snapshot.modules.iter().map(|module| ledger.module(module)).collect();
        let node = |node: &snapshot::Node| Node {
            parent: node.parent,
            frame: node.frame,
            ..Node::default()
        };
        replace(&mut ledger.frames, snapshot.frames.iter().map(frame));
        replace(&mut ledger.nodes, snapshot.nodes.iter().map(node));
        replace(
            &mut ledger.sites,
            snapshot.sites.iter().map(|site| Site {
                node: site.node,
                first_clock: clock(site.counters.first_ns, pace),
            }),
        );
        for (number, site) in snapshot.sites.iter().enumerate() {
            if let Some(node) = ledger.nodes.get_mut(site.node as usize).filter(|_| site.node != 0)
            {
                node.below = NodeLayout::SITE | number as u32;
            }
        }
        ledger.threads.extend(snapshot.threads.iter().map(thread));
        ledger.class_sizes = snapshot.classes.iter().map(|class| class.block_size).collect();
        ledger.shards = Vec::from([shard(snapshot)]);
        let total =
            ledger.shards[0].classes.iter().fold(Flow::default(), |sum, own| sum.plus(*own));
        ledger.take_turns(&snapshot.threads, total);
        let chunks = snapshot.sites.chunks(CHUNK_CELLS).enumerate();
        ledger.chunks = chunks.map(|(index, sites)| ledger.chunk(index, sites, pace)).collect();
        ledger.points = snapshot.timeline.iter().map(|one| point(one, pace)).collect();
        ledger.events = snapshot
            .events
            .iter()
            .map(|event| {
                let is_it = |thread: &Thread| thread.id == event.thread && thread.id != 0;
                let thread = ledger.threads.iter().position(is_it).unwrap_or(0);
                ledger.event(event, thread as u32)
            })
            .collect();
        for (name, records) in &snapshot.tracking.refused {
            if let Some(index) = NAMES.iter().position(|known| known == name) {
                ledger.refused[index] = *records as u32;
            }
        }
        ledger
    }
}

impl Ledger {
    fn header_of(&mut self, snapshot: &Snapshot, pace: u64) -> Header {
        let (process, tracking, totals) = (&snapshot.process, &snapshot.tracking, &snapshot.totals);
        let (state, exit_status) = match process.state {
            State::Running => (state::RUNNING, 0),
            State::Exited(status) => (state::EXITED, status),
            State::Replaced => (state::REPLACED, 0),
            State::Killed(signal) => (state::KILLED, signal),
        };
        let events = snapshot.events.iter().map(|event| &event.kind);
        let sample_bytes = events
            .filter_map(|kind| if let EventKind::Mode(mode) = kind { Some(*mode) } else { None })
            .chain([tracking.mode])
            .filter_map(|mode| if let Mode::Sample { bytes } = mode { Some(bytes) } else { None })
            .next_back();
        Header {
            pid: process.pid,
            forked_from: process.forked_from.unwrap_or(0),
            program: self.keep(&process.program),
            command: {
                let command = process.command.iter().flat_map(|word| [word.as_bytes(), b"\0"]);
                self.keep(command.collect::<Vec<_>>().concat())
            },
            writer: self.keep(&process.writer),
            state,
            exit_status: exit_status.cast_unsigned(),
            started_unix_ns: process.started_unix_ns,
            tick_zero: tick(0),
            tick_later: tick(process.elapsed_ns),
            nanoseconds_later: process.elapsed_ns,
            mode: number_of(tracking.mode),
            sample_bytes: sample_bytes.unwrap_or(0),
            unseen: tracking.unseen,
            refused_stacks: tracking.refused_stacks,
            before_blocks: tracking.before_blocks,
            before_bytes: tracking.before_bytes,
            overhead_bytes: tracking.overhead_bytes,
            shared: Shared {
                bytes: totals.current_bytes.cast_signed(),
                blocks: totals.current_allocations.cast_signed(),
                peak_bytes: totals.peak_bytes.cast_signed(),
                peak_blocks: totals.peak_allocations.cast_signed(),
                peak_epoch: EPOCH,
                peak_clock: totals.peak_ns.saturating_mul(pace),
                next_point: 0,
                clock: process.elapsed_ns.saturating_mul(pace),
            },
            ..Header::default()
        }
    }

    fn module(&mut self, module: &snapshot::Module) -> Module {
        let mut build_id = [0; 8];
        for (word, bytes) in build_id.iter_mut().zip(module.build_id.chunks(4)) {
            let mut four = [0; 4];
            four[..bytes.len()].copy_from_slice(bytes);
            *word = u32::from_le_bytes(four);
        }
        Module {
            start: module.start,
            end: module.end,
            bias: module.bias,
            path: self.keep(&module.path),
            build_id,
            build_id_len: module.build_id.len().min(size_of_val(&build_id)) as u32,
            loaded_tick: tick(0),
            unloaded_tick: module.unloaded_ns.map_or(0, tick),
        }
    }

    /// The threads, one after the other in the only shard, which counts `until` in the end.
    fn take_turns(&mut self, threads: &[snapshot::Thread], mut until: Flow) {
        for (thread, from) in self.threads.iter_mut().skip(1).zip(threads).rev() {
            let own = Flow {
                allocations: from.allocations,
                bytes: from.bytes,
                frees: from.frees,
                freed_bytes: from.freed_bytes,
            };
            thread.last = if from.ended_ns.is_some() { until } else { Flow::default() };
            thread.first = until.since(own);
            until = thread.first;
        }
    }

    fn event(&mut self, event: &snapshot::Event, thread: u32) -> Event {
        let (kind, value, text) = match &event.kind {
            EventKind::Mode(mode) => {
                let bytes = if let Mode::Sample { bytes } = mode { *bytes } else { 0 };
                (event::MODE, u64::from(number_of(*mode)) | bytes << 8, "")
            }
            EventKind::Mark(name) => (event::MARK, 0, name.as_str()),
            EventKind::Misuse(how) => (event::MISUSE, 0, how.as_str()),
        };
        Event { tick: tick(event.ns), kind, thread, value, text: self.keep(text) }
    }
}

/// Replaces the reserved records by all, if there are any.
fn replace<T>(reserved: &mut Vec<T>, all: impl ExactSizeIterator<Item = T>) {
    if all.len() >= reserved.len() {
        *reserved = all.collect();
    }
}

/// Bytes allocated in a nanosecond, at least: enough for all by the end.
fn pace(snapshot: &Snapshot) -> u64 {
    let bytes = snapshot.classes.iter().map(|class| class.bytes).fold(0, u64::saturating_add);
    (bytes / snapshot.process.elapsed_ns.max(1)).saturating_add(1)
}

/// A time of the allocation clock, as records have it.
fn clock(ns: u64, pace: u64) -> u32 {
    (ns.saturating_mul(pace) as f32).to_bits()
}

/// The epoch of the peak, and of all cells.
const EPOCH: u32 = 1;

/// Ticks begin at one: zero stands for "not yet".
fn tick(ns: u64) -> u64 {
    ns.saturating_add(1)
}

fn number_of(mode: Mode) -> u32 {
    match mode {
        Mode::Off => mode::OFF,
        Mode::Stats => mode::STATS,
        Mode::Sample { .. } => mode::SAMPLE,
        Mode::Full => mode::FULL,
    }
}

fn frame(frame: &snapshot::Frame) -> Frame {
    let (address, flags) = match frame.kind {
        FrameKind::Return => (frame.address, 0),
        FrameKind::Exact => (frame.address, FrameLayout::EXACT),
        FrameKind::Heuristic => (frame.address, FrameLayout::HEURISTIC),
        FrameKind::Ending(ending) => {
            let address = match ending {
                Ending::NoInfo => ending::NO_INFO,
                Ending::Truncated => ending::TRUNCATED,
                Ending::Damaged => ending::DAMAGED,
                Ending::Unsupported => ending::UNSUPPORTED,
            };
            (address, FrameLayout::ENDING)
        }
    };
    Frame { address, module: frame.module.map_or(0, |module| module as u32 + 1), flags }
}

fn thread(thread: &snapshot::Thread) -> Thread {
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(thread.name.bytes()) {
        *to = from;
    }
    let (words, _) = name.as_chunks();
    Thread {
        id: thread.id,
        shard: 0,
        name: core::array::from_fn(|index| u32::from_le_bytes(words[index])),
        started_tick: tick(thread.started_ns),
        ended_tick: thread.ended_ns.map_or(0, tick),
        ..Thread::default()
    }
}

fn shard(snapshot: &Snapshot) -> Shard {
    let flow = |class: &snapshot::Class| Flow {
        allocations: class.allocations,
        bytes: class.bytes,
        frees: class.frees,
        freed_bytes: class.freed_bytes,
    };
    Shard {
        temporary: snapshot.totals.temporary,
        reallocations: snapshot.totals.reallocations,
        classes: snapshot.classes.iter().map(flow).collect(),
        ..Shard::default()
    }
}

impl Ledger {
    fn chunk(&mut self, index: usize, sites: &[snapshot::Site], pace: u64) -> Chunk {
        Chunk {
            shard: 1,
            first_site: (index * CHUNK_CELLS) as u32,
            cells: sites.iter().map(|site| self.cell(&site.counters, pace)).collect(),
        }
    }

    fn cell(&mut self, counters: &Counters, pace: u64) -> Cell {
        let mut lives = [counters.temporary; LIVES];
        lives[1..].fill(0);
        for (to, from) in lives[1..].iter_mut().zip(&counters.lifetimes) {
            *to = *from;
        }
        // What fits into the cell is there alone.
        let (mut own_peak_bytes, mut wide_peak) = (CellLayout::LARGE, 0);
        match u32::try_from(counters.own_peak_bytes) {
            Ok(value) if value != CellLayout::LARGE => own_peak_bytes = value,
            _ => wide_peak = counters.own_peak_bytes.cast_signed(),
        }
        let split = |value: u64| match i32::try_from(value) {
            Ok(narrow) => (narrow, 0),
            Err(_) => (CellLayout::FAR, value.cast_signed()),
        };
        let (at_peak_bytes, wide_at_peak_bytes) = split(counters.at_peak_bytes);
        let (at_peak_blocks, wide_at_peak_blocks) = split(counters.at_peak);
        let wide = Wide {
            allocations: counters.allocations >> 31,
            frees: counters.frees >> 31,
            reallocations: counters.reallocations,
            samples: counters.samples,
            variance_blocks: (counters.allocations_error * counters.allocations_error).to_bits(),
            variance_bytes: (counters.bytes_error * counters.bytes_error).to_bits(),
            own_peak_bytes: wide_peak,
            at_peak_bytes: wide_at_peak_bytes,
            at_peak_blocks: wide_at_peak_blocks,
            lives: lives.map(|count| count >> 7),
        };
        let number = self.wides.len() as u32;
        let is_wide = wide != Wide::default();
        self.wides.extend(is_wide.then_some(wide));
        Cell {
            allocations: counters.allocations as u32,
            frees: counters.frees as u32,
            bytes: counters.bytes,
            freed_bytes: counters.freed_bytes,
            own_peak_bytes,
            at_peak_bytes,
            at_peak_blocks,
            peak_epoch: EPOCH,
            wide: if is_wide { number } else { 0 },
            last_clock: clock(counters.last_ns, pace),
            lives: lives.map(|count| count as u8),
        }
    }
}

fn point(point: &snapshot::Point, pace: u64) -> Point {
    Point {
        tick: tick(point.ns),
        bytes: point.bytes.cast_signed(),
        blocks: point.blocks.cast_signed(),
        resident: point.resident,
        allocations: point.allocations,
        high_bytes: point.high_bytes.cast_signed(),
        clock: point.ns.saturating_mul(pace),
    }
}
