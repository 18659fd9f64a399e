//! One suite, stamped over every instance: sizes × alignments × overlap × the edges of pages that
//! may be touched, against loops that a reader believes at once.
//!
//! Instances that this processor lacks are skipped, but what they share is not: `wide` runs every
//! path of 64-byte registers, shortcuts included, on plain bytes, and `neon` runs aarch64's
//! instance on intrinsics that are spelled out in [`aarch64`].

#[cfg(not(target_arch = "aarch64"))]
pub(super) mod aarch64;
mod arena;
mod bytes;
mod copying;
mod looking;
mod wide;

#[cfg(target_arch = "x86_64")]
use super::dispatch::Tier;
use super::instance;
use super::limits::Limits;
use super::platform::Platform;
use arena::Arena;
use std::vec::Vec;

type Move = unsafe extern "C" fn(*mut u8, *const u8, usize, &Limits) -> *mut u8;
type Fill = unsafe extern "C" fn(*mut u8, u64, usize, &Limits) -> *mut u8;
type Set = unsafe extern "C" fn(*mut u8, i32, usize, &Limits) -> *mut u8;
type Compare = unsafe extern "C" fn(*const u8, *const u8, usize, &Limits) -> i32;
type Mismatch = unsafe extern "C" fn(*const u8, *const u8, usize, &Limits) -> usize;
type Find = unsafe extern "C" fn(*const u8, i32, usize, &Limits) -> *const u8;
type Length = unsafe extern "C" fn(*const u8, &Limits) -> usize;
type Verify = unsafe extern "C" fn(*const u8, u64, usize, &Limits) -> usize;

/// The routines of one instance.
struct Routines {
    copy: Move,
    stream: Move,
    set: Set,
    fill: Fill,
    compare: Compare,
    differs: Compare,
    mismatch: Mismatch,
    find: Find,
    find_last: Find,
    length: Length,
    verify: Verify,
    limits: Limits,
}

impl Routines {
    /// Fills with a pattern, whose bytes are all the same if `is_byte`.
    ///
    /// # Safety
    /// As either routine.
    unsafe fn fill_with(&self, is_byte: bool, to: *mut u8, pattern: u64, len: usize) {
        // What is not the lowest byte does not count.
        let byte = (pattern as i32) | !0xff;
        // SAFETY: the caller's.
        let back = unsafe {
            if is_byte {
                (self.set)(to, byte, len, &self.limits)
            } else {
                (self.fill)(to, pattern, len, &self.limits)
            }
        };
        assert_eq!(back, to);
    }
}

macro_rules! routines_of {
    ($($module:ident)::+) => {{
        use $($module)::+ as of;
        Routines {
            copy: of::copy,
            stream: of::stream,
            set: of::set,
            fill: of::fill,
            compare: of::compare,
            differs: of::differs,
            mismatch: of::mismatch,
            find: of::find,
            find_last: of::find_last,
            length: of::length,
            verify: of::verify,
            limits: Limits::new(Platform::unknown()),
        }
    }};
}

macro_rules! stamp {
    ($name:ident, $has:expr, $($module:ident)::+) => {
        mod $name {
            use super::*;

            fn routines() -> Option<Routines> {
                $has.then(|| routines_of!($($module)::+))
            }

            #[test]
            fn copies_and_fills_as_plain_loops_do() {
                routines().as_ref().map(copying::small);
            }

            #[test]
            fn overlap_is_no_matter() {
                routines().as_ref().map(copying::overlapping);
            }

            #[test]
            fn every_way_of_copying_and_filling_much_is_the_same() {
                routines().as_ref().map(copying::large);
            }

            #[test]
            fn differences_are_found_wherever_they_are() {
                routines().as_ref().map(looking::compare);
            }

            #[test]
            fn bytes_are_found_wherever_they_are() {
                routines().as_ref().map(looking::find);
            }

            #[test]
            fn nothing_is_read_behind_what_is_found() {
                routines().as_ref().map(looking::beyond);
            }
        }
    };
}

stamp!(words, true, instance::words);
stamp!(wide_bytes, true, wide::wide);
#[cfg(not(target_arch = "aarch64"))]
stamp!(neon_spelled_out, true, aarch64::neon);
#[cfg(target_arch = "aarch64")]
stamp!(neon, true, instance::neon);
#[cfg(target_arch = "x86_64")]
stamp!(sse2, Tier::Sse2.is_there(), instance::sse2);
#[cfg(target_arch = "x86_64")]
stamp!(avx2, Tier::Avx2.is_there(), near);
#[cfg(target_arch = "x86_64")]
stamp!(avx2_algorithms, Tier::Avx2.is_there(), instance::avx2);
#[cfg(target_arch = "x86_64")]
stamp!(avx512, Tier::Avx512.is_there(), instance::avx512);

/// What serves with AVX2: the ways in, and what has none.
#[cfg(target_arch = "x86_64")]
mod near {
    pub(super) use super::super::x86::near::{
        compare, copy, differs, fill, find, find_last, length, set,
    };
    pub(super) use super::instance::avx2::{mismatch, stream, verify};
}

/// Every small size, and those around what may be a threshold.
fn sizes() -> Vec<usize> {
    let around = [512usize, 576, 640, 768, 1024, 1536, 2048, 3072, 4096];
    let mut all: Vec<_> = (0..=330).chain((330..4096).step_by(97)).collect();
    all.extend(around.iter().flat_map(|size| size - 2..=size + 2).filter(|size| *size <= 4096));
    all.sort_unstable();
    all.dedup();
    all
}

/// Where a piece of `len` bytes may begin in an arena: close to the hole before it, close to the
/// one behind it, and around the seam of two pages.
fn places(len: usize) -> Vec<usize> {
    let end = Arena::LEN - len;
    let mut all = std::vec![0, 1, 13, 63, end, end - 1, end - 7, end - 63];
    let seam = 4096;
    all.extend([seam - len / 2, seam - 1, seam - 33, seam - 130]);
    all
}
