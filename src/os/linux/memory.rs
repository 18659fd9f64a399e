//! Pages: reserve → commit → purge → release, and moving them without copying.

use super::file;
use super::syscall::call;
use core::ptr::{self, NonNull};

/// The page size this floor rounds to. The kernel's may be larger (16 or 64 KiB on aarch64); all
/// requests come in 64 KiB slices, which every supported page size divides.
pub(crate) const PAGE: usize = 4096;

/// Reserves `len` bytes of addresses aligned to `align`, inaccessible and not charged to memory.
pub(crate) fn reserve(len: usize, align: usize) -> Option<NonNull<u8>> {
    let padded = len.checked_add(align)?;
    let start = map(padded)?;
    let aligned = start.as_ptr() as usize;
    let offset = aligned.wrapping_neg() & (align - 1);
    // SAFETY: `offset <= align`, inside the padded mapping.
    let base = unsafe { start.add(offset) };
    trim(start, offset);
    // SAFETY: `offset + len <= padded`.
    trim(unsafe { base.add(len) }, align - offset);
    Some(base)
}

fn map(len: usize) -> Option<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let args = [0, len, libc::PROT_NONE as usize, flags as usize, usize::MAX, 0];
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice disturbs nothing.
    let result = unsafe { call(libc::SYS_mmap, args) };
    if result < 0 && result > -4096 {
        return None;
    }
    NonNull::new(ptr::with_exposed_provenance_mut(result as usize))
}

fn trim(start: NonNull<u8>, len: usize) {
    if len > 0 {
        // SAFETY: the range is the unused edge of the mapping `reserve` has just made.
        unsafe { release(start, len) };
    }
}

/// Gives addresses back.
///
/// # Safety
/// The range was reserved here, whole pages, and nothing uses it any more.
pub(crate) unsafe fn release(start: NonNull<u8>, len: usize) {
    // SAFETY: the caller owns the range.
    unsafe { call(libc::SYS_munmap, [start.as_ptr() as usize, len, 0, 0, 0, 0]) };
}

/// Makes reserved pages readable and writable, zero until written. `false`: the system refused.
///
/// # Safety
/// The range lies in one reservation of ours.
#[must_use]
pub(crate) unsafe fn commit(start: NonNull<u8>, len: usize) -> bool {
    let access = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    // SAFETY: only widens access to addresses the caller owns.
    unsafe { call(libc::SYS_mprotect, [start.as_ptr() as usize, len, access, 0, 0, 0]) == 0 }
}

/// Makes pages inaccessible; their content stays. `false`: the system refused, as it does when a
/// process has too many mappings.
///
/// # Safety
/// The range lies in one reservation of ours, and nobody needs to reach it.
#[must_use]
pub(crate) unsafe fn protect(start: NonNull<u8>, len: usize) -> bool {
    let none = libc::PROT_NONE as usize;
    // SAFETY: the caller's.
    unsafe { call(libc::SYS_mprotect, [start.as_ptr() as usize, len, none, 0, 0, 0]) == 0 }
}

/// Gives the memory behind committed pages back; they stay committed and read as zero.
/// `false`: the system refused (locked pages, say) and the content is what it was.
///
/// `MADV_DONTNEED`, not `MADV_FREE`: the latter leaves resident-size monitoring useless.
///
/// # Safety
/// The range is committed, and nothing needs its content.
#[must_use]
pub(crate) unsafe fn purge(start: NonNull<u8>, len: usize) -> bool {
    let args = [start.as_ptr() as usize, len, libc::MADV_DONTNEED as usize, 0, 0, 0];
    // SAFETY: the caller gives up the content.
    unsafe { call(libc::SYS_madvise, args) == 0 }
}

/// Moves the pages of `from` to `to` without copying; `from` stays mapped and reads as zero.
/// `false` (older kernels, locked or special pages): nothing has changed.
///
/// `MREMAP_DONTUNMAP` matters: a plain `mremap` would leave a hole in the region that any other
/// thread's `mmap` may fall into before it could be filled.
///
/// # Safety
/// Both ranges are committed, disjoint and owned by the caller; `to`'s content is not needed.
#[must_use]
pub(crate) unsafe fn move_pages(from: NonNull<u8>, to: NonNull<u8>, len: usize) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
    let (old, new) = (from.as_ptr() as usize, to.as_ptr() as usize);
    // SAFETY: the caller owns both ranges.
    let result = unsafe { call(libc::SYS_mremap, [old, len, len, flags as usize, new, 0]) };
    result == new as isize
}

/// Whether the word at `address` can be read. Asks the kernel, which copies a signal set from there
/// before it looks at what to do with it, and `how` is nothing it knows.
pub(crate) fn is_readable(address: usize) -> bool {
    let args = [usize::MAX, address, 0, size_of::<u64>(), 0, 0];
    // SAFETY: the call fails in any case: with EFAULT for the address, or else with EINVAL.
    unsafe { call(libc::SYS_rt_sigprocmask, args) != -(libc::EFAULT as isize) }
}

/// The limit on this process's address space (`ulimit -v`), if there is one.
pub(crate) fn address_space_limit() -> Option<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let args = [0, libc::RLIMIT_AS as usize, 0, &raw mut limit as usize, 0, 0];
    // SAFETY: the kernel writes one `rlimit`, which is ours.
    let result = unsafe { call(libc::SYS_prlimit64, args) };
    (result == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur as usize)
}

/// Fresh zeroed pages, readable and writable, which occupy memory only where they are touched.
pub(crate) fn map_zeroed(len: usize) -> Option<NonNull<u8>> {
    let start = map(len)?;
    // SAFETY: the mapping is fresh and ours.
    if unsafe { commit(start, len) } {
        return Some(start);
    }
    // SAFETY: as above; nobody has seen it.
    unsafe { release(start, len) };
    None
}

/// Makes a mapping longer, elsewhere if need be; what is new is zero. `None`: it is as it was.
///
/// # Safety
/// `start` and `len` are those of a mapping of [`map_zeroed`]; nobody keeps an address in it.
pub(crate) unsafe fn lengthen(
    start: NonNull<u8>,
    len: usize,
    longer: usize,
) -> Option<NonNull<u8>> {
    let args = [start.as_ptr() as usize, len, longer, libc::MREMAP_MAYMOVE as usize, 0, 0];
    // SAFETY: the caller's.
    let result = unsafe { call(libc::SYS_mremap, args) };
    if result < 0 && result > -4096 {
        return None;
    }
    NonNull::new(ptr::with_exposed_provenance_mut(result as usize))
}

/// Asks for large pages, where the system has them: fewer faults, and fewer misses in the table of
/// pages.
pub(crate) fn prefer_large_pages(start: NonNull<u8>, len: usize) {
    let args = [start.as_ptr() as usize, len, libc::MADV_HUGEPAGE as usize, 0, 0, 0];
    // SAFETY: changes no content. A system without them refuses, and nothing is lost.
    unsafe { call(libc::SYS_madvise, args) };
}

/// Maps the first `len` bytes of a file, shared with whoever else maps it.
pub(crate) fn map_file(file: i32, len: usize) -> Option<NonNull<u8>> {
    let access = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let args = [0, len, access, libc::MAP_SHARED as usize, file as usize, 0];
    // SAFETY: a fresh mapping at an address of the kernel's choice disturbs nothing.
    let result = unsafe { call(libc::SYS_mmap, args) };
    if result < 0 && result > -4096 {
        return None;
    }
    NonNull::new(ptr::with_exposed_provenance_mut(result as usize))
}

/// What [`populate`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Populated {
    /// The pages are there.
    Yes,
    /// They cannot be had: touching them would be a deadly signal.
    No,
    /// The kernel is too old to say.
    Unknown,
}

/// Makes pages of a mapped file exist, or tells that the file system has no room for them.
///
/// # Safety
/// The range is a mapping of ours.
pub(crate) unsafe fn populate(start: NonNull<u8>, len: usize) -> Populated {
    let first = start.as_ptr() as usize & !(PAGE - 1);
    let args = [first, start.as_ptr() as usize + len - first, MADV_POPULATE_WRITE, 0, 0, 0];
    // SAFETY: changes no content.
    match unsafe { call(libc::SYS_madvise, args) } {
        0 => Populated::Yes,
        error if error == -(libc::EINVAL as isize) => Populated::Unknown,
        _ => Populated::No,
    }
}

/// Since Linux 5.14.
const MADV_POPULATE_WRITE: usize = 23;

/// Moves a mapping over another of ours of the same length, in one step.
///
/// # Safety
/// Both are mappings of ours; nobody needs the content of `over`.
#[must_use]
pub(crate) unsafe fn replace(over: NonNull<u8>, by: NonNull<u8>, len: usize) -> bool {
    let flags = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as usize;
    let (old, new) = (by.as_ptr() as usize, over.as_ptr() as usize);
    // SAFETY: the caller's.
    unsafe { call(libc::SYS_mremap, [old, len, len, flags, new, 0]) == new as isize }
}

/// How many mappings the kernel allows a process.
pub(crate) fn mappings_max() -> usize {
    /// What it allows where it does not say.
    const USUAL: usize = 65530;
    let mut text = [0; 32];
    let len = file::read(c"/proc/sys/vm/max_map_count", &mut text);
    let digits = text[..len].iter().take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(0usize, |number, digit| {
        number.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
    });
    if number == 0 { USUAL } else { number }
}
