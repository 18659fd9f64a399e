//! Ledgers for tests: one that a small shop could have written, and arbitrary ones.

use heapsight::Frame as Named;
use heapsight::ledger::{
    Class, Counters, Ending, Event, EventKind, Frame, FrameKind, Mode, Module, Node, Point,
    Process, Site, Snapshot, State, Thread, Totals, Tracking,
};
use proptest::prelude::*;

use super::names::Names;

pub(crate) const PROGRAM: &str = "/opt/shop/shop";

fn frame(address: u64, module: usize) -> Frame {
    Frame { address, module: Some(module), kind: FrameKind::Return }
}

fn module(start: u64, path: &str, id: u8) -> Module {
    let (end, path) = (start + 0x10000, path.into());
    Module { start, end, bias: start, path, build_id: vec![id; 20], unloaded_ns: None }
}

fn counters(allocations: u64, bytes: u64, live: u64, live_bytes: u64) -> Counters {
    let frees = allocations - live;
    Counters {
        allocations,
        bytes,
        frees,
        freed_bytes: bytes - live_bytes,
        live,
        live_bytes,
        own_peak_bytes: bytes.div_ceil(2).max(live_bytes),
        at_peak: allocations.div_ceil(2).max(live),
        at_peak_bytes: bytes.div_ceil(2).max(live_bytes),
        reallocations: 1,
        temporary: frees / 4,
        lifetimes: vec![0, frees - frees / 4, 0, 0],
        first_ns: 1_000_000,
        last_ns: 2_000_000_000,
        ..Counters::default()
    }
}

/// `main` fills carts (recursively) and greets; one stack is cut short, one is not known.
pub(crate) fn snapshot() -> Snapshot {
    let ending = Frame { kind: FrameKind::Ending(Ending::Truncated), ..Frame::default() };
    let node = |parent, frame| Node { parent, frame };
    let sites = vec![
        Site::default(),
        Site { node: 0, counters: counters(4, 400, 0, 0) },
        Site { node: 4, counters: counters(100, 1 << 20, 3, 300) },
        Site { node: 6, counters: counters(1000, 64_000, 0, 0) },
        Site { node: 8, counters: counters(10, 5000, 10, 5000) },
    ];
    let sum = |of: fn(&Counters) -> u64| sites.iter().map(|site| of(&site.counters)).sum::<u64>();
    Snapshot {
        process: Process {
            pid: 31137,
            forked_from: None,
            program: PROGRAM.into(),
            command: ["./shop", "--open", "a b"].map(String::from).into(),
            writer: "0.1.0".into(),
            started_unix_ns: 1_700_000_000_000_000_000,
            elapsed_ns: 2_300_000_000,
            state: State::Exited(0),
        },
        tracking: Tracking {
            mode: Mode::Full,
            overhead_bytes: 300_000,
            ledger_bytes: 500_000,
            refused_stacks: 4,
            refused: vec![("timeline".into(), 2)],
            before_blocks: 7,
            before_bytes: 700,
            lifetime_edges_bytes: vec![1024, 4096, 16384],
            ..Tracking::default()
        },
        totals: Totals {
            total_allocations: sum(|it| it.allocations),
            total_deallocations: sum(|it| it.frees),
            current_allocations: sum(|it| it.live),
            peak_allocations: sum(|it| it.at_peak),
            bytes_allocated: sum(|it| it.bytes),
            bytes_deallocated: sum(|it| it.freed_bytes),
            current_bytes: sum(|it| it.live_bytes),
            peak_bytes: sum(|it| it.at_peak_bytes),
            peak_ns: 1_200_000_000,
            temporary: sum(|it| it.temporary),
            reallocations: sum(|it| it.reallocations),
        },
        modules: vec![
            module(0x40_0000, PROGRAM, 1),
            module(0x7f00_0000, "/opt/shop/libheapsight.so", 2),
            module(0x7e00_0000, "/lib/libc.so.6", 3),
        ],
        frames: vec![
            Frame::default(),
            frame(0x7e00_0100, 2),
            frame(0x40_1100, 0),
            frame(0x40_1200, 0),
            frame(0x7f00_0100, 1),
            frame(0x40_1300, 0),
            ending,
        ],
        nodes: vec![
            Node::default(),
            node(0, 1),
            node(1, 2),
            node(2, 3),
            node(3, 4),
            node(2, 5),
            node(5, 4),
            node(0, 6),
            node(7, 3),
        ],
        sites,
        threads: vec![Thread {
            id: 31137,
            name: "shop".into(),
            allocations: 1114,
            bytes: 1_117_976,
            ..Thread::default()
        }],
        classes: vec![
            Class { block_size: 64, allocations: 1004, bytes: 64_400, ..Class::default() },
            Class { block_size: 12288, allocations: 110, bytes: 1_053_576, ..Class::default() },
        ],
        timeline: (0..=23).map(|step| point(step * 100_000_000)).collect(),
        events: vec![
            Event { ns: 0, thread: 31137, kind: EventKind::Mode(Mode::Full) },
            Event { ns: 900_000_000, thread: 31137, kind: EventKind::Mark("open".into()) },
        ],
    }
}

fn point(ns: u64) -> Point {
    let bytes = if ns < 1_200_000_000 { ns / 2400 } else { 5300 };
    let blocks = bytes / 1000;
    Point { ns, bytes, blocks, resident: 3 << 20, allocations: ns / 2_000_000, high_bytes: bytes }
}

fn named(function: &str, line: u32, inlined: bool) -> Named {
    Named {
        function: Some(function.into()),
        file: Some("src/shop.c".into()),
        line: Some(line),
        module: Some(PROGRAM.into()),
        address: u64::from(line),
        inlined,
    }
}

/// The names of its frames.
pub(crate) fn names() -> Names {
    let libc = Named {
        function: Some("__libc_start_call_main".into()),
        module: Some("/lib/libc.so.6".into()),
        address: 0xff,
        ..Named::default()
    };
    let own = Named { module: Some("/opt/shop/libheapsight.so".into()), ..Named::default() };
    Names::fixed([
        (1, vec![libc]),
        (2, vec![named("main", 40, false)]),
        (3, vec![named("add_item", 14, true), named("fill_cart", 31, false)]),
        (4, vec![own]),
        (5, vec![named("greet", 22, false)]),
        (6, vec![]),
    ])
}

prop_compose! {
    fn any_site(nodes: u32)(
        node in 0..nodes, live in 0u64..50, at_peak in 0u64..50, more in 0u64..50,
        size in 0u64..5000, peak_size in 0u64..5000, extra in 0u64..5000, temporary in 0u64..60,
    ) -> Site {
        // Blocks that live, that lived at the peak, and others.
        let allocations = live + at_peak + more;
        let counters = Counters {
            allocations,
            bytes: live * size + at_peak * peak_size + more * extra,
            live,
            live_bytes: live * size,
            frees: allocations - live,
            freed_bytes: at_peak * peak_size + more * extra,
            at_peak,
            at_peak_bytes: at_peak * peak_size,
            temporary: temporary.min(more),
            ..Counters::default()
        };
        Site { node, counters }
    }
}

prop_compose! {
    /// Any call stacks, and any counters that can be.
    pub(crate) fn any_snapshot()(
        parents in prop::collection::vec((any::<prop::sample::Index>(), 1u32..7), 1..20),
    )(
        sites in prop::collection::vec(any_site(parents.len() as u32 + 1), 0..20),
        parents in Just(parents),
    ) -> Snapshot {
        let mut nodes = vec![Node::default()];
        for (parent, frame) in parents {
            nodes.push(Node { parent: parent.index(nodes.len()) as u32, frame });
        }
        Snapshot { nodes, sites, ..snapshot() }
    }
}
