//! The timeline: how much was in use, moment by moment.
//!
//! Whoever records a block after a point is due writes it. When the section is full every second
//! point is dropped and the interval doubled: a bounded number of points covers any run, and no
//! stretch of it in more detail than another.

use super::ledger::Ledger;
use crate::base::sync::{AtomicI64, AtomicU64, Ordering};
use crate::format::layout::{Header, Point};
use crate::os::{clock, process};

/// Ticks between points, at first: some five milliseconds.
const FIRST_INTERVAL: u64 = 1 << 13;

/// Writes a point if one is due. Of several threads that find it due, one does. `clock` is the
/// allocation clock.
pub(super) fn record_if_due(ledger: &Ledger, clock: u64) {
    let Some(header) = ledger.header() else { return };
    let now = clock::ticks();
    let is_due = || now >= header.shared.next_point.load(Ordering::Relaxed);
    if !is_due() {
        return;
    }
    if let Some(_lock) = ledger.lock().acquire()
        && is_due()
    {
        record(ledger, header, now, clock);
    }
}

fn record(ledger: &Ledger, header: &Header, now: u64, clock: u64) {
    if header.point_ticks.load(Ordering::Relaxed) == 0 {
        header.point_ticks.store(FIRST_INTERVAL, Ordering::Relaxed);
    }
    ledger.adjust_clock();
    if ledger.points.is_full() {
        thin_out(ledger);
        let interval = header.point_ticks.load(Ordering::Relaxed);
        header.point_ticks.store(interval * 2, Ordering::Relaxed);
    }
    let sums = ledger.sums();
    let before = ledger.points.len().checked_sub(1).and_then(|last| ledger.points.get(last));
    let before = before.map_or(0, |point| point.clock.load(Ordering::Relaxed));
    ledger.points.append(|point| {
        point.tick.store(now, Ordering::Relaxed);
        point.clock.store(clock, Ordering::Relaxed);
        point.bytes.store(sums.bytes, Ordering::Relaxed);
        point.blocks.store(sums.blocks, Ordering::Relaxed);
        point.resident.store(process::resident_bytes(), Ordering::Relaxed);
        point.allocations.store(sums.allocations, Ordering::Relaxed);
        let high = header.shared.high_bytes(before, sums.bytes);
        point.high_bytes.store(high, Ordering::Relaxed);
    });
    let next = now + header.point_ticks.load(Ordering::Relaxed);
    header.shared.next_point.store(next, Ordering::Relaxed);
}

/// Keeps every second point. A reader that looks meanwhile sees some of them twice at most.
fn thin_out(ledger: &Ledger) {
    let count = ledger.points.len();
    for index in 0..count / 2 {
        let (Some(to), Some(first), Some(second)) = (
            ledger.points.get(index),
            ledger.points.get(index * 2),
            ledger.points.get(index * 2 + 1),
        ) else {
            break;
        };
        let high = high_of(first).max(high_of(second));
        copy(second, to);
        to.high_bytes.store(high, Ordering::Relaxed);
    }
    ledger.points.truncate(count / 2);
}

fn high_of(point: &Point) -> i64 {
    point.high_bytes.load(Ordering::Relaxed)
}

fn copy(from: &Point, to: &Point) {
    let word = |from: &AtomicU64, to: &AtomicU64| {
        to.store(from.load(Ordering::Relaxed), Ordering::Relaxed)
    };
    let signed = |from: &AtomicI64, to: &AtomicI64| {
        to.store(from.load(Ordering::Relaxed), Ordering::Relaxed)
    };
    word(&from.tick, &to.tick);
    word(&from.clock, &to.clock);
    signed(&from.bytes, &to.bytes);
    signed(&from.blocks, &to.blocks);
    word(&from.resident, &to.resident);
    word(&from.allocations, &to.allocations);
}
