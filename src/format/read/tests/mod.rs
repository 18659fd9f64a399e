//! What is written is what is read; and whatever is read, the reader survives.

mod any;
mod document;
mod refusals;
mod sums;

use super::{ReadError, from_bytes, read};
use crate::format::layout::HEADER_LEN;
use crate::format::snapshot::{Snapshot, Tracking};
use crate::format::testing::{Ledger, noise};
use any::any_snapshot;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::vec::Vec;
use std::{env, format, process};

/// What is derived from other things, from `read`.
fn with_derived(wanted: &Snapshot, read: &Snapshot) -> Snapshot {
    let tracking = Tracking {
        ledger_bytes: read.tracking.ledger_bytes,
        lifetime_edges_bytes: read.tracking.lifetime_edges_bytes.clone(),
        ..wanted.tracking.clone()
    };
    let mut derived = Snapshot { tracking, ..wanted.clone() };
    for (site, read) in derived.sites.iter_mut().zip(&read.sites) {
        let (own, read) = (&mut site.counters, &read.counters);
        for (time, read) in [(&mut own.first_ns, read.first_ns), (&mut own.last_ns, read.last_ns)] {
            // Records have them to 24 bits.
            if time.abs_diff(read) <= 1 + (*time >> 23) {
                *time = read;
            }
        }
    }
    derived
}

/// A file that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("heapsight-{}-{name}", process::id()));
        fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("a file");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_reads_as_its_bytes_do() {
    let mut ledger = Ledger::of(&any::rich_snapshot());
    // Several portions of chunks.
    ledger.room = 100;
    let chunk = ledger.chunks[0].clone();
    ledger.chunks.extend((0..200).map(|_| chunk.clone()));
    let bytes = ledger.bytes();
    let file = Scratch::new("whole", &bytes);
    let from_file = read(&file.0).expect("a ledger");
    assert_eq!(from_file, from_bytes(&bytes).expect("a ledger"));
    assert_eq!(from_file.sites[2].counters.allocations, 201 * 40);
}

/// Writes that a damaged disk or an enemy may make: where, as parts of the length, and what.
fn any_damage() -> impl Strategy<Value = Vec<(u32, u64, u8)>> {
    let value = prop_oneof![
        any::<u64>(),
        0_u64..70_000,
        Just(u64::MAX),
        Just(u64::from(u32::MAX)),
        Just(1 << 63),
        Just(f64::NAN.to_bits()),
    ];
    prop::collection::vec((any::<u32>(), value, 0_u8..16), 1..24)
}

fn damaged(mut bytes: Vec<u8>, damage: &[(u32, u64, u8)]) -> Vec<u8> {
    for (place, value, kind) in damage {
        // Half of the damage is to the header: sections, texts, clocks.
        let range = if kind % 2 == 0 { 1600.min(bytes.len()) } else { bytes.len() };
        let len = [1, 2, 4, 8][usize::from(kind / 4)];
        let at = (*place as usize % range.max(1)) & !(len - 1);
        if let Some(into) = bytes.get_mut(at..at + len) {
            into.copy_from_slice(&value.to_le_bytes()[..len]);
        }
        if kind / 2 == 7 {
            bytes.truncate(HEADER_LEN + *place as usize % bytes.len().max(1));
        }
    }
    bytes
}

/// All that a viewer does first.
fn walk(snapshot: &Snapshot) {
    assert!(snapshot.sites.len() >= 2);
    for site in &snapshot.sites {
        assert!((site.node as usize) < snapshot.nodes.len());
        assert!(site.counters.live <= i64::MAX.cast_unsigned());
        assert!(site.counters.bytes_error >= 0.0 && site.counters.allocations_error >= 0.0);
    }
    for (index, node) in snapshot.nodes.iter().enumerate() {
        assert!((node.parent as usize) < index.max(1));
        assert!((node.frame as usize) < snapshot.frames.len());
    }
    for module in snapshot.frames.iter().filter_map(|frame| frame.module) {
        assert!(module < snapshot.modules.len());
    }
    for node in 0..snapshot.nodes.len() as u32 {
        assert!(snapshot.stack(node).count() < snapshot.nodes.len().max(1));
    }
    assert!(snapshot.timeline.is_sorted_by_key(|point| point.ns));
    assert!(snapshot.events.is_sorted_by_key(|event| event.ns));
    let _ = snapshot.live_by_class();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_read(wanted in any_snapshot(), room in 0_u32..50) {
        let mut ledger = Ledger::of(&wanted);
        ledger.room = room;
        let read = from_bytes(&ledger.bytes()).expect("a good ledger");
        prop_assert_eq!(&with_derived(&wanted, &read), &read);
        walk(&read);
    }

    #[test]
    fn every_beginning_of_a_ledger_is_refused_or_read(wanted in any_snapshot(), part in 0.0..1.0) {
        let bytes = Ledger::of(&wanted).bytes();
        let len = (bytes.len() as f64 * part) as usize;
        match from_bytes(&bytes[..len]) {
            Err(ReadError::Truncated { expected, found }) => {
                prop_assert!(found == len as u64 && expected > found);
            }
            Err(ReadError::Empty | ReadError::NotALedger { .. }) => prop_assert!(len < 8),
            // All that is in use is there.
            Ok(read) => prop_assert_eq!(read, from_bytes(&bytes).expect("whole")),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn damage_is_survived() {
    let ledgers = [Snapshot::default(), any::rich_snapshot()].map(|one| Ledger::of(&one).bytes());
    let config = ProptestConfig { cases: 4096, max_shrink_iters: 64, ..ProptestConfig::default() };
    proptest!(config, |(damage in any_damage(), which in 0_usize..2)| {
        if let Ok(snapshot) = from_bytes(&damaged(ledgers[which].clone(), &damage)) {
            walk(&snapshot);
        }
    });
}

#[test]
fn noise_behind_a_good_header_is_survived() {
    let config = ProptestConfig { cases: 512, max_shrink_iters: 64, ..ProptestConfig::default() };
    let bytes = prop_oneof![3 => 0_u8..6, 1 => any::<u8>()];
    proptest!(config, |(data in prop::collection::vec(bytes, 0..1200))| {
        match from_bytes(&noise(&data)) {
            Ok(snapshot) => walk(&snapshot),
            Err(error) => prop_assert!(matches!(error, ReadError::Damaged { .. }), "{error}"),
        }
    });
}
