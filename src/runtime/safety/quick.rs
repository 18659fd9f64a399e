//! The short way of a watched block: small, of the calling thread's own, and without a mistake.
//!
//! What [`watch`](super::watch) does of a block in a dozen steps, each of which asks what kind of
//! block it has, is done here for nearly all of them in one. Nothing is reported here: whatever
//! looks wrong goes the long way, which looks again and says what it is.

use super::{BEFORE_MAX, IS_NEVER_REUSED, IS_RETAINED, QUARANTINE, REDZONE, canary, guards, watch};
use crate::base::sync::Ordering;
use crate::harden::family::Family;
use crate::harden::pattern::{self, JUNK, POISON};
use crate::harden::quarantine::Grave;
use crate::heap::alloc::Request;
use crate::heap::class::{ALIGN_MIN, ClassId, SMALL_MAX};
use crate::heap::local::LocalHeap;
use crate::heap::observe::Slot;
use crate::heap::watched::Held;
use crate::mem::prefetch::prefetch;
use crate::runtime::ENGINE;
use crate::unwind::Registers;

/// A block that is watched; null for the long way.
#[inline(always)]
pub(super) fn allocate(heap: &LocalHeap, request: Request) -> Option<*mut u8> {
    let memory = request.size.checked_add(REDZONE).filter(|memory| *memory <= SMALL_MAX)?;
    if request.align > ALIGN_MIN || guards::is_for_all() {
        return None;
    }
    let held = ENGINE.take_watched(heap, ClassId::for_layout(memory, request.align)?)?;
    let Held { slot, address, len, .. } = held;
    let behind = address.wrapping_add(request.size);
    // SAFETY: the block is fresh, and so long; its class leaves room for the canary.
    unsafe {
        pattern::fill(address, len, if request.zero { 0 } else { JUNK });
        canary().write_behind(behind, len - request.size);
    }
    if slot.index == slot.slab.held() {
        watch::write_before(slot);
    }
    let by = (request.caller, request.family);
    ENGINE.observer.allocated_sealed(heap, slot, request.size, by);
    Some(address)
}

/// Frees a block. `false`: nothing that counts was done.
#[inline(always)]
pub(super) fn free(heap: &LocalHeap, address: *mut u8, family: Family, caller: Registers) -> bool {
    let Some(held) = ENGINE.hold_watched(heap, address) else { return false };
    let Held { slot, len, .. } = held;
    // Where the canaries are that will be looked at, behind the block and before it.
    prefetch(address as usize + len - 1);
    prefetch(address as usize - 1);
    let Some(record) = watch::sealed(slot) else { return false };
    let is_right = record.stamp.seal() == Some(family)
        && is_intact_behind(address, len, record.size)
        && is_intact_before(slot, address, len);
    if !is_right {
        return false;
    }
    let freed = ENGINE.observer.stack_of(heap, caller);
    let allocator = ENGINE.observer.thread_id(record);
    ENGINE.observer.unseal(slot, record);
    // SAFETY: its user has given the block up, and it is that long.
    unsafe { pattern::fill(address, len, POISON) };
    // Another thread may free the same block right now, and be faster.
    if !ENGINE.observer.freed_sealed(heap, slot) {
        return false;
    }
    let (size, allocated, freer) = (record.size, record.site.number(), heap.thread());
    let grave = Grave { start: address, size, len, allocated, freed, allocator, freer };
    drop(held);
    QUARANTINE.bury(freer, ENGINE.placement(), grave, |oldest| exhume(heap, oldest));
    true
}

#[inline(always)]
fn is_intact_behind(block: *const u8, len: usize, size: usize) -> bool {
    // SAFETY: the rest of a block of ours, whose start is aligned to a word and can be read.
    unsafe { canary().is_intact_behind(block.wrapping_add(size), len - size) }
}

/// Whether what lies before a block is as it should be: the canary of the one before, or poison.
#[inline(always)]
fn is_intact_before(slot: Slot<'_>, block: *const u8, len: usize) -> bool {
    let Slot { slab, index } = slot;
    if index == slab.held() {
        return watch::is_intact_before_first(slot);
    }
    match ENGINE.observer.record_of(Slot { slab, index: index - 1 }) {
        Some(record) if record.stamp.seal().is_some() => {
            is_intact_behind(block.wrapping_sub(len), len, record.size)
        }
        Some(_) => true,
        None => {
            let tail = (len - 2 * size_of::<usize>()).min(BEFORE_MAX);
            // SAFETY: the end of the block before, which is free or in quarantine, and poisoned.
            unsafe { pattern::is_filled(block.wrapping_sub(tail), tail, POISON) }
        }
    }
}

/// A block leaves the quarantine.
#[inline(always)]
fn exhume(heap: &LocalHeap, grave: Grave) {
    let is_kept = IS_RETAINED.load(Ordering::Relaxed) | IS_NEVER_REUSED.load(Ordering::Relaxed);
    let held = if is_kept { None } else { ENGINE.hold_watched(heap, grave.start) };
    match held {
        // SAFETY: the memory of a block in quarantine is ours.
        Some(held) if unsafe { pattern::is_filled(grave.start, held.len, POISON) } => {
            // SAFETY: the block has been in quarantine since it was freed.
            unsafe { ENGINE.put_watched(heap, &held) };
        }
        held => {
            drop(held);
            watch::exhume(grave);
        }
    }
}
