//! `heapsight_memcpy` and its family: memory routines with the signatures of libc's. These may be
//! called from signal handlers.

#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::mem::routines::x86::near;
use crate::runtime::options::Simd;
use crate::runtime::simd::{features, routines, secure_zero_raw, serving};
use core::ffi::{CStr, c_char, c_int, c_void};

/// The whole body of a function: its routine, not a jump away.
#[cfg(all(target_arch = "x86_64", not(miri)))]
macro_rules! enter {
    ($name:ident($($argument:expr),*)) => { near::enter!($name of crate::runtime::simd::ROUTINES) };
}
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
macro_rules! enter {
    ($name:ident($($argument:expr),*)) => {
        // SAFETY: the caller's.
        unsafe { routines().$name($($argument),*) as _ }
    };
}

/// The same of a fill with numbers: how they become eight bytes, in assembly and in Rust.
#[cfg(all(target_arch = "x86_64", not(miri)))]
macro_rules! enter_fill {
    ($prepare:literal, $to:ident, $pattern:expr, $len:expr) => {
        near::enter!(fill of crate::runtime::simd::ROUTINES, $prepare)
    };
}
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
macro_rules! enter_fill {
    ($prepare:literal, $to:ident, $pattern:expr, $len:expr) => {
        // SAFETY: the caller's.
        unsafe { routines().fill($to.cast(), $pattern, $len) }.cast()
    };
}

/// The pattern of eight equal bytes; as in C, of an `int` only the lowest byte counts.
const fn repeated(value: c_int) -> u64 {
    u64::from_ne_bytes([value as u8; 8])
}

/// Copies `len` bytes; returns `to`. Overlap does not matter.
///
/// # Safety
/// `from` is readable and `to` writable for `len` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memcpy(
    to: *mut c_void,
    from: *const c_void,
    len: usize,
) -> *mut c_void {
    enter!(copy(to.cast(), from.cast(), len))
}

/// Copies `len` bytes, overlapping or not; returns `to`.
///
/// # Safety
/// As `heapsight_memcpy`.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memmove(
    to: *mut c_void,
    from: *const c_void,
    len: usize,
) -> *mut c_void {
    enter!(copy(to.cast(), from.cast(), len))
}

/// Copies `len` bytes past the caches, for what is large and will not be read soon; returns `to`.
///
/// # Safety
/// As `heapsight_memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_stream_copy(
    to: *mut c_void,
    from: *const c_void,
    len: usize,
) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { routines().stream(to.cast(), from.cast(), len).cast() }
}

/// Fills `len` bytes with the byte `value`; returns `to`.
///
/// # Safety
/// `to` is writable for `len` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memset(
    to: *mut c_void,
    value: c_int,
    len: usize,
) -> *mut c_void {
    enter!(set(to.cast(), value, len))
}

/// Fills with `count` numbers of two bytes; returns `to`, which needs no alignment.
///
/// # Safety
/// `to` is writable for `2 * count` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memset16(
    to: *mut c_void,
    value: u16,
    count: usize,
) -> *mut c_void {
    enter_fill!(
        "movzx esi, si
         imul rsi, rsi, 0x10001
         mov r8, rsi
         shl r8, 32
         or rsi, r8
         add rdx, rdx",
        to,
        u64::from(value) * 0x0001_0001_0001_0001,
        2 * count
    )
}

/// Fills with `count` numbers of four bytes; returns `to`, which needs no alignment.
///
/// # Safety
/// `to` is writable for `4 * count` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memset32(
    to: *mut c_void,
    value: u32,
    count: usize,
) -> *mut c_void {
    enter_fill!(
        "mov esi, esi
         mov r8, rsi
         shl r8, 32
         or rsi, r8
         shl rdx, 2",
        to,
        u64::from(value) * 0x0000_0001_0000_0001,
        4 * count
    )
}

/// Fills with `count` numbers of eight bytes; returns `to`, which needs no alignment.
///
/// # Safety
/// `to` is writable for `8 * count` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memset64(
    to: *mut c_void,
    value: u64,
    count: usize,
) -> *mut c_void {
    enter_fill!("shl rdx, 3", to, value, 8 * count)
}

/// Makes `len` bytes zero, and does so also if nobody reads them afterwards.
///
/// # Safety
/// `to` is writable for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_secure_zero(to: *mut c_void, len: usize) {
    // SAFETY: the caller's.
    unsafe { secure_zero_raw(to.cast(), len) }
}

/// Negative, zero or positive, as the first of `len` bytes that differs is less in `a`, none does,
/// or it is greater.
///
/// # Safety
/// Both are readable for `len` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int {
    enter!(compare(a.cast(), b.cast(), len))
}

/// Zero if `len` bytes are equal.
///
/// # Safety
/// Both are readable for `len` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_bcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int {
    enter!(differs(a.cast(), b.cast(), len))
}

/// The offset of the first of `len` bytes that differs; `len` if none does.
///
/// # Safety
/// Both are readable for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_mismatch(
    a: *const c_void,
    b: *const c_void,
    len: usize,
) -> usize {
    // SAFETY: the caller's.
    unsafe { routines().mismatch(a.cast(), b.cast(), len) }
}

/// The first byte that is `value`, or null.
///
/// # Safety
/// `from` is readable up to that byte, or for `len` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memchr(
    from: *const c_void,
    value: c_int,
    len: usize,
) -> *mut c_void {
    enter!(find(from.cast(), value, len))
}

/// The last byte that is `value`, or null.
///
/// # Safety
/// `from` is readable for `len` bytes.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_memrchr(
    from: *const c_void,
    value: c_int,
    len: usize,
) -> *mut c_void {
    enter!(find_last(from.cast(), value, len))
}

/// The length of a C string.
///
/// # Safety
/// `text` is a C string.
#[unsafe(no_mangle)]
#[cfg_attr(all(target_arch = "x86_64", not(miri)), unsafe(naked))]
pub unsafe extern "C" fn heapsight_strlen(text: *const c_char) -> usize {
    enter!(length(text.cast()))
}

/// The offset of the first of `len` bytes that is not `value`; `len` if there is none. Tells
/// whether memory is still what it was filled with.
///
/// # Safety
/// `from` is readable for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_memother(
    from: *const c_void,
    value: c_int,
    len: usize,
) -> usize {
    // SAFETY: the caller's.
    unsafe { routines().verify(from.cast(), repeated(value), len) }
}

/// `heapsight_memcpy`, by its old name.
///
/// # Safety
/// As `heapsight_memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_memcpy_simd(
    to: *mut c_void,
    from: *const c_void,
    len: usize,
) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { heapsight_memcpy(to, from, len) }
}

/// `heapsight_memcpy`, by its old name.
///
/// # Safety
/// As `heapsight_memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_memcpy_fast(
    to: *mut c_void,
    from: *const c_void,
    len: usize,
) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { heapsight_memcpy(to, from, len) }
}

/// `heapsight_memset`, by its old name.
///
/// # Safety
/// As `heapsight_memset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_memset_simd(
    to: *mut c_void,
    value: c_int,
    len: usize,
) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { heapsight_memset(to, value, len) }
}

/// `heapsight_memcmp`, by its old name.
///
/// # Safety
/// As `heapsight_memcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_memcmp_simd(
    a: *const c_void,
    b: *const c_void,
    len: usize,
) -> c_int {
    // SAFETY: the caller's.
    unsafe { heapsight_memcmp(a, b, len) }
}

/// Which memory routines serve this process, and by which limits.
#[allow(non_camel_case_types, reason = "a C name")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct heapsight_features_t {
    /// Whose routines, as in the option `simd`; `"off"` stands for the platform's. Never freed.
    pub simd: *const c_char,
    /// Bytes of the data caches; zero where that is not known.
    pub cache_first: usize,
    /// Bytes of the second level.
    pub cache_second: usize,
    /// Bytes of the third level that one core can use.
    pub cache_third: usize,
    /// Up to so many bytes a copy goes by registers.
    pub copy_by_registers: usize,
    /// From so many bytes on a copy goes past the caches.
    pub copy_past_caches: usize,
    /// From so many bytes on a fill with a byte goes by the processor's own instruction.
    pub fill_by_string: usize,
    /// From so many bytes on a fill with a longer pattern goes past the caches.
    pub fill_past_caches: usize,
}

/// Which memory routines serve this process, and by which limits.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_features() -> heapsight_features_t {
    let features = features();
    let [cache_first, cache_second, cache_third] = features.caches;
    heapsight_features_t {
        simd: name().as_ptr(),
        cache_first,
        cache_second,
        cache_third,
        copy_by_registers: features.copy_by_registers,
        copy_past_caches: features.copy_past_caches,
        fill_by_string: features.fill_by_string,
        fill_past_caches: features.fill_past_caches,
    }
}

/// What serves, as a C string.
fn name() -> &'static CStr {
    match serving() {
        Simd::Auto | Simd::Off => c"off",
        Simd::Avx512 => c"avx512",
        Simd::Avx2 => c"avx2",
        Simd::Sse2 => c"sse2",
        Simd::Neon => c"neon",
    }
}
