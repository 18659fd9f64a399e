//! Is memory still what it was filled with? For poison, canaries, and pages that should be zero.

use super::vector::{Vector, first, four, get, opaque, row, turned};

/// The offset of the first byte that is not the pattern's, or `len`.
///
/// # Safety
/// `len` bytes may be read; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn verify<V: Vector>(from: *const u8, pattern: u64, len: usize) -> usize {
    let size = V::BYTES;
    // SAFETY: the caller's; every offset is below `len`, by a register at least.
    unsafe {
        if len <= size {
            return V::verify_small(from, pattern, len);
        }
        let wanted = V::splat(pattern);
        let mut at = 0;
        while len - at > 4 * size {
            let all = four::<V>(from, row::<V>(at));
            let front = V::or(V::xor(all[0], wanted), V::xor(all[1], wanted));
            let back = V::or(V::xor(all[2], wanted), V::xor(all[3], wanted));
            if V::is_any(V::or(front, back)) {
                break;
            }
            at = opaque(at + 4 * size);
        }
        while len - at > size {
            let found = V::others(V::xor(V::load(from.add(at)), wanted));
            if found != 0 {
                return at + first::<V>(found);
            }
            at += size;
        }
        let at = len - size;
        match V::others(V::xor(V::load(from.add(at)), V::splat(turned(pattern, at)))) {
            0 => len,
            found => at + first::<V>(found),
        }
    }
}

/// Up to a register.
///
/// # Safety
/// As [`verify`].
#[inline(always)]
pub(super) unsafe fn by_steps<V: Vector>(from: *const u8, pattern: u64, len: usize) -> usize {
    // SAFETY: the caller's; each piece is at most `len` bytes.
    unsafe {
        let mut at = 0;
        while len - at >= 8 {
            let other = get::<u64>(from.add(at)) ^ pattern;
            if other != 0 {
                return at + other.trailing_zeros() as usize / 8;
            }
            at = opaque(at + 8);
        }
        if len >= 8 && at < len {
            // The last eight, of which some were equal before.
            let last = len - 8;
            let other = get::<u64>(from.add(last)) ^ turned(pattern, last);
            return if other == 0 { len } else { last + other.trailing_zeros() as usize / 8 };
        }
        while at < len && get::<u8>(from.add(at)) == turned(pattern, at) as u8 {
            at = opaque(at + 1);
        }
        at
    }
}
