//! Copies and fills, compared with what a plain loop leaves in the whole arena.

use super::arena::{Arena, scribbled};
use super::{Routines, places, sizes};
use std::vec::Vec;

/// Patterns: bytes, and eight different ones.
const PATTERN: u64 = 0x8877_6655_4433_2211;

pub(super) fn small(of: &Routines) {
    let (source, target) = (Arena::new(), Arena::new());
    let (from, clean) = (source.scribble(1), target.scribble(2));
    for len in sizes() {
        for (index, at) in places(len).into_iter().enumerate() {
            let other = places(len)[(index * 7 + len) % places(len).len()];
            let mut expected = clean.clone();
            expected[at..at + len].copy_from_slice(&from[other..other + len]);
            for copy in [of.copy, of.stream] {
                // SAFETY: both pieces lie in their arenas.
                let back = unsafe { copy(target.at(at), source.at(other), len, &of.limits) };
                assert_eq!(back, target.at(at));
                assert!(target.bytes() == expected, "copy of {len} from {other} to {at}");
                target.bytes()[at..at + len].copy_from_slice(&clean[at..at + len]);
            }
            for (is_byte, pattern) in [(true, u64::from_ne_bytes([0xa5; 8])), (false, PATTERN)] {
                for (k, byte) in expected[at..at + len].iter_mut().enumerate() {
                    *byte = pattern.to_le_bytes()[k % 8];
                }
                // SAFETY: the piece lies in the arena.
                unsafe { of.fill_with(is_byte, target.at(at), pattern, len) };
                assert!(target.bytes() == expected, "fill of {len} at {at}");
                // SAFETY: as above.
                let found = unsafe { (of.verify)(target.at(at), pattern, len, &of.limits) };
                assert_eq!(found, len, "verify at {at}");
                for wrong in [0, len / 2, len.wrapping_sub(1)].into_iter().filter(|k| *k < len) {
                    target.bytes()[at + wrong] ^= 0x40;
                    // SAFETY: as above.
                    let found = unsafe { (of.verify)(target.at(at), pattern, len, &of.limits) };
                    assert_eq!(found, wrong, "verify of {len} at {at}");
                    target.bytes()[at + wrong] ^= 0x40;
                }
            }
            target.bytes()[at..at + len].copy_from_slice(&clean[at..at + len]);
        }
    }
}

pub(super) fn overlapping(of: &Routines) {
    let arena = Arena::new();
    let clean = arena.scribble(3);
    let shifts = [0, 1, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 200, 511, 1000, 3900, 4095];
    // A way that is taken because of low bits alone would show where the pages are others.
    let more_than_a_page = [4500, 5003];
    let sizes = sizes().into_iter().filter(|len| *len < 160 || len % 5 == 0);
    for len in sizes.chain(more_than_a_page) {
        for shift in shifts {
            for (from, to) in [(0, shift), (shift, 0)] {
                for base in [0, Arena::LEN - len - shift, 64 - (shift + from) % 64] {
                    let (from, to) = (base + from, base + to);
                    let mut expected = clean.clone();
                    expected.copy_within(from..from + len, to);
                    // SAFETY: both pieces lie in the arena.
                    unsafe { (of.copy)(arena.at(to), arena.at(from), len, &of.limits) };
                    assert!(arena.bytes() == expected, "{len} bytes from {from} to {to}");
                    arena.bytes().copy_from_slice(&clean);
                }
            }
        }
    }
}

/// Where the ways part depends on the machine: here it depends on caches that nobody has.
pub(super) fn large(of: &Routines) {
    const MOST: usize = 80 << 10;
    const ROOM: usize = 256;
    let source: Vec<u8> = (0..MOST + 2 * ROOM).map(|at| scribbled(at, 4)).collect();
    let clean: Vec<u8> = (0..MOST + 2 * ROOM).map(|at| scribbled(at, 5)).collect();
    let mut target = clean.clone();
    for has_strings in [false, true] {
        for [first, second, third] in
            [[16 << 10, 20 << 10, 1 << 30], [32 << 10, 1 << 30, 0], [0, 20 << 10, 48 << 10]]
        {
            of.limits.set_strings(has_strings);
            of.limits.set(first, second, third);
            for len in [16384, 16385, 18000, 20481, 24577, 33333, 49999, 65536, MOST - 3] {
                for (from, to) in [(0, 0), (64, 64), (13, 39), (1, 0), (0, 63)] {
                    let mut expected = clean.clone();
                    expected[to..to + len].copy_from_slice(&source[from..from + len]);
                    // SAFETY: both pieces lie in their vectors.
                    unsafe {
                        let (to, from) = (target.as_mut_ptr().add(to), source.as_ptr().add(from));
                        (of.copy)(to, from, len, &of.limits);
                    }
                    assert!(target == expected, "copy of {len} from {from} to {to}");
                    for (is_byte, pattern) in
                        [(true, u64::from_ne_bytes([0xa5; 8])), (false, PATTERN)]
                    {
                        for (k, byte) in expected[to..to + len].iter_mut().enumerate() {
                            *byte = pattern.to_le_bytes()[k % 8];
                        }
                        // SAFETY: as above.
                        unsafe { of.fill_with(is_byte, target.as_mut_ptr().add(to), pattern, len) };
                        assert!(target == expected, "fill of {len} at {to}");
                    }
                    target.copy_from_slice(&clean);
                }
                for (from, to) in [(0, 100), (100, 0), (0, len / 2), (0, len - 1), (len - 1, 0)] {
                    let mut both = clean.clone();
                    both.extend_from_slice(&source);
                    let mut expected = both.clone();
                    expected.copy_within(from..from + len, to);
                    // SAFETY: both pieces lie in the vector.
                    unsafe {
                        let start = both.as_mut_ptr();
                        (of.copy)(start.add(to), start.add(from), len, &of.limits);
                    }
                    assert!(both == expected, "overlapping copy of {len} from {from} to {to}");
                }
            }
        }
    }
}
