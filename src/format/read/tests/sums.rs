//! Sums over shards and chunks, against the same sums made naively.

use super::from_bytes;
use crate::format::layout::{CHUNK_CELLS, Cell as Layout, LIVES};
use crate::format::snapshot::Counters;
use crate::format::testing::{
    Cell, Chunk, Event, Flow, Ledger, Module, Node, Point, Shard, Site, TextPlace, Thread, Wide,
};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

const SITES: usize = 150;
const EPOCH: u32 = 9;

/// What a chunk and a wide record have of a site.
#[derive(Clone, Copy, Debug)]
struct OneCell {
    cell: Cell,
    wide: Option<Wide>,
}

prop_compose! {
    fn any_wide()(
        carries in prop::array::uniform2(0_u64..3),
        counts in prop::array::uniform2(0_u64..9),
        variance in 0_u32..1000,
        peaks in prop::array::uniform3(0_i64..1 << 40),
        lives in prop::array::uniform16(0_u64..5),
    ) -> Wide {
        Wide {
            allocations: carries[0],
            frees: carries[1],
            reallocations: counts[0],
            samples: counts[1],
            variance_blocks: f64::from(variance).to_bits(),
            variance_bytes: f64::from(variance * 2).to_bits(),
            own_peak_bytes: peaks[0],
            at_peak_bytes: peaks[1],
            at_peak_blocks: peaks[2],
            lives,
        }
    }
}

prop_compose! {
    fn any_cell()(
        blocks in prop::array::uniform2(0_u32..1000),
        bytes in prop::array::uniform2(0_u64..1000),
        signed in prop::array::uniform2(-1000_i32..1000),
        own_peak in 0_u32..1000,
        far in prop::array::uniform3(prop::bool::weighted(0.2)),
        settled in any::<bool>(),
        last in 0_u16..1000,
        lives in prop::array::uniform16(0_u8..128),
        wide in prop::option::of(any_wide()),
        late in any::<bool>(),
    ) -> OneCell {
        let at_peak = |index: usize| if far[index] { Layout::FAR } else { signed[index] };
        // The lowest carried bit is also the count's highest; its record may be one behind.
        let overlap = |carried: u64| (carried + u64::from(late)) & 1;
        let block = |index: usize, carried: u64| blocks[index] | (overlap(carried) as u32) << 31;
        let carried = wide.unwrap_or_default();
        let is_carried = |value: u64| if wide.is_some() { value } else { u64::from(late) };
        let life = |index: usize| {
            lives[index] | (overlap(is_carried(carried.lives[index])) as u8) << 7
        };
        let cell = Cell {
            allocations: block(0, is_carried(carried.allocations)),
            frees: block(1, is_carried(carried.frees)),
            bytes: bytes[0],
            freed_bytes: bytes[1],
            own_peak_bytes: if far[2] { Layout::LARGE } else { own_peak },
            at_peak_bytes: at_peak(0),
            at_peak_blocks: at_peak(1),
            peak_epoch: if settled { EPOCH } else { EPOCH - 1 },
            wide: 0,
            last_clock: f32::from(last).to_bits(),
            lives: core::array::from_fn(life),
        };
        OneCell { cell, wide }
    }
}

type Cells = (u32, Vec<OneCell>);

fn any_chunk() -> impl Strategy<Value = Cells> {
    let group = 0..SITES.div_ceil(CHUNK_CELLS) as u32;
    (group, prop::collection::vec(any_cell(), 0..=CHUNK_CELLS))
}

/// The chunk of these cells, whose wide records are appended.
fn chunk((group, cells): &Cells, wides: &mut Vec<Wide>) -> Chunk {
    let cell = |one: &OneCell| {
        let number = one.wide.map_or(0, |_| wides.len() as u32);
        wides.extend(one.wide);
        Cell { wide: number, ..one.cell }
    };
    Chunk {
        shard: 1,
        first_site: group * CHUNK_CELLS as u32,
        cells: cells.iter().map(cell).collect(),
    }
}

impl OneCell {
    /// A count: what was carried is right, or one too low.
    fn count(&self, low: u64, bits: u32, carried: fn(&Wide) -> u64) -> u64 {
        let unit = 1_u64 << (bits - 1);
        let carried = self.wide.as_ref().map_or(0, carried);
        let is_behind = (low >= unit) != (carried % 2 == 1);
        (carried + u64::from(is_behind)) * unit + low % unit
    }

    fn allocations(&self) -> u64 {
        self.count(self.cell.allocations.into(), 32, |wide| wide.allocations)
    }

    fn frees(&self) -> u64 {
        self.count(self.cell.frees.into(), 32, |wide| wide.frees)
    }

    fn life(&self, index: usize) -> u64 {
        let carried = self.wide.map_or(0, |wide| wide.lives[index]);
        let low = u64::from(self.cell.lives[index]);
        let is_behind = (low >= 128) != (carried % 2 == 1);
        (carried + u64::from(is_behind)) * 128 + low % 128
    }

    /// A value at the peak: the cell's, or its wide record's if that has it.
    fn at_peak(narrow: i32, wide: Option<i64>) -> i64 {
        if narrow == i32::MIN { wide.unwrap_or(0) } else { narrow.into() }
    }

    fn own_peak_bytes(&self) -> u64 {
        match self.cell.own_peak_bytes {
            u32::MAX => self.wide.map_or(0, |wide| wide.own_peak_bytes as u64),
            narrow => narrow.into(),
        }
    }

    fn is_used(&self) -> bool {
        let reallocations = self.wide.map_or(0, |wide| wide.reallocations);
        [self.allocations(), self.cell.bytes, self.frees(), self.cell.freed_bytes] != [0; 4]
            || reallocations > 0
    }
}

/// The sums of a site's cells, as the documentation has them.
fn sum(cells: &[OneCell], first_ns: u64) -> Counters {
    let cells: Vec<_> = cells.iter().filter(|one| one.is_used()).collect();
    let of = |field: fn(&OneCell) -> u64| cells.iter().map(|one| field(one)).sum::<u64>();
    let wide = |field: fn(&Wide) -> u64| {
        cells.iter().filter_map(|one| one.wide.as_ref()).map(field).sum::<u64>()
    };
    let signed = |field: fn(&OneCell) -> i64| {
        u64::try_from(cells.iter().map(|one| field(one)).sum::<i64>()).unwrap_or(0)
    };
    let variance = |field: fn(&Wide) -> u64| {
        let wides = cells.iter().filter_map(|one| one.wide.as_ref());
        wides.map(|wide| f64::from_bits(field(wide))).sum::<f64>().sqrt()
    };
    let life = |index: usize| cells.iter().map(|one| one.life(index)).sum();
    let live = |one: &OneCell| one.allocations() as i64 - one.frees() as i64;
    let live_bytes = |one: &OneCell| one.cell.bytes as i64 - one.cell.freed_bytes as i64;
    Counters {
        allocations: of(OneCell::allocations),
        bytes: of(|one| one.cell.bytes),
        frees: of(OneCell::frees),
        freed_bytes: of(|one| one.cell.freed_bytes),
        live: signed(live),
        live_bytes: signed(live_bytes),
        own_peak_bytes: of(OneCell::own_peak_bytes),
        at_peak: signed(|one| match one.cell.peak_epoch {
            EPOCH => {
                OneCell::at_peak(one.cell.at_peak_blocks, one.wide.map(|it| it.at_peak_blocks))
            }
            _ => one.allocations() as i64 - one.frees() as i64,
        }),
        at_peak_bytes: signed(|one| match one.cell.peak_epoch {
            EPOCH => OneCell::at_peak(one.cell.at_peak_bytes, one.wide.map(|it| it.at_peak_bytes)),
            _ => one.cell.bytes as i64 - one.cell.freed_bytes as i64,
        }),
        reallocations: wide(|wide| wide.reallocations),
        temporary: life(0),
        lifetimes: if cells.is_empty() { vec![] } else { (1..LIVES).map(life).collect() },
        first_ns,
        last_ns: cells
            .iter()
            .map(|one| f32::from_bits(one.cell.last_clock) as u64)
            .max()
            .unwrap_or(0),
        samples: wide(|wide| wide.samples),
        allocations_error: variance(|wide| wide.variance_blocks),
        bytes_error: variance(|wide| wide.variance_bytes),
    }
}

/// A ledger of one tick and one allocated byte to the nanosecond, that ran for `ns` of them.
fn ledger(ns: u64) -> Ledger {
    let mut ledger = Ledger::new();
    ledger.header.tick_later = ns;
    ledger.header.nanoseconds_later = ns;
    ledger.header.shared.clock = ns;
    ledger.header.shared.peak_epoch = EPOCH;
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sites_are_sums_of_their_cells(chunks in prop::collection::vec(any_chunk(), 0..8)) {
        let mut ledger = ledger(5000);
        ledger.nodes = vec![Node::default(); SITES];
        let site = |number: usize| Site { node: 0, first_clock: (number as f32).to_bits() };
        ledger.sites = (0..SITES).map(site).collect();
        ledger.chunks = chunks.iter().map(|one| chunk(one, &mut ledger.wides)).collect();
        let read = from_bytes(&ledger.bytes()).expect("a ledger");
        for (number, site) in read.sites.iter().enumerate() {
            let cell = |(group, cells): &Cells| {
                let first = *group as usize * CHUNK_CELLS;
                cells.get(number.checked_sub(first)?).copied()
            };
            let cells: Vec<_> = chunks.iter().filter_map(cell).collect();
            prop_assert_eq!(&site.counters, &sum(&cells, number as u64), "site {}", number);
        }
    }

    #[test]
    fn classes_and_totals_are_sums_over_shards(
        flows in prop::collection::vec(prop::collection::vec(any::<[u32; 4]>(), 1..128), 0..5),
        peaks in any::<[u32; 2]>(),
    ) {
        let flow = |[allocations, bytes, frees, freed_bytes]: [u32; 4]| Flow {
            allocations: allocations.into(),
            bytes: bytes.into(),
            frees: frees.into(),
            freed_bytes: freed_bytes.into(),
        };
        let mut ledger = ledger(0);
        ledger.class_sizes = (1..=128).rev().collect();
        ledger.header.shared.peak_bytes = peaks[0].into();
        ledger.header.shared.peak_blocks = peaks[1].into();
        ledger.shards = flows.iter().map(|flows| Shard {
            classes: flows.iter().copied().map(flow).collect(),
            temporary: 3,
            reallocations: 5,
            ..Shard::default()
        }).collect();
        let read = from_bytes(&ledger.bytes()).expect("a ledger");
        let shards = flows.len() as i64;
        let totals = read.totals;
        let every = || flows.iter().flatten();
        let sum = |field: usize| every().map(|flow| u64::from(flow[field])).sum::<u64>();
        prop_assert_eq!(totals.total_allocations, sum(0));
        prop_assert_eq!(totals.bytes_deallocated, sum(3));
        prop_assert_eq!(totals.current_bytes, sum(1).saturating_sub(sum(3)));
        prop_assert_eq!(totals.current_allocations, sum(0).saturating_sub(sum(2)));
        prop_assert_eq!(totals.peak_bytes, totals.current_bytes.max(peaks[0].into()));
        prop_assert_eq!(totals.peak_allocations, totals.current_allocations.max(peaks[1].into()));
        prop_assert_eq!(totals.temporary as i64, 3 * shards);
        prop_assert_eq!(totals.reallocations as i64, 5 * shards);
        let of_classes: u64 = read.classes.iter().map(|class| class.bytes).sum();
        let unused: u64 = (0..128).filter(|class| {
            flows.iter().all(|flows| flows.get(*class).is_none_or(|flow| flow[0] == 0))
        }).flat_map(|class| flows.iter().filter_map(move |flows| flows.get(class)))
            .map(|flow| u64::from(flow[1])).sum();
        prop_assert_eq!(of_classes + unused, sum(1));
        prop_assert!(read.classes.is_sorted_by_key(|class| class.block_size));
    }
}

#[test]
fn a_thread_has_what_its_shard_counted_while_it_was_its() {
    let flow = |allocations| Flow { allocations, ..Flow::default() };
    let thread = |id, shard, ended_tick, first, last| Thread {
        id,
        shard,
        ended_tick,
        first: flow(first),
        last: flow(last),
        ..Thread::default()
    };
    let mut ledger = ledger(1000);
    ledger.threads.extend([
        thread(10, 0, 5, 0, 7),
        // Never said that it ended, as a parent's thread in a forked child.
        thread(11, 1, 0, 0, 0),
        thread(12, 1, 0, 30, 0),
        thread(13, 0, 0, 8, 0),
        thread(14, 77, 0, 0, 0),
    ]);
    let shard = |allocations| Shard { classes: vec![flow(allocations)], ..Shard::default() };
    ledger.shards = vec![shard(100), shard(200)];
    let read = from_bytes(&ledger.bytes()).expect("a ledger");
    let allocations: Vec<_> = read.threads.iter().map(|thread| thread.allocations).collect();
    assert_eq!(allocations, [7, 30, 170, 92, 0]);
    assert_eq!(read.threads[0].ended_ns, Some(5));
}

#[test]
fn references_that_lead_nowhere_are_none() {
    let mut ledger = ledger(10);
    ledger.nodes.extend([
        Node { parent: 2, frame: 0, ..Node::default() },
        Node { parent: 1, frame: 99, ..Node::default() },
    ]);
    ledger.sites.push(Site { node: 3, first_clock: 0 });
    ledger.modules = vec![
        Module { path: TextPlace { offset: 3, len: 2 }, build_id_len: 33, ..Module::default() },
        Module { path: TextPlace { offset: u32::MAX, len: u32::MAX }, ..Module::default() },
    ];
    ledger.strings = b"abc\xffd".into();
    ledger.events = vec![
        Event { kind: 2, thread: 9, text: TextPlace { offset: 4, len: 2 }, ..Event::default() },
        Event { kind: 99, ..Event::default() },
    ];
    let read = from_bytes(&ledger.bytes()).expect("a ledger");
    assert_eq!((read.nodes[1].parent, read.nodes[2].parent, read.nodes[2].frame), (0, 1, 0));
    assert_eq!(read.sites[2].node, 0);
    assert_eq!((read.modules[0].path.as_str(), read.modules[1].path.as_str()), ("\u{fffd}d", ""));
    assert!(read.modules[0].build_id.is_empty());
    assert_eq!(read.events.len(), 1);
}

#[test]
fn a_timeline_that_is_being_thinned_is_in_order() {
    let mut ledger = ledger(100);
    let ticks = [10, 30, 50, 70, 50, 60, 70, 80];
    ledger.points = ticks.map(|tick| Point { tick, ..Point::default() }).into();
    let read = from_bytes(&ledger.bytes()).expect("a ledger");
    let times: Vec<_> = read.timeline.iter().map(|point| point.ns).collect();
    assert_eq!(times, [10, 30, 50, 70, 80]);
}
