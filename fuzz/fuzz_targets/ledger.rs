//! The ledger's reader survives whatever a file holds, and what it returns keeps its promises.
//!
//! The first byte says what the rest is: a file; the records behind a good header; or writes into a
//! good ledger, so that deep code is reached from the start.
#![no_main]

use heapsight::ledger::testing::{Ledger, noise};
use heapsight::ledger::{
    Class, Counters, Event, EventKind, Frame, FrameKind, Mode, Module, Node, Point, Process, Site,
    Snapshot, Thread, Tracking, from_bytes,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    let bytes = match kind % 3 {
        0 => data.to_vec(),
        1 => noise(data),
        _ => overwritten(Ledger::of(&good()).bytes(), data),
    };
    match from_bytes(&bytes) {
        Ok(snapshot) => check(&snapshot),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// Twelve bytes a write: where, and what.
fn overwritten(mut bytes: Vec<u8>, data: &[u8]) -> Vec<u8> {
    for write in data.as_chunks::<12>().0 {
        let (place, value) = write.split_at(4);
        let place = u32::from_le_bytes([place[0], place[1], place[2], place[3]]) as usize;
        let at = place % (bytes.len() - value.len());
        bytes[at..at + value.len()].copy_from_slice(value);
    }
    bytes
}

fn check(snapshot: &Snapshot) {
    assert!(snapshot.sites.len() >= 2 && !snapshot.frames.is_empty());
    for site in &snapshot.sites {
        assert!((site.node as usize) < snapshot.nodes.len());
        assert!(site.counters.bytes_error >= 0.0 && site.counters.allocations_error >= 0.0);
    }
    for (index, node) in snapshot.nodes.iter().enumerate() {
        assert!((node.parent as usize) < index.max(1));
        assert!((node.frame as usize) < snapshot.frames.len());
    }
    for module in snapshot.frames.iter().filter_map(|frame| frame.module) {
        assert!(module < snapshot.modules.len());
    }
    assert!(snapshot.timeline.is_sorted_by_key(|point| point.ns));
    assert!(snapshot.events.is_sorted_by_key(|event| event.ns));
}

/// Something of everything.
fn good() -> Snapshot {
    let counters = Counters { allocations: 4, bytes: 400, frees: 1, ..Counters::default() };
    let site = |node| Site { node, counters: counters.clone() };
    let event = |kind| Event { ns: 5, thread: 7, kind };
    Snapshot {
        process: Process {
            pid: 7,
            program: "/bin/program".into(),
            command: vec!["program".into()],
            elapsed_ns: 1000,
            ..Process::default()
        },
        tracking: Tracking { mode: Mode::Full, ..Tracking::default() },
        modules: vec![Module { path: "/bin/program".into(), ..Module::default() }; 2],
        frames: vec![Frame { address: 5, module: Some(1), kind: FrameKind::Return }; 4],
        nodes: (0..4_u32).map(|n| Node { parent: n.saturating_sub(1), frame: n }).collect(),
        sites: [0, 0, 2, 3].map(site).into(),
        threads: vec![Thread { id: 7, name: "main".into(), ..Thread::default() }],
        classes: vec![Class { block_size: 16, allocations: 9, ..Class::default() }],
        timeline: (1..4).map(|n| Point { ns: n * 100, ..Point::default() }).collect(),
        events: vec![event(EventKind::Mark("a mark".into())), event(EventKind::Misuse("a misuse".into()))],
        ..Snapshot::default()
    }
}
