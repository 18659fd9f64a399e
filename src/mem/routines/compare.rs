//! Comparing: one walk, three answers.
//!
//! Keys that are sorted differ early, and their bytes may be cold: the first eight are compared as
//! numbers before any register is filled. What is long is compared four registers a turn, one test
//! a turn; only where that says "somewhere here" are they looked at one by one.

use super::vector::{Vector, first, four, get, opaque, row};
use core::cmp::Ordering;

/// What is asked about two pieces of memory.
pub(super) trait Answer {
    type Out;
    /// Whether it does not matter where they differ.
    const ANYWHERE: bool;
    /// All `len` bytes are equal.
    fn equal(len: usize) -> Self::Out;
    /// These words, read at offset `at`, are not, and everything before them is.
    fn words(a: u64, b: u64, at: usize) -> Self::Out;
    /// The bytes at offset `at` are the first that differ, or the first somewhere (`ANYWHERE`).
    ///
    /// # Safety
    /// Both may be read there.
    unsafe fn bytes(a: *const u8, b: *const u8, at: usize) -> Self::Out;
}

/// Which comes first? Less than, equal to, or greater than zero, as `memcmp` says it.
pub(super) struct Order;
/// Do they differ at all?
pub(super) struct Differs;
/// Where do they? At `len`, if nowhere.
pub(super) struct Place;

impl Answer for Order {
    type Out = i32;
    const ANYWHERE: bool = false;

    #[inline(always)]
    fn equal(_: usize) -> i32 {
        0
    }

    #[inline(always)]
    fn words(a: u64, b: u64, _: usize) -> i32 {
        match a.swap_bytes().cmp(&b.swap_bytes()) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    #[inline(always)]
    unsafe fn bytes(a: *const u8, b: *const u8, at: usize) -> i32 {
        // SAFETY: the caller's.
        unsafe { i32::from(a.add(at).read()) - i32::from(b.add(at).read()) }
    }
}

impl Answer for Differs {
    type Out = bool;
    const ANYWHERE: bool = true;

    #[inline(always)]
    fn equal(_: usize) -> bool {
        false
    }

    #[inline(always)]
    fn words(_: u64, _: u64, _: usize) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn bytes(_: *const u8, _: *const u8, _: usize) -> bool {
        true
    }
}

impl Answer for Place {
    type Out = usize;
    const ANYWHERE: bool = false;

    #[inline(always)]
    fn equal(len: usize) -> usize {
        len
    }

    #[inline(always)]
    fn words(a: u64, b: u64, at: usize) -> usize {
        at + (a ^ b).trailing_zeros() as usize / 8
    }

    #[inline(always)]
    unsafe fn bytes(_: *const u8, _: *const u8, at: usize) -> usize {
        at
    }
}

/// # Safety
/// `len` bytes of both may be read; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn compare<V: Vector, A: Answer>(
    a: *const u8,
    b: *const u8,
    len: usize,
) -> A::Out {
    let size = V::BYTES;
    // SAFETY: the caller's; every offset is below `len`, by what is read there.
    unsafe {
        if len <= size {
            return by_steps::<V, A>(a, b, len);
        }
        if !A::ANYWHERE {
            let (x, y) = (get::<u64>(a), get::<u64>(b));
            if x != y {
                return A::words(x, y, 0);
            }
        }
        if len <= 4 * size {
            if A::ANYWHERE {
                return any_of_four::<V, A>(a, b, len);
            }
            let mut at = 0;
            while at < len - size {
                let found = differing::<V>(a, b, at);
                if found != 0 {
                    return A::bytes(a, b, at + first::<V>(found));
                }
                at += size;
            }
            return at_most_one::<V, A>(a, b, len);
        }
        long::<V, A>(a, b, len)
    }
}

/// Which bytes of the registers at an offset differ.
///
/// # Safety
/// As [`compare`].
#[inline(always)]
unsafe fn differing<V: Vector>(a: *const u8, b: *const u8, at: usize) -> u64 {
    // SAFETY: the caller's.
    unsafe { V::others(both::<V>(a, b, at)) }
}

/// Zero where the registers at an offset agree.
///
/// # Safety
/// As [`compare`].
#[inline(always)]
unsafe fn both<V: Vector>(a: *const u8, b: *const u8, at: usize) -> V {
    // SAFETY: the caller's.
    unsafe { V::xor(V::load(a.add(at)), V::load(b.add(at))) }
}

/// The last register of both; what comes before is equal.
///
/// # Safety
/// As [`compare`], with a register at least.
#[inline(always)]
unsafe fn at_most_one<V: Vector, A: Answer>(a: *const u8, b: *const u8, len: usize) -> A::Out {
    // SAFETY: the caller's.
    unsafe {
        let at = len - V::BYTES;
        match differing::<V>(a, b, at) {
            0 => A::equal(len),
            found => A::bytes(a, b, at + first::<V>(found)),
        }
    }
}

/// One to four registers, and one test.
///
/// # Safety
/// As [`compare`], with a register at least.
#[inline(always)]
unsafe fn any_of_four<V: Vector, A: Answer>(a: *const u8, b: *const u8, len: usize) -> A::Out {
    let size = V::BYTES;
    // SAFETY: the caller's; offsets are clamped.
    unsafe {
        let mut all = V::or(both::<V>(a, b, 0), both::<V>(a, b, len - size));
        if len > 2 * size {
            let middle = V::or(both::<V>(a, b, size), both::<V>(a, b, len - 2 * size));
            all = V::or(all, middle);
        }
        if V::is_any(all) { A::bytes(a, b, 0) } else { A::equal(len) }
    }
}

/// # Safety
/// As [`compare`], with more than four registers.
#[inline(always)]
unsafe fn long<V: Vector, A: Answer>(a: *const u8, b: *const u8, len: usize) -> A::Out {
    let size = V::BYTES;
    // SAFETY: the caller's; the last turn is moved back to end at the end.
    unsafe {
        let found = differing::<V>(a, b, 0);
        if found != 0 {
            return A::bytes(a, b, first::<V>(found));
        }
        let end = len - 4 * size;
        let mut at = (size - a.addr() % size).min(end);
        loop {
            let (x, y) = (four::<V>(a, row::<V>(at)), four::<V>(b, row::<V>(at)));
            let pairs =
                [V::xor(x[0], y[0]), V::xor(x[1], y[1]), V::xor(x[2], y[2]), V::xor(x[3], y[3])];
            if V::is_any(V::or(V::or(pairs[0], pairs[1]), V::or(pairs[2], pairs[3]))) {
                if A::ANYWHERE {
                    return A::bytes(a, b, 0);
                }
                let mut k = 0;
                while k < 3 {
                    let found = V::others(pairs[k]);
                    if found != 0 {
                        return A::bytes(a, b, at + k * size + first::<V>(found));
                    }
                    k += 1;
                }
                return A::bytes(a, b, at + 3 * size + first::<V>(V::others(pairs[3])));
            }
            if at == end {
                return A::equal(len);
            }
            at = opaque((at + 4 * size).min(end));
        }
    }
}

/// Up to a register.
///
/// # Safety
/// As [`compare`].
#[inline(always)]
pub(super) unsafe fn by_steps<V: Vector, A: Answer>(
    a: *const u8,
    b: *const u8,
    len: usize,
) -> A::Out {
    /// The two ends, as numbers.
    ///
    /// # Safety
    /// As [`compare`], and `T` is at most `len` bytes.
    #[inline(always)]
    unsafe fn ends<T: Copy + Into<u64>, A: Answer>(
        a: *const u8,
        b: *const u8,
        len: usize,
    ) -> A::Out {
        let at = len - size_of::<T>();
        // SAFETY: the caller's.
        unsafe {
            let (x, y) = (get::<T>(a).into(), get::<T>(b).into());
            if x != y {
                return A::words(x, y, 0);
            }
            let (x, y) = (get::<T>(a.add(at)).into(), get::<T>(b.add(at)).into());
            if x == y { A::equal(len) } else { A::words(x, y, at) }
        }
    }
    // SAFETY: the caller's; each piece is at most `len` bytes.
    unsafe {
        if V::BYTES > 16 && len > 16 {
            let (x, y) = (get::<u64>(a), get::<u64>(b));
            if x != y {
                return A::words(x, y, 0);
            }
            let mut at = 0;
            while at < len - 16 {
                let found = differing::<V::Short>(a, b, at);
                if found != 0 {
                    return A::bytes(a, b, at + first::<V::Short>(found));
                }
                at += 16;
            }
            at_most_one::<V::Short, A>(a, b, len)
        } else if len >= 8 {
            ends::<u64, A>(a, b, len)
        } else if len >= 4 {
            ends::<u32, A>(a, b, len)
        } else if len >= 2 {
            ends::<u16, A>(a, b, len)
        } else if len == 1 {
            ends::<u8, A>(a, b, len)
        } else {
            A::equal(len)
        }
    }
}

/// Whether they differ.
///
/// # Safety
/// As [`compare`].
#[inline(always)]
pub(super) unsafe fn differs<V: Vector>(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe {
        i32::from(if len <= V::BYTES {
            V::differs_small(a, b, len)
        } else {
            compare::<V, Differs>(a, b, len)
        })
    }
}
