//! Pointers that this engine did not hand out: another allocator's block, or a mistake?
//!
//! The mapping that holds the address decides. A block of another allocator lies in `[heap]` or in
//! anonymous memory; a file's mapping, the caller's own stack or no mapping at all is a mistake.

use super::misuse::{self, Call};
use super::next::{self, Next};
use crate::heap::locate::{Misuse, MisuseKind};
use std::fs;
use std::string::String;

/// `free` of an address that the engine refused.
#[cold]
pub(crate) fn free(misuse: Misuse) {
    match owner_behind(misuse) {
        // SAFETY: the address lies in memory that the allocator behind may own; it checks it.
        Some(next) => unsafe { (next.free)(misuse.address.cast()) },
        None => misuse::handle(Call::Free, misuse),
    }
}

/// `realloc` of an address that the engine refused.
#[cold]
pub(crate) fn realloc(misuse: Misuse, size: usize) -> *mut u8 {
    match owner_behind(misuse) {
        // SAFETY: as above.
        Some(next) => unsafe { (next.realloc)(misuse.address.cast(), size).cast() },
        None => {
            misuse::handle(Call::Realloc, misuse);
            core::ptr::null_mut()
        }
    }
}

/// `malloc_usable_size` of an address that the engine does not know.
#[cold]
pub(crate) fn usable_size(address: *mut u8) -> usize {
    match owner_behind(Misuse::foreign(address)) {
        // SAFETY: as above.
        Some(next) => unsafe { (next.malloc_usable_size)(address.cast()) },
        None => 0,
    }
}

fn owner_behind(misuse: Misuse) -> Option<Next> {
    if misuse.kind != MisuseKind::Foreign {
        return None;
    }
    if let Some(next) = next::if_passive() {
        return Some(next);
    }
    let next = next::allocator()?;
    may_be_a_block(misuse.address as usize).then_some(next)
}

/// Whether the mapping around `address` may belong to an allocator. Yes when it cannot be told.
fn may_be_a_block(address: usize) -> bool {
    let here = core::ptr::from_ref(&address) as usize;
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return true };
    maps.lines().filter_map(parse_mapping).find(|(range, _)| range.contains(&address)).is_some_and(
        |(range, name)| (name.is_empty() || name == "[heap]") && !range.contains(&here),
    )
}

fn parse_mapping(line: &str) -> Option<(core::ops::Range<usize>, String)> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
    Some((range, String::from(fields.nth(4).unwrap_or(""))))
}
