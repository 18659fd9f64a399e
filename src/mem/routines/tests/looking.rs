//! Comparisons and searches, with what is looked for at every place that could be special.

use super::arena::Arena;
use super::{Routines, places, sizes};
use core::ptr;
use std::vec::Vec;

/// Offsets within `len` bytes at which something may go wrong.
fn spots(len: usize) -> Vec<usize> {
    let step = 1 + len / 12;
    let mut all: Vec<_> = (0..len).step_by(step).collect();
    let ways_part = [1, 7, 8, 15, 16, 31, 32, 63, 64, 65, 95, 96, 127, 128, 159, 160, 161, 256];
    all.extend(ways_part.iter().filter(|k| **k < len));
    all.extend((1..=9).filter_map(|k| len.checked_sub(k)));
    all
}

pub(super) fn compare(of: &Routines) {
    let (left, right) = (Arena::new(), Arena::new());
    left.bytes().fill(0x33);
    right.bytes().fill(0x33);
    for len in sizes().into_iter().filter(|len| *len < 200 || len % 3 == 0) {
        let step = if len < 70 { 1 } else { 3 };
        for (index, at) in places(len).into_iter().enumerate().step_by(step) {
            let other = places(len)[(index * 3 + len) % places(len).len()];
            let (a, b) = (left.at(at), right.at(other));
            // SAFETY: both pieces lie in their arenas.
            let [order, differs] =
                [of.compare, of.differs].map(|f| unsafe { f(a, b, len, &of.limits) });
            // SAFETY: as above.
            let place = unsafe { (of.mismatch)(a, b, len, &of.limits) };
            assert_eq!((order, differs, place), (0, 0, len), "{len} equal bytes");
            for spot in spots(len) {
                for change in [0x80, 0x01] {
                    left.bytes()[at + spot] ^= change;
                    // SAFETY: as above.
                    let alone = unsafe { (of.differs)(a, b, len, &of.limits) };
                    assert_ne!(alone, 0, "{len} bytes that differ at {spot} alone");
                    // Only the first difference counts.
                    right.bytes()[other + len - 1] ^= if spot + 1 < len { 0xff } else { 0 };
                    let expected =
                        left.bytes()[at..at + len].cmp(&right.bytes()[other..other + len]) as i32;
                    // SAFETY: as above.
                    let [order, differs] =
                        [of.compare, of.differs].map(|f| unsafe { f(a, b, len, &of.limits) });
                    // SAFETY: as above.
                    let place = unsafe { (of.mismatch)(a, b, len, &of.limits) };
                    assert_eq!(order.signum(), expected, "{len} bytes that differ at {spot}");
                    assert_ne!(differs, 0, "{len} bytes that differ at {spot}");
                    assert_eq!(place, spot, "{len} bytes that differ at {spot}");
                    left.bytes()[at + spot] = 0x33;
                    right.bytes()[other + len - 1] = 0x33;
                }
            }
        }
    }
}

pub(super) fn find(of: &Routines) {
    let arena = Arena::new();
    for (filler, wanted) in [(1u8, 0u8), (0, 1), (0x80, 0x81)] {
        // What lies outside is what is looked for, and must not be found.
        arena.bytes().fill(wanted);
        for len in sizes().into_iter().filter(|len| *len < 100 || len % 7 == 0) {
            for at in places(len).into_iter().skip(len % 2).step_by(2) {
                let piece = at..at + len;
                arena.bytes()[piece.clone()].fill(filler);
                let from = arena.at(at);
                // SAFETY: the piece lies in the arena.
                let [first, last] = [of.find, of.find_last]
                    .map(|f| unsafe { f(from, wanted.into(), len, &of.limits) });
                assert!(first.is_null() && last.is_null(), "{len} others at {at}");
                for spot in spots(len) {
                    arena.bytes()[at + spot] = wanted;
                    // SAFETY: as above.
                    let [first, last] = [of.find, of.find_last]
                        .map(|f| unsafe { f(from, wanted.into(), len, &of.limits) });
                    assert_eq!(first, ptr::from_ref(&arena.bytes()[at + spot]), "{len} at {at}");
                    assert_eq!(last, first, "{len} at {at}");
                    if wanted == 0 {
                        // SAFETY: there is a zero.
                        assert_eq!(unsafe { (of.length)(from, &of.limits) }, spot);
                    }
                    let behind = len - 1;
                    arena.bytes()[at + behind] = wanted;
                    arena.bytes()[at] = wanted;
                    // SAFETY: as above.
                    let [first, last] = [of.find, of.find_last]
                        .map(|f| unsafe { f(from, wanted.into(), len, &of.limits) });
                    assert_eq!(first, from.cast_const(), "{len} at {at}");
                    assert_eq!(last, from.wrapping_add(behind).cast_const(), "{len} at {at}");
                    arena.bytes()[piece.clone()].fill(filler);
                }
                arena.bytes()[piece].fill(wanted);
            }
        }
    }
}

/// `memchr` may be told of more than there is, and a string ends before a hole.
pub(super) fn beyond(of: &Routines) {
    let arena = Arena::new();
    arena.bytes().fill(7);
    arena.bytes()[Arena::LEN - 1] = 0;
    for back in 1..=600 {
        let from = arena.at(Arena::LEN - back);
        for len in [back, back + 1, back + 4096, usize::MAX / 2, usize::MAX] {
            // SAFETY: what is looked for is the last byte.
            let found = unsafe { (of.find)(from, 0, len, &of.limits) };
            assert_eq!(
                found,
                arena.at(Arena::LEN - 1).cast_const(),
                "{back} bytes before the hole"
            );
        }
        // SAFETY: there is a zero.
        assert_eq!(unsafe { (of.length)(from, &of.limits) }, back - 1);
    }
    arena.bytes()[0] = 9;
    for len in 1..=600 {
        // SAFETY: the piece lies in the arena.
        let found = unsafe { (of.find_last)(arena.at(0), 9, len, &of.limits) };
        assert_eq!(found, arena.at(0).cast_const(), "{len} bytes behind the hole");
    }
}
