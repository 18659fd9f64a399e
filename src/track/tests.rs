//! What the tracker writes into its ledger is what a reader gets.

use super::Tracker;
use super::ledger::LEN_MIN;
use super::stacks::ROOT;
use crate::base::sync::Ordering;
use crate::format::layout::Cell;
use crate::format::read::from_bytes;
use crate::format::snapshot::Snapshot;
use crate::heap::alloc::Request;
use crate::heap::engine::Engine;
use crate::heap::local::LocalHeap;
use crate::unwind::{Registers, StackNames};
use proptest::prelude::*;
use std::boxed::Box;
use std::vec::Vec;

/// The ledger's bytes, of a tracker that nobody uses meanwhile.
fn read(tracker: &Tracker) -> Snapshot {
    let header = tracker.ledger.header().expect("an open ledger");
    let start = core::ptr::from_ref(header).cast::<u8>();
    // SAFETY: the ledger's pages are that long, mapped for ever, and nobody writes them now.
    let bytes = unsafe { core::slice::from_raw_parts(start, tracker.ledger.len()) };
    from_bytes(bytes).expect("a ledger")
}

/// What a naive observer counts.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    allocations: u64,
    bytes: u64,
    frees: u64,
    freed_bytes: u64,
    peak_bytes: u64,
    peak_blocks: u64,
}

impl Counted {
    fn allocate(&mut self, size: usize) {
        self.allocations += 1;
        self.bytes += size as u64;
        self.peak_bytes = self.peak_bytes.max(self.bytes - self.freed_bytes);
        self.peak_blocks = self.peak_blocks.max(self.allocations - self.frees);
    }

    fn free(&mut self, size: usize) {
        self.frees += 1;
        self.freed_bytes += size as u64;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_counted_is_read(
        steps in prop::collection::vec((any::<u16>(), 0_usize..3, 1_usize..200_000), 0..300),
    ) {
        // Heaps and ledgers are never unmapped, so neither is what refers to them.
        let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
        let tracker = &engine.observer;
        tracker.open_ledger(LEN_MIN);
        let heap = engine.attach().expect("memory");
        tracker.record(super::Recorded::Sums);
        engine.follow_observer(heap);
        let (mut held, mut counted) = (Vec::new(), Counted::default());
        for (pick, kind, size) in steps {
            if kind == 0 && !held.is_empty() {
                let (address, size) = held.swap_remove(usize::from(pick) % held.len());
                engine.free(heap, address).expect("a block in use");
                counted.free(size);
            } else {
                let size = if kind == 1 { size % 1000 } else { size };
                let address = engine.allocate(heap, Request::plain(size, Registers::NOWHERE));
                prop_assert!(!address.is_null());
                held.push((address, size));
                counted.allocate(size);
            }
        }
        let read = read(tracker);
        let totals = read.totals;
        let seen = Counted {
            allocations: totals.total_allocations,
            bytes: totals.bytes_allocated,
            frees: totals.total_deallocations,
            freed_bytes: totals.bytes_deallocated,
            peak_bytes: totals.peak_bytes,
            peak_blocks: totals.peak_allocations,
        };
        prop_assert_eq!(&seen, &counted);
        let live: u64 = held.iter().map(|(_, size)| *size as u64).sum();
        prop_assert_eq!(totals.current_bytes, live);
        let site = &read.sites[1].counters;
        prop_assert_eq!((site.allocations, site.bytes), (counted.allocations, counted.bytes));
        prop_assert_eq!((site.live, site.live_bytes), (held.len() as u64, totals.current_bytes));
        prop_assert_eq!(site.at_peak_bytes, counted.peak_bytes);
        prop_assert_eq!(site.own_peak_bytes, counted.peak_bytes);
        prop_assert_eq!(site.lifetimes.iter().sum::<u64>() + site.temporary, counted.frees);
        let class_bytes: u64 = read.classes.iter().map(|class| class.bytes).sum();
        prop_assert_eq!(class_bytes, counted.bytes);
        let threads: Vec<_> = read.threads.iter().map(|thread| thread.bytes).collect();
        let mine = if counted.allocations > 0 { &[counted.bytes][..] } else { &[] };
        prop_assert_eq!(&threads[..], mine);

        for (address, _) in held.drain(..) {
            engine.free(heap, address).expect("a block in use");
        }
        engine.detach(heap);
        let read = self::read(tracker);
        prop_assert_eq!(read.totals.current_bytes, 0);
        for thread in &read.threads {
            prop_assert!(thread.ended_ns.is_some());
            prop_assert_eq!(thread.frees, counted.allocations);
        }
    }
}

#[test]
fn a_block_that_is_resized_in_place_is_temporary_if_it_was_the_last() {
    let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
    let tracker = &engine.observer;
    tracker.open_ledger(LEN_MIN);
    let heap = engine.attach().expect("memory");
    tracker.record(super::Recorded::Sums);
    engine.follow_observer(heap);
    let request = |size| Request::plain(size, Registers::NOWHERE);
    let resize = |block, size| {
        assert_eq!(engine.reallocate(heap, block, request(size)).expect("a block in use"), block);
    };
    let temporary = || read(tracker).sites[1].counters.temporary;
    let (first, last) = (engine.allocate(heap, request(97)), engine.allocate(heap, request(97)));
    resize(last, 98);
    assert_eq!(temporary(), 1);
    resize(first, 99);
    assert_eq!(temporary(), 1, "another one was allocated after it");
    engine.free(heap, first).expect("a block in use");
    assert_eq!(temporary(), 2, "its resizing was the last allocation");
    engine.free(heap, last).expect("a block in use");
    assert_eq!(temporary(), 2);
}

/// A program whose counts are known, sampled: the estimates and their standard deviations.
fn sampled_run(mean: u64) -> (Snapshot, Counted) {
    let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
    let tracker = &engine.observer;
    tracker.open_ledger(LEN_MIN);
    tracker.record(super::Recorded::Samples(mean));
    let heap = engine.attach().expect("memory");
    engine.follow_observer(heap);
    let mut counted = Counted::default();
    for round in 0..40_000_usize {
        let size = [16, 24, 100, 700, 5000][round % 5];
        let address = engine.allocate(heap, Request::plain(size, Registers::NOWHERE));
        assert!(!address.is_null());
        counted.allocate(size);
        if round % 5 != 2 {
            engine.free(heap, address).expect("a block in use");
            counted.free(size);
        }
    }
    assert_eq!(engine.check(), 0);
    (read(tracker), counted)
}

#[test]
fn samples_estimate_the_truth() {
    let mut inside = 0;
    let (mut sum, mut runs) = (0.0, 0);
    let mut live_sum = 0.0;
    for _ in 0..20 {
        let (read, counted) = sampled_run(4096);
        let site = &read.sites[1].counters;
        assert!(site.samples > 1000, "{} samples", site.samples);
        for (estimate, error, truth) in [
            (site.allocations, site.allocations_error, counted.allocations),
            (site.bytes, site.bytes_error, counted.bytes),
        ] {
            let off = (estimate as f64 - truth as f64) / error;
            assert!(off.abs() < 5.0, "{estimate} ± {error} for {truth}");
            inside += usize::from(off.abs() < 2.0);
            sum += off;
            runs += 1;
        }
        // 8000 blocks of 100 bytes, 193 of which are samples: a standard deviation is 7.2 %.
        let live = (counted.allocations - counted.frees) as f64;
        let live_off = site.live as f64 / live - 1.0;
        assert!(live_off.abs() < 5.0 * 0.072, "{} for {live} live", site.live);
        live_sum += live_off;
    }
    // And that of the mean of twenty 1.6 %.
    assert!((live_sum / 20.0).abs() < 5.0 * 0.016, "the mean is off by {}", live_sum / 20.0);
    // Of forty, 38.2 are expected inside two standard deviations, and the mean near zero.
    assert!(inside >= 33, "{inside} of 40 are inside two standard deviations");
    assert!((sum / f64::from(runs)).abs() < 0.8, "the mean is off by {sum} in {runs}");
}

#[test]
fn full_and_sampled_and_full_again() {
    let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
    let tracker = &engine.observer;
    tracker.open_ledger(LEN_MIN);
    let heap = engine.attach().expect("memory");
    let mut blocks = Vec::new();
    for step in 0..60_usize {
        tracker.record(match step % 4 {
            0 => super::Recorded::Everything,
            1 => super::Recorded::Samples(512),
            2 => super::Recorded::Nothing,
            _ => super::Recorded::Samples(100_000),
        });
        engine.follow_observer(heap);
        for size in 0..500 {
            blocks.push(engine.allocate(heap, Request::plain(size * 3, Registers::NOWHERE)));
        }
        for _ in 0..400 {
            let block = blocks.swap_remove(step * 7 % blocks.len());
            engine.free(heap, block).expect("a block in use");
        }
        assert_eq!(engine.check(), 0);
    }
    for block in blocks {
        engine.free(heap, block).expect("a block in use");
    }
    assert_eq!(engine.check(), 0);
    let totals = read(tracker).totals;
    assert_eq!(totals.total_allocations, totals.total_deallocations);
    assert_eq!(totals.current_bytes, 0);
}

/// What the program did before may have left addresses anywhere.
#[test]
fn tracked_blocks_lie_where_nothing_was_before() {
    let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
    engine.observer.open_ledger(LEN_MIN);
    let heap = engine.attach().expect("memory");
    let sizes = || (0..200).map(|step| step * 997 % 200_000);
    let turn = || {
        let take = |size| engine.allocate(heap, Request::plain(size, Registers::NOWHERE));
        let blocks: Vec<_> = sizes().map(take).collect();
        blocks.iter().for_each(|block| engine.free(heap, *block).expect("a block in use"));
        blocks
    };
    let before = turn();
    engine.observer.record(super::Recorded::Everything);
    engine.follow_observer(heap);
    assert!(turn().iter().min() > before.iter().max());
    assert_eq!(engine.check(), 0);
    // The others take what is left.
    engine.observer.record(super::Recorded::Nothing);
    engine.follow_observer(heap);
    assert!(turn().iter().max() <= before.iter().max());
    assert_eq!(engine.check(), 0);
}

/// An engine that records everything, with a block of the unknown site freed `frees` times.
fn counting(frees: usize) -> (&'static Engine<Tracker>, &'static LocalHeap) {
    let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
    engine.observer.open_ledger(LEN_MIN);
    engine.observer.record(super::Recorded::Sums);
    let heap = engine.attach().expect("memory");
    engine.follow_observer(heap);
    turn_over(engine, heap, frees);
    (engine, heap)
}

fn turn_over(engine: &Engine<Tracker>, heap: &LocalHeap, count: usize) {
    for _ in 0..count {
        let block = engine.allocate(heap, Request::plain(8, Registers::NOWHERE));
        engine.free(heap, block).expect("a block in use");
    }
}

#[test]
fn counts_too_large_for_a_cell_are_carried() {
    let (engine, heap) = counting(1);
    let tracker = &engine.observer;
    let cell = &tracker.ledger.chunks.get(0).expect("a chunk").cells[1];
    // As after so many blocks; the others of the test carry once, and once more.
    for (low, carried) in [((1_u32 << 31) - 5, 0_u64), (u32::MAX - 4, 1)] {
        cell.allocations.store(low, Ordering::Relaxed);
        cell.frees.store(low, Ordering::Relaxed);
        let before = (carried << 31) + u64::from(low % (1 << 31));
        turn_over(engine, heap, 10);
        let site = &read(tracker).sites[1].counters;
        assert_eq!((site.allocations, site.frees, site.live), (before + 10, before + 10, 0));
    }
    turn_over(engine, heap, 1000);
    assert_eq!(read(tracker).sites[1].counters.temporary, 1021);
}

#[test]
fn counts_without_room_stay_where_they_are() {
    let (engine, heap) = counting(100);
    let tracker = &engine.observer;
    let cell = &tracker.ledger.chunks.get(0).expect("a chunk").cells[1];
    cell.wide.store(Cell::NO_ROOM, Ordering::Relaxed);
    turn_over(engine, heap, 1000);
    let site = read(tracker).sites[1].counters.clone();
    assert_eq!((site.allocations, site.frees, site.temporary), (1100, 1100, 127));
    hold(cell, 5 << 30);
    turn_over(engine, heap, 1);
    assert_eq!(read(tracker).sites[1].counters.own_peak_bytes, u64::from(Cell::LARGE - 1));
}

/// As after so many more bytes.
fn hold(cell: &Cell, more: u64) {
    cell.bytes.fetch_add(more, Ordering::Relaxed);
}

#[test]
fn peaks_too_large_for_a_cell_are_in_its_wide_record() {
    let (engine, heap) = counting(1);
    let tracker = &engine.observer;
    let header = tracker.ledger.header().expect("an open ledger");
    let cell = &tracker.ledger.chunks.get(0).expect("a chunk").cells[1];
    let peaks = || {
        header.shared.peak_epoch.fetch_add(1, Ordering::Relaxed);
        turn_over(engine, heap, 1);
        let site = &read(tracker).sites[1].counters;
        (site.at_peak_bytes, site.own_peak_bytes)
    };
    let mut held = 0;
    for more in [100, (1 << 31) - 101, 1, 5 << 30] {
        hold(cell, more);
        held += more;
        assert_eq!(peaks(), (held, held + 8));
    }
    cell.freed_bytes.fetch_add(held - 50, Ordering::Relaxed);
    assert_eq!(peaks(), (50, held + 8), "what fits again is in the cell");
    assert_ne!(cell.at_peak_bytes.load(Ordering::Relaxed), Cell::FAR);
}

#[test]
fn a_stack_keeps_its_site_whatever_it_calls() {
    let tracker: &Tracker = Box::leak(Box::new(Tracker::new()));
    tracker.open_ledger(LEN_MIN);
    let tree = tracker.tree();
    // Called before the stack's first block and after it: none, in a chain, in the table.
    let mut known = Vec::new();
    for (frame, (before, after)) in (1..)
        .zip([0, 1, 3, 4, 9].into_iter().flat_map(|before| [0, 1, 3, 9].map(|it| (before, it))))
    {
        let node = tree.child(ROOT, frame);
        let mut nodes: Vec<_> = (1..=before).map(|frame| tree.child(node, frame)).collect();
        let site = tree.site(node).expect("room");
        nodes.extend((before + 1..=before + after).map(|frame| tree.child(node, frame)));
        known.push((node, site));
        for (frame, child) in (1..).zip(nodes) {
            assert_eq!(tree.child(node, frame), child, "{before} and {after}");
            known.push((child, tree.site(child).expect("room")));
        }
    }
    for (node, site) in &known {
        assert_eq!(tree.site(*node), Some(*site));
        assert_eq!(
            tracker.ledger.sites.get(site.number()).expect("a site").node.load(Ordering::Relaxed),
            *node
        );
    }
    let mut numbers: Vec<_> = known.iter().map(|(_, site)| site.number()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), known.len(), "each has one of its own");
}
