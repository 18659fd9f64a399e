//! The memory routines, for Rust: [`crate::mem`] lists the ones for every day, this module all of
//! them, with those of the system that Heapsight grew from, and what serves.
//!
//! | there | here, and in C |
//! |---|---|
//! | `memcpySIMD` | [`memcpy_simd`], `heapsight_memcpy_simd` |
//! | `memsetSIMD` | [`memset_simd`], `heapsight_memset_simd` |
//! | `memcmpSIMD` | [`memcmp_simd`], `heapsight_memcmp_simd` |
//! | `memcpyFast` | [`memcpy_fast`], `heapsight_memcpy_fast` |
//! | `strlen` | [`strlen`], `heapsight_strlen` |
//! | `hasSimdSupport` | [`features`], `heapsight_features` |

pub use crate::runtime::simd::{Features, features};

use crate::runtime::simd::{routines, secure_zero_raw};
use core::cmp::Ordering;
use core::ffi::c_char;
use core::ops::Range;

/// Up to here a copy is made in place, by registers that every processor has.
const IN_PLACE: usize = 32;

/// Sixteen bytes that are moved at once. Of an array of two words the compiler makes two moves,
/// which takes half as long again.
#[cfg(target_arch = "x86_64")]
type Sixteen = core::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Sixteen = [u64; 2];

/// The pattern of eight equal bytes.
const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Copies `from` over `to`.
///
/// # Panics
/// When they are not equally long.
///
/// ```
/// let mut target = [0; 5];
/// heapsight::mem::copy(&mut target, b"bytes");
/// assert_eq!(&target, b"bytes");
/// ```
#[inline(always)]
pub fn copy(to: &mut [u8], from: &[u8]) {
    assert_eq!(to.len(), from.len(), "a copy is as long as what it is made of");
    // SAFETY: both slices are that long.
    unsafe { copy_raw(to.as_mut_ptr(), from.as_ptr(), to.len()) }
}

/// A length that the compiler knows, or a small one, needs no call.
///
/// # Safety
/// As `memmove`'s.
#[inline(always)]
unsafe fn copy_raw(to: *mut u8, from: *const u8, len: usize) {
    /// The two ends of a piece, which overlap in the middle.
    ///
    /// # Safety
    /// As [`copy_raw`], and `T` is at most `len` bytes.
    #[inline(always)]
    unsafe fn ends<T: Copy>(to: *mut u8, from: *const u8, len: usize) {
        let at = len - size_of::<T>();
        // SAFETY: the caller's.
        unsafe {
            let first = from.cast::<T>().read_unaligned();
            let last = from.add(at).cast::<T>().read_unaligned();
            to.cast::<T>().write_unaligned(first);
            to.add(at).cast::<T>().write_unaligned(last);
        }
    }
    // SAFETY: the caller's; each piece is at most `len` bytes.
    unsafe {
        if (16..=IN_PLACE).contains(&len) {
            ends::<Sixteen>(to, from, len);
        } else if len > IN_PLACE {
            routines().copy(to, from, len);
        } else if len >= 8 {
            ends::<u64>(to, from, len);
        } else if len >= 4 {
            ends::<u32>(to, from, len);
        } else if len >= 2 {
            ends::<u16>(to, from, len);
        } else if len == 1 {
            to.write(from.read());
        }
    }
}

/// Copies a part of `bytes` to another place in it.
///
/// # Panics
/// When either does not lie within `bytes`.
#[inline]
pub fn copy_within(bytes: &mut [u8], from: Range<usize>, to: usize) {
    let len = bytes[from.clone()].len();
    let target = bytes[to..to + len].as_mut_ptr();
    // SAFETY: both parts lie within the slice, by the lines above.
    unsafe { routines().copy(target, bytes.as_ptr().add(from.start), len) };
}

/// Copies `from` over `to`, past the caches: for what is large and will not be read soon. What the
/// caches hold stays there.
///
/// # Panics
/// When they are not equally long.
#[inline]
pub fn stream_copy(to: &mut [u8], from: &[u8]) {
    assert_eq!(to.len(), from.len(), "a copy is as long as what it is made of");
    // SAFETY: both slices are that long.
    unsafe { routines().stream(to.as_mut_ptr(), from.as_ptr(), to.len()) };
}

/// Fills with a byte.
#[inline]
pub fn fill(bytes: &mut [u8], byte: u8) {
    // SAFETY: the slice is that long.
    unsafe { routines().set(bytes.as_mut_ptr(), i32::from(byte), bytes.len()) };
}

/// Fills with a number of two bytes.
#[inline]
pub fn fill_u16(numbers: &mut [u16], number: u16) {
    let pattern = u64::from(number) * 0x0001_0001_0001_0001;
    // SAFETY: the slice is that long.
    unsafe { routines().fill(numbers.as_mut_ptr().cast(), pattern, size_of_val(numbers)) };
}

/// Fills with a number of four bytes.
#[inline]
pub fn fill_u32(numbers: &mut [u32], number: u32) {
    let pattern = u64::from(number) * 0x0000_0001_0000_0001;
    // SAFETY: the slice is that long.
    unsafe { routines().fill(numbers.as_mut_ptr().cast(), pattern, size_of_val(numbers)) };
}

/// Fills with a number of eight bytes.
#[inline]
pub fn fill_u64(numbers: &mut [u64], number: u64) {
    // SAFETY: the slice is that long.
    unsafe { routines().fill(numbers.as_mut_ptr().cast(), number, size_of_val(numbers)) };
}

/// Makes memory zero, and does so also if nobody reads it afterwards.
#[inline]
pub fn secure_zero(bytes: &mut [u8]) {
    // SAFETY: the slice is that long.
    unsafe { secure_zero_raw(bytes.as_mut_ptr(), bytes.len()) };
}

/// Which comes first, byte by byte, the shorter one first if one begins with the other.
#[inline]
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let len = a.len().min(b.len());
    // SAFETY: both slices are at least that long.
    let order = unsafe { routines().compare(a.as_ptr(), b.as_ptr(), len) };
    order.cmp(&0).then(a.len().cmp(&b.len()))
}

/// Whether both are the same bytes.
#[inline]
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    // SAFETY: both slices are that long.
    a.len() == b.len() && unsafe { routines().differs(a.as_ptr(), b.as_ptr(), a.len()) } == 0
}

/// The first offset at which they differ; that at which one ends if it is the beginning of the
/// other, and `None` if they are the same bytes.
///
/// ```
/// assert_eq!(heapsight::mem::first_difference(b"kitten", b"kitchen"), Some(3));
/// assert_eq!(heapsight::mem::first_difference(b"kit", b"kitten"), Some(3));
/// assert_eq!(heapsight::mem::first_difference(b"kit", b"kit"), None);
/// ```
#[inline]
#[must_use]
pub fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let len = a.len().min(b.len());
    // SAFETY: both slices are at least that long.
    let at = unsafe { routines().mismatch(a.as_ptr(), b.as_ptr(), len) };
    (at < len || a.len() != b.len()).then_some(at)
}

/// Where `byte` is for the first time.
#[inline]
#[must_use]
pub fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    // SAFETY: the slice is that long.
    let found = unsafe { routines().find(bytes.as_ptr(), byte.into(), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - bytes.as_ptr().addr())
}

/// Where `byte` is for the last time.
#[inline]
#[must_use]
pub fn find_last(bytes: &[u8], byte: u8) -> Option<usize> {
    // SAFETY: the slice is that long.
    let found = unsafe { routines().find_last(bytes.as_ptr(), byte.into(), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - bytes.as_ptr().addr())
}

/// Where something else than `byte` is for the first time.
///
/// ```
/// let mut poisoned = [0xaa_u8; 100];
/// assert!(heapsight::mem::is_filled(&poisoned, 0xaa));
/// poisoned[70] = 1;
/// assert_eq!(heapsight::mem::first_other(&poisoned, 0xaa), Some(70));
/// ```
#[inline]
#[must_use]
pub fn first_other(bytes: &[u8], byte: u8) -> Option<usize> {
    // SAFETY: the slice is that long.
    let at = unsafe { routines().verify(bytes.as_ptr(), repeated(byte), bytes.len()) };
    (at < bytes.len()).then_some(at)
}

/// Whether all bytes are `byte`.
#[inline]
#[must_use]
pub fn is_filled(bytes: &[u8], byte: u8) -> bool {
    first_other(bytes, byte).is_none()
}

/// The length of a C string.
///
/// # Safety
/// `text` is one.
#[inline]
#[must_use]
pub unsafe fn strlen(text: *const c_char) -> usize {
    // SAFETY: the caller's.
    unsafe { routines().length(text.cast()) }
}

/// [`copy`], by its old name.
///
/// # Panics
/// When they are not equally long.
#[inline(always)]
pub fn memcpy_simd(to: &mut [u8], from: &[u8]) {
    copy(to, from);
}

/// [`copy`], by its old name.
///
/// # Panics
/// When they are not equally long.
#[inline(always)]
pub fn memcpy_fast(to: &mut [u8], from: &[u8]) {
    copy(to, from);
}

/// [`fill`], by its old name.
#[inline]
pub fn memset_simd(bytes: &mut [u8], byte: u8) {
    fill(bytes, byte);
}

/// [`compare`] of two slices of one length, by its old name: negative, zero or positive.
///
/// # Panics
/// When they are not equally long.
#[inline]
#[must_use]
pub fn memcmp_simd(a: &[u8], b: &[u8]) -> i32 {
    assert_eq!(a.len(), b.len(), "compared bytes are equally many");
    // SAFETY: both slices are that long.
    unsafe { routines().compare(a.as_ptr(), b.as_ptr(), a.len()) }
}
