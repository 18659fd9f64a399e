//! Pages, simulated.

extern crate std;

use core::ptr::NonNull;
use std::alloc::{GlobalAlloc, Layout, System};

pub(crate) const PAGE: usize = 4096;

/// The mock machine is small: a reservation of more is refused, which exercises the ladder.
const LARGEST: usize = 64 << 20;

pub(crate) fn reserve(len: usize, align: usize) -> Option<NonNull<u8>> {
    if len > LARGEST {
        return None;
    }
    let layout = Layout::from_size_align(len, align).ok()?;
    // SAFETY: the layout is not empty.
    NonNull::new(unsafe { System.alloc_zeroed(layout) })
}

/// # Safety
/// As on a real machine. The mock leaks: alignment is not known here.
pub(crate) unsafe fn release(_start: NonNull<u8>, _len: usize) {}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn commit(_start: NonNull<u8>, _len: usize) -> bool {
    true
}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn protect(_start: NonNull<u8>, _len: usize) -> bool {
    true
}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn purge(start: NonNull<u8>, len: usize) -> bool {
    // SAFETY: the caller owns the range and gives up its content.
    unsafe { start.write_bytes(0, len) };
    true
}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn move_pages(_from: NonNull<u8>, _to: NonNull<u8>, _len: usize) -> bool {
    false
}

pub(crate) fn is_readable(_address: usize) -> bool {
    true
}

pub(crate) fn address_space_limit() -> Option<usize> {
    None
}

pub(crate) fn mappings_max() -> usize {
    65530
}

pub(crate) fn map_zeroed(len: usize) -> Option<NonNull<u8>> {
    reserve(len, PAGE)
}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn lengthen(
    start: NonNull<u8>,
    len: usize,
    longer: usize,
) -> Option<NonNull<u8>> {
    let new = map_zeroed(longer)?;
    // SAFETY: both are that long, and distinct.
    unsafe { new.copy_from_nonoverlapping(start, len) };
    Some(new)
}

pub(crate) fn prefer_large_pages(_start: NonNull<u8>, _len: usize) {}

pub(crate) fn map_file(_file: i32, _len: usize) -> Option<NonNull<u8>> {
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Populated {
    No,
    Unknown,
}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn populate(_start: NonNull<u8>, _len: usize) -> Populated {
    Populated::Unknown
}

/// # Safety
/// As on a real machine.
pub(crate) unsafe fn replace(_over: NonNull<u8>, _by: NonNull<u8>, _len: usize) -> bool {
    false
}
