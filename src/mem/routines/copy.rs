//! Copying, overlapping or not: `memcpy` is `memmove`.
//!
//! ```text
//!   up to  1 register     the instance's shortcut, or steps of 8, 4, 2, 1
//!   up to  8 registers    all loads, then all stores: 2, 4 or 8 of them, overlap in the middle
//!   up to  half of L1     four registers a turn, the target aligned
//!   up to  L2             the processor's own `rep movsb`, if it has a fast one
//!   up to  3/8 of L3      the same where registers have 64 bytes and both are aligned alike; or
//!                         four registers a turn, fetched ahead
//!   beyond                past the caches: a line that is overwritten whole need not be read
//! ```
//!
//! Everything is loaded before anything is stored that could lie on it, so overlap needs no other
//! treatment than a loop that runs backwards.

use super::limits::Limits;
use super::vector::{Far, Vector, four, get, opaque, put, put_four, row};

/// # Safety
/// `len` bytes from `from` on may be read, from `to` on written; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn copy<V: Far>(
    to: *mut u8,
    from: *const u8,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    let b = V::BYTES;
    // SAFETY: the caller's; every offset is below `len`, by a register at least.
    unsafe {
        if len <= b {
            V::copy_small(to, from, len);
        } else if len <= 2 * b {
            let (first, last) = (V::load(from), V::load(from.add(len - b)));
            V::store(to, first);
            V::store(to.add(len - b), last);
        } else if len <= 4 * b {
            let at = [0, b, len - 2 * b, len - b];
            put_four(to, at, four::<V>(from, at));
        } else if len <= 8 * b {
            let (front, back) = (row::<V>(0), row::<V>(len - 4 * b));
            let values = (four::<V>(from, front), four::<V>(from, back));
            put_four(to, front, values.0);
            put_four(to, back, values.1);
        } else {
            return long::<V>(to, from, len, limits);
        }
    }
    to
}

/// Up to a register, by overlapping pieces of the next smaller power of two.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub(super) unsafe fn by_steps<V: Vector>(to: *mut u8, from: *const u8, len: usize) {
    /// # Safety
    /// As [`copy`], and `T` is at most `len` bytes.
    #[inline(always)]
    unsafe fn ends<T: Copy>(to: *mut u8, from: *const u8, len: usize) {
        let at = len - size_of::<T>();
        // SAFETY: the caller's.
        unsafe {
            let (first, last) = (get::<T>(from), get::<T>(from.add(at)));
            put(to, first);
            put(to.add(at), last);
        }
    }
    // SAFETY: the caller's; each piece is at most `len` bytes.
    unsafe {
        if V::BYTES > 32 && len > 32 {
            let at = [0, 16, len - 32, len - 16];
            put_four(to, at, four::<V::Short>(from, at));
        } else if V::BYTES > 16 && len >= 16 {
            let (first, last) = (V::Short::load(from), V::Short::load(from.add(len - 16)));
            V::Short::store(to, first);
            V::Short::store(to.add(len - 16), last);
        } else if len >= 8 {
            ends::<u64>(to, from, len);
        } else if len >= 4 {
            ends::<u32>(to, from, len);
        } else if len != 0 {
            // One, two or three: the first, the middle and the last are all.
            let at = [0, len / 2, len - 1];
            let bytes = at.map(|at| get::<u8>(from.add(at)));
            put(to, bytes[0]);
            put(to.add(at[1]), bytes[1]);
            put(to.add(at[2]), bytes[2]);
        }
    }
}

/// # Safety
/// As [`copy`], with more than eight registers.
#[inline(always)]
pub(super) unsafe fn long<V: Far>(
    to: *mut u8,
    from: *const u8,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    // How far the target lies behind the source, around the end of the address space.
    let ahead = to.addr().wrapping_sub(from.addr());
    // SAFETY: the caller's.
    unsafe {
        if ahead < len {
            if ahead != 0 {
                backward::<V>(to, from, len);
            }
        } else if len > limits.copy_loop() {
            return V::copy_far(to, from, len, limits);
        } else if is_behind(ahead) && ahead.wrapping_neg() >= len {
            backward::<V>(to, from, len);
        } else {
            forward::<V, false>(to, from, len);
        }
    }
    to
}

/// Whether the source lies up to four lines ahead of the target, pages aside. A loop that runs
/// forwards loads there what looks, by its low bits, like what it has just stored, and waits for
/// the store; one that runs backwards does not.
#[inline(always)]
fn is_behind(ahead: usize) -> bool {
    ahead.wrapping_neg() & (4096 - 256) == 0
}

/// More than the first-level cache holds twice, or than was asked for yet; the target does not
/// begin within the source.
///
/// # Safety
/// As [`copy`], with more than eight registers.
#[inline(always)]
pub(super) unsafe fn far<V: Far>(
    to: *mut u8,
    from: *const u8,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    limits.learn();
    let ahead = to.addr().wrapping_sub(from.addr());
    let is_aligned = ahead.is_multiple_of(64);
    // SAFETY: the caller's.
    unsafe {
        if len <= limits.copy_loop() || ahead.wrapping_neg() < len {
            forward::<V, false>(to, from, len);
        } else if len >= limits.copy_stream() {
            stream::<V>(to, from, len);
        } else if limits.copies_by_string(len, is_aligned, V::BYTES >= 64) && !is_close(to, from) {
            by_string::<V>(to, from, len);
        } else if limits.copy_prefetches(len) {
            forward::<V, true>(to, from, len);
        } else {
            forward::<V, false>(to, from, len);
        }
    }
    to
}

/// Whether the target lies less than a line ahead of the source, pages aside: there `rep movsb`
/// sees its own stores in front of its loads on some processors, and takes thirty times as long
/// (Zen 3).
#[inline(always)]
fn is_close(to: *mut u8, from: *const u8) -> bool {
    let ahead = to.addr().wrapping_sub(from.addr()) % 4096;
    ahead != 0 && ahead < 64
}

/// Bytes from here on are fetched while a large copy runs.
const AHEAD: usize = 1024;

/// # Safety
/// As [`long`]; the target does not begin within the source.
#[inline(always)]
unsafe fn forward<V: Vector, const FETCHES: bool>(to: *mut u8, from: *const u8, len: usize) {
    let b = V::BYTES;
    // SAFETY: the caller's. What the loop could overwrite of the ends is loaded before it; the loop
    // itself stores behind what it has loaded.
    unsafe {
        let head = V::load(from);
        let end = len - 4 * b;
        let tail = four::<V>(from, row::<V>(end));
        let mut at = b - to.addr() % b;
        while at < end {
            if FETCHES {
                fetch(from.wrapping_add(at + AHEAD), to.wrapping_add(at + AHEAD), 4 * b);
            }
            put_four(to, row::<V>(at), four::<V>(from, row::<V>(at)));
            at = opaque(at + 4 * b);
        }
        put_four(to, row::<V>(end), tail);
        V::store(to, head);
    }
}

/// The mirror image: the target begins within the source.
///
/// # Safety
/// As [`long`].
#[inline(always)]
unsafe fn backward<V: Vector>(to: *mut u8, from: *const u8, len: usize) {
    let b = V::BYTES;
    // SAFETY: as in `forward`.
    unsafe {
        let head = four::<V>(from, row::<V>(0));
        let tail = V::load(from.add(len - b));
        let over = (to.addr() + len) % b;
        let mut at = len - if over == 0 { b } else { over };
        while at > 4 * b {
            at -= 4 * b;
            put_four(to, row::<V>(at), four::<V>(from, row::<V>(at)));
            at = opaque(at);
        }
        put_four(to, row::<V>(0), head);
        V::store(to.add(len - b), tail);
    }
}

/// Has lines fetched, to read and to write.
#[inline(always)]
fn fetch(from: *const u8, to: *const u8, len: usize) {
    let mut at = 0;
    while at < len {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: hints, which never fault.
        unsafe {
            use core::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(at).cast());
            _mm_prefetch::<_MM_HINT_ET0>(to.wrapping_add(at).cast());
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let _ = (from, to);
        at += 64;
    }
}

/// By the processor's own instruction, which knows how to own lines without reading them.
///
/// # Safety
/// As [`long`], without overlap.
#[inline(always)]
unsafe fn by_string<V: Vector>(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the caller's: a line at least comes before the first aligned one's end.
    unsafe {
        let mut at = 0;
        while at < 64 {
            V::store(to.add(at), V::load(from.add(at)));
            at = opaque(at + V::BYTES);
        }
        let skip = 64 - to.addr() % 64;
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        core::arch::asm!("rep movsb", inout("rcx") len - skip => _, inout("rdi") to.add(skip) => _,
            inout("rsi") from.add(skip) => _, options(nostack, preserves_flags));
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        forward::<V, false>(to.add(skip), from.add(skip), len - skip);
    }
}

/// Past the caches, in lines that are written whole. Overlap is copied, but not so.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub(super) unsafe fn stream<V: Vector>(to: *mut u8, from: *const u8, len: usize) {
    let b = V::BYTES;
    // SAFETY: the caller's, as in `forward`; the loop's targets are aligned.
    unsafe {
        let end = len - 4 * b;
        let head = four::<V>(from, row::<V>(0));
        let tail = four::<V>(from, row::<V>(end));
        put_four(to, row::<V>(0), head);
        let mut at = 4 * b - to.addr() % (4 * b);
        while at < end {
            let values = four::<V>(from, row::<V>(at));
            V::stream(to.add(at), values[0]);
            V::stream(to.add(at + b), values[1]);
            V::stream(to.add(at + 2 * b), values[2]);
            V::stream(to.add(at + 3 * b), values[3]);
            at = opaque(at + 4 * b);
        }
        fence();
        put_four(to, row::<V>(end), tail);
    }
}

/// From so many bytes on `stream_copy` goes past the caches.
const STREAM_MIN: usize = 4096;

/// [`copy`], whose target will not be read soon.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub(super) unsafe fn stream_copy<V: Far>(
    to: *mut u8,
    from: *const u8,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    let ahead = to.addr().wrapping_sub(from.addr());
    let is_apart = ahead >= len && ahead.wrapping_neg() >= len;
    // SAFETY: the caller's.
    unsafe {
        if len >= STREAM_MIN && is_apart {
            stream::<V>(to, from, len);
            to
        } else {
            copy::<V>(to, from, len, limits)
        }
    }
}

/// What went past the caches comes before what follows.
#[inline(always)]
pub(super) fn fence() {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: an instruction that every processor of the kind has.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}
