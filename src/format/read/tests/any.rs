//! Snapshots for tests.

use crate::format::layout::LIFETIMES;
use crate::format::read::outline::NAMES;
use crate::format::snapshot::{
    Class, Counters, Ending, Event, EventKind, Frame, FrameKind, Mode, Module, Node, Point,
    Process, Site, Snapshot, State, Thread, Totals, Tracking,
};
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

/// Times and amounts are below this, so that sums fit.
const MOST: u64 = 1 << 40;

fn text() -> impl Strategy<Value = String> {
    "[a-zäß日/ .-]{0,12}"
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Running),
        any::<i32>().prop_map(State::Exited),
        Just(State::Replaced),
        (1..64).prop_map(State::Killed),
    ]
}

fn mode(sample_bytes: u64) -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::Off),
        Just(Mode::Stats),
        Just(Mode::Sample { bytes: sample_bytes & 0xff_ffff_ffff }),
        Just(Mode::Full),
    ]
}

fn process() -> impl Strategy<Value = Process> {
    let command = prop::collection::vec("[a-z=-]{0,8}", 0..4);
    let numbers = (any::<u32>(), prop::option::of(1..u32::MAX), any::<u64>(), 1..MOST);
    (numbers, text(), command, text(), state()).prop_map(
        |((pid, forked_from, started_unix_ns, elapsed_ns), program, command, writer, state)| {
            Process {
                pid,
                forked_from,
                program,
                command,
                writer,
                started_unix_ns,
                elapsed_ns,
                state,
            }
        },
    )
}

fn modules(elapsed: u64) -> impl Strategy<Value = Vec<Module>> {
    let unloaded = prop::option::of(0..=elapsed);
    let build_id = prop::collection::vec(any::<u8>(), 0..=32);
    let module = (any::<[u64; 3]>(), text(), build_id, unloaded).prop_map(
        |([start, end, bias], path, build_id, unloaded_ns)| Module {
            start,
            end,
            bias,
            path,
            build_id,
            unloaded_ns,
        },
    );
    prop::collection::vec(module, 0..4)
}

fn frame(modules: usize) -> impl Strategy<Value = Frame> {
    (any::<u64>(), 0..=modules, 0..7_u64).prop_map(|(address, module, kind)| {
        let (kind, address) = match kind {
            0 => (FrameKind::Return, address),
            1 => (FrameKind::Exact, address),
            2 => (FrameKind::Heuristic, address),
            3 => (FrameKind::Ending(Ending::NoInfo), 1),
            4 => (FrameKind::Ending(Ending::Truncated), 2),
            5 => (FrameKind::Ending(Ending::Damaged), 3),
            _ => (FrameKind::Ending(Ending::Unsupported), 4),
        };
        Frame { address, module: module.checked_sub(1), kind }
    })
}

fn counters(elapsed: u64) -> impl Strategy<Value = Counters> {
    let amounts = prop::array::uniform10(0..MOST);
    let times = (0..=elapsed, 0..=elapsed);
    let lifetimes = prop::collection::vec(0..MOST, LIFETIMES);
    (1..MOST, amounts, times, lifetimes, 0.0..1e12).prop_map(
        |(allocations, amounts, (first_ns, last_ns), lifetimes, error)| {
            let [bytes, frees, freed_bytes, own_peak, at_peak, at_peak_bytes, rest @ ..] = amounts;
            let [reallocations, temporary, samples, _] = rest;
            Counters {
                allocations,
                bytes,
                frees,
                freed_bytes,
                live: allocations.saturating_sub(frees),
                live_bytes: bytes.saturating_sub(freed_bytes),
                own_peak_bytes: own_peak,
                at_peak,
                at_peak_bytes,
                reallocations: reallocations & u64::from(u32::MAX),
                temporary,
                lifetimes,
                first_ns,
                last_ns,
                samples,
                allocations_error: error,
                bytes_error: error / 3.0,
            }
        },
    )
}

fn sites(nodes: usize, elapsed: u64) -> impl Strategy<Value = Vec<Site>> {
    let counters = prop_oneof![1 => Just(Counters::default()), 3 => counters(elapsed)];
    prop::collection::vec(counters, 2..=(nodes + 1)).prop_map(|all| {
        let node = |number: usize| number.saturating_sub(1) as u32;
        let made = all.into_iter().enumerate();
        made.map(|(number, counters)| Site { node: node(number), counters }).collect()
    })
}

fn threads(elapsed: u64) -> impl Strategy<Value = Vec<Thread>> {
    let times = (0..=elapsed, prop::option::of(0..=elapsed));
    let thread = ("[a-z]{0,16}", times, any::<[u16; 4]>()).prop_map(
        |(name, (started_ns, ended_ns), flow)| {
            let [allocations, bytes, frees, freed_bytes] = flow.map(u64::from);
            let ended = (started_ns, ended_ns);
            Thread {
                id: 0,
                name,
                started_ns: ended.0,
                ended_ns: ended.1,
                allocations,
                bytes,
                frees,
                freed_bytes,
            }
        },
    );
    prop::collection::vec(thread, 0..4).prop_map(|mut threads| {
        for (number, thread) in threads.iter_mut().enumerate() {
            thread.id = 100 + number as u32;
        }
        threads
    })
}

fn classes() -> impl Strategy<Value = Vec<Class>> {
    let amounts = prop::collection::vec(prop::array::uniform4(1 << 20..MOST), 1..100);
    amounts.prop_map(|amounts| {
        let class = |(index, [allocations, bytes, frees, freed_bytes]): (usize, [u64; 4])| Class {
            block_size: 16 * (index as u64 + 1),
            allocations,
            bytes,
            frees,
            freed_bytes,
        };
        amounts.into_iter().enumerate().map(class).collect()
    })
}

fn timeline(elapsed: u64) -> impl Strategy<Value = Vec<Point>> {
    let point = (0..=elapsed, prop::array::uniform5(0..MOST));
    prop::collection::vec(point, 0..8).prop_map(|points| {
        let make = |(ns, [bytes, blocks, resident, allocations, high_bytes]): (u64, [u64; 5])| {
            Point { ns, bytes, blocks, resident, allocations, high_bytes }
        };
        let mut points: Vec<_> = points.into_iter().map(make).collect();
        points.sort_by_key(|point| point.ns);
        points.dedup_by_key(|point| point.ns);
        points
    })
}

fn events(elapsed: u64, sample_bytes: u64, threads: usize) -> impl Strategy<Value = Vec<Event>> {
    let kind = prop_oneof![
        mode(sample_bytes).prop_map(EventKind::Mode),
        text().prop_map(EventKind::Mark),
        text().prop_map(EventKind::Misuse),
    ];
    let event = (0..=elapsed, 0..=threads, kind).prop_map(|(ns, thread, kind)| Event {
        ns,
        thread: if thread == 0 { 0 } else { 99 + thread as u32 },
        kind,
    });
    prop::collection::vec(event, 0..6).prop_map(|mut events| {
        events.sort_by_key(|event| event.ns);
        events
    })
}

fn tracking(mode: Mode) -> impl Strategy<Value = Tracking> {
    let refused = prop::sample::subsequence(&NAMES[..], 0..4);
    (any::<[u64; 5]>(), refused, 1..=u32::MAX).prop_map(move |(values, refused, records)| {
        let [unseen, refused_stacks, before_blocks, before_bytes, overhead_bytes] = values;
        let refused = refused.into_iter().map(|name| (name.to_string(), records.into()));
        Tracking {
            mode,
            unseen,
            refused_stacks,
            before_blocks,
            before_bytes,
            overhead_bytes,
            refused: refused.collect(),
            ..Tracking::default()
        }
    })
}

fn totals(elapsed: u64) -> impl Strategy<Value = Totals> {
    (prop::array::uniform4(0..MOST), 0..=elapsed).prop_map(|(values, peak_ns)| {
        let [peak_allocations, peak_bytes, temporary, reallocations] = values;
        Totals {
            peak_allocations,
            peak_bytes,
            peak_ns,
            temporary,
            reallocations,
            ..Totals::default()
        }
    })
}

/// Makes of parts a whole: stacks whose references are good, totals that are sums.
fn whole(
    (process, mut tracking, mut totals): (Process, Tracking, Totals),
    (modules, frames, parents): (Vec<Module>, Vec<Frame>, Vec<(u32, u32)>),
    (sites, threads, classes): (Vec<Site>, Vec<Thread>, Vec<Class>),
    (timeline, events): (Vec<Point>, Vec<Event>),
) -> Snapshot {
    let frames: Vec<_> = [Frame::default()].into_iter().chain(frames).collect();
    let node = |(index, (parent, frame)): (usize, &(u32, u32))| Node {
        parent: parent % (index as u32 + 1),
        frame: frame % frames.len() as u32,
    };
    let nodes = parents.iter().enumerate().map(node);
    let nodes = [Node::default()].into_iter().chain(nodes).collect();
    for class in &classes {
        totals.total_allocations += class.allocations;
        totals.bytes_allocated += class.bytes;
        totals.total_deallocations += class.frees;
        totals.bytes_deallocated += class.freed_bytes;
    }
    let (blocks, freed) = (totals.total_allocations, totals.total_deallocations);
    totals.current_allocations = blocks.saturating_sub(freed);
    totals.current_bytes = totals.bytes_allocated.saturating_sub(totals.bytes_deallocated);
    totals.peak_allocations = totals.peak_allocations.max(totals.current_allocations);
    totals.peak_bytes = totals.peak_bytes.max(totals.current_bytes);
    tracking.is_estimated = matches!(tracking.mode, Mode::Sample { .. })
        || sites.iter().any(|site| site.counters.samples > 0);
    Snapshot {
        process,
        tracking,
        totals,
        modules,
        frames,
        nodes,
        sites,
        threads,
        classes,
        timeline,
        events,
    }
}

prop_compose! {
    /// Any snapshot that a ledger can say.
    pub(super) fn any_snapshot()(
        process in process(),
        threads in threads(MOST),
        bytes in any::<u64>(),
    )(
        process in Just(process.clone()),
        tracking in mode(bytes).prop_flat_map(tracking),
        totals in totals(process.elapsed_ns),
        modules in modules(process.elapsed_ns),
        frames in prop::collection::vec(frame(0), 0..20),
        numbers in prop::collection::vec(any::<u64>(), 20),
        parents in prop::collection::vec(any::<(u32, u32)>(), 200),
        sites in sites(200, process.elapsed_ns),
        threads in threads_until(threads.clone(), process.elapsed_ns),
        classes in classes(),
        timeline in timeline(process.elapsed_ns),
        events in events(process.elapsed_ns, bytes, threads.len()),
    ) -> Snapshot {
        let mut frames = frames;
        for (frame, number) in frames.iter_mut().zip(numbers) {
            frame.module = (number as usize % (modules.len() + 1)).checked_sub(1);
        }
        whole(
            (process, tracking, totals),
            (modules, frames, parents),
            (sites, threads, classes),
            (timeline, events),
        )
    }
}

/// Threads whose times are not after `elapsed`.
fn threads_until(threads: Vec<Thread>, elapsed: u64) -> impl Strategy<Value = Vec<Thread>> {
    let mut threads = threads;
    for thread in &mut threads {
        thread.started_ns %= elapsed;
        thread.ended_ns = thread.ended_ns.map(|ns| ns % elapsed);
    }
    Just(threads)
}

/// A snapshot with something of everything.
pub(super) fn rich_snapshot() -> Snapshot {
    let elapsed = 1_000_000;
    let counters = Counters {
        allocations: 40,
        bytes: 4000,
        frees: 10,
        freed_bytes: 1000,
        live: 30,
        live_bytes: 3000,
        lifetimes: vec![1; LIFETIMES],
        last_ns: elapsed,
        ..Counters::default()
    };
    let site = |node| Site { node, counters: counters.clone() };
    let event = |ns, kind| Event { ns, thread: 7, kind };
    Snapshot {
        process: Process {
            pid: 7,
            program: "/bin/prögram".into(),
            command: vec!["program".into(), String::new()],
            elapsed_ns: elapsed,
            ..Process::default()
        },
        tracking: Tracking { mode: Mode::Full, ..Tracking::default() },
        modules: vec![Module { path: "/bin/prögram".into(), end: 9, ..Module::default() }; 3],
        frames: {
            let mut frames =
                vec![Frame { address: 5, module: Some(2), kind: FrameKind::Return }; 9];
            frames[0] = Frame::default();
            frames
        },
        nodes: (0..9_u32).map(|n| Node { parent: n.saturating_sub(1), frame: n }).collect(),
        sites: [0, 0, 3, 5, 8].map(site).into(),
        threads: vec![Thread { id: 7, name: "main".into(), allocations: 9, ..Thread::default() }],
        classes: vec![Class {
            block_size: 112,
            allocations: 200,
            bytes: 20_000,
            frees: 50,
            freed_bytes: 5000,
        }],
        timeline: (1..9).map(|n| Point { ns: n * 1000, bytes: n, ..Point::default() }).collect(),
        events: vec![
            event(1, EventKind::Mode(Mode::Stats)),
            event(2, EventKind::Mark("a mark".into())),
            event(3, EventKind::Misuse("a double free".into())),
        ],
        totals: Totals::default(),
    }
}
