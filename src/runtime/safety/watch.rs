//! A watched block's life: its allocation, its resizing, its end, and the end of its memory's rest.

use super::finding::{Finding, Known, Moment};
use super::report::report;
use super::{
    ARCHIVE, BEFORE_MAX, CANARY_MAX, IS_NEVER_REUSED, IS_RETAINED, JUNK_MAX, QUARANTINE, REDZONE,
    canary, fault, guards, is_on, quick,
};
use crate::base::stack;
use crate::base::sync::{Ordering, fence};
use crate::harden::family::Family;
use crate::harden::pattern::{self, JUNK, POISON};
use crate::harden::quarantine::Grave;
use crate::heap::alloc::Request;
use crate::heap::class::BLOCK_SIZE_MAX;
use crate::heap::guarded::Guard;
use crate::heap::local::{LocalHeap, State};
use crate::heap::locate::Misuse;
use crate::heap::observe::Slot;
use crate::heap::slab::Kind;
use crate::os::memory::PAGE;
use crate::os::thread;
use crate::runtime::{ENGINE, misuse, tls};
use crate::track::columns::Record;
use crate::unwind::Registers;
use core::ops::Range;
use core::ptr;

/// A block that is watched; null when memory ran out. The heap is the calling thread's.
pub(in crate::runtime) fn allocate(heap: &LocalHeap, request: Request) -> *mut u8 {
    fault::look_after();
    quick::allocate(heap, request).unwrap_or_else(|| allocate_slowly(heap, request))
}

#[cold]
#[inline(never)]
fn allocate_slowly(heap: &LocalHeap, request: Request) -> *mut u8 {
    let guard = guards::next();
    // A block that ends at a wall has its alignment for a redzone.
    let redzone = if matches!(guard, Guard::Right | Guard::Exact) { 0 } else { REDZONE };
    let mut block = ENGINE.allocate(heap, Request { redzone, guard, ..request });
    if block.is_null() {
        if guard != Guard::Front {
            guards::degrade();
        }
        block = ENGINE.allocate(heap, Request { redzone: REDZONE, guard: Guard::None, ..request });
    }
    misuse::tell_damage();
    if !block.is_null() {
        watch(block, request);
    }
    stack::clear::<{ stack::COLD_PATH }>();
    block
}

/// The slot of a block that is recorded. One of a thread's last moments, or on top of an
/// interrupted path, may not be.
fn recorded(block: *mut u8) -> Option<Slot<'static>> {
    let slot = ENGINE.slot_of(block).filter(|slot| slot.slab.is_tracked())?;
    ENGINE.observer.record_of(slot).map(|_| slot)
}

fn watch(block: *mut u8, request: Request) {
    let Some(slot) = recorded(block) else { return };
    guards::born(slot);
    if !request.zero {
        // SAFETY: the block is fresh, its user's, and as long.
        unsafe { block.write_bytes(JUNK, request.size.min(JUNK_MAX)) };
    }
    mark(slot, block, request.size, request.family);
}

/// Writes the canaries of a fresh block, and notes that they are there.
pub(super) fn mark(slot: Slot<'_>, block: *mut u8, size: usize, family: Family) {
    write_before(slot);
    seal(slot, block, size, family);
}

pub(super) fn write_before(slot: Slot<'_>) {
    if let Some((start, len)) = before(slot) {
        // SAFETY: bytes of the block's memory before its user's, or of one that nobody gets.
        unsafe { canary().write(start, len) };
    }
}

/// Whether [`write_before`]'s bytes are as it left them.
pub(super) fn is_intact_before_first(slot: Slot<'_>) -> bool {
    before(slot).is_none_or(|(start, len)| {
        // SAFETY: as in `write_before`.
        unsafe { canary().damage(start, len) }.is_none()
    })
}

/// Writes the canary behind a block, and notes that it is there.
fn seal(slot: Slot<'_>, block: *mut u8, size: usize, family: Family) {
    for (start, len) in behind(slot, block, size) {
        // SAFETY: behind what the user may use, and in the block's memory.
        unsafe { canary().write(start, len) };
    }
    ENGINE.observer.seal(slot, family);
}

/// Where the canary of a block of `size` bytes is. Of a long rest the beginning and the end.
fn behind(slot: Slot<'_>, block: *mut u8, size: usize) -> [(*mut u8, usize); 2] {
    let len = slot.slab.usable_size().saturating_sub(size);
    let end = block.wrapping_add(size);
    if len <= CANARY_MAX {
        return [(end, len), (end, 0)];
    }
    let tail = block.wrapping_add(slot.slab.usable_size() - BEFORE_MAX);
    [(end, CANARY_MAX - BEFORE_MAX), (tail, BEFORE_MAX)]
}

/// What lies before a block and is nobody's: the rest of a page behind a guard, or the end of the
/// first block of a slab, which nobody gets.
fn before(slot: Slot<'_>) -> Option<(*mut u8, usize)> {
    let block = slot.slab.block(slot.index);
    let len = match slot.slab.kind() {
        Kind::Large if slot.slab.is_guarded() => block as usize % PAGE,
        Kind::Slab if slot.index > 0 && slot.index == slot.slab.held() => slot.slab.usable_size(),
        _ => 0,
    };
    let len = len.min(BEFORE_MAX);
    (len > 0).then(|| (block.wrapping_sub(len), len))
}

/// Frees a block for `caller`. The heap is the calling thread's.
pub(in crate::runtime) fn free(
    heap: &LocalHeap,
    address: *mut u8,
    family: Family,
    caller: Registers,
) -> Result<(), Misuse> {
    if quick::free(heap, address, family, caller) {
        return Ok(());
    }
    free_slowly(heap, address, family, caller)
}

#[cold]
#[inline(never)]
fn free_slowly(
    heap: &LocalHeap,
    address: *mut u8,
    family: Family,
    caller: Registers,
) -> Result<(), Misuse> {
    let slot = ENGINE.slot_at(address)?;
    let Some(record) = sealed(slot) else { return ENGINE.free(heap, address) };
    let block = Known::of(slot, record);
    examine(slot, block, family, Moment::Free);
    let freed = ENGINE.undisturbed(heap, || ENGINE.observer.stack_of(heap, caller)).unwrap_or(0);
    ENGINE.observer.unseal(slot, record);
    let len = slot.slab.usable_size();
    if slot.slab.kind() == Kind::Slab {
        // Before it is free to others: what is free is poisoned.
        // SAFETY: its user has given the block up, and it is that long.
        unsafe { address.write_bytes(POISON, len) };
    }
    ENGINE.observe_free(heap, slot, address)?;
    let grave = Grave {
        start: address,
        size: record.size,
        len,
        allocated: record.site.number(),
        freed,
        allocator: ENGINE.observer.thread_id(record),
        freer: thread_of(heap),
    };
    if slot.slab.is_guarded() {
        guards::ended();
        // What it holds of addresses is what counts.
        let grave = Grave { len: slot.slab.len() - slot.slab.lead(), ..grave };
        // SAFETY: the block was in use, and its user has given it up.
        if !unsafe { guards::seal(slot, ENGINE.placement(), grave, exhume) } {
            // SAFETY: as above.
            unsafe { ENGINE.take_back(heap, slot, address) };
        }
        return Ok(());
    }
    if slot.slab.kind() == Kind::Large {
        // SAFETY: as above.
        unsafe { ENGINE.take_back(heap, slot, address) };
        return Ok(());
    }
    QUARANTINE.bury(grave.freer, ENGINE.placement(), grave, exhume);
    Ok(())
}

/// Kernel id of the calling thread, whose heap it is: it may have none, and then asks the system.
fn thread_of(heap: &LocalHeap) -> u32 {
    if heap.state() == State::Running { heap.thread() } else { thread::id() }
}

/// What is recorded of a block, if it is in use and watched.
#[inline(always)]
pub(super) fn sealed(slot: Slot<'_>) -> Option<Record> {
    let record = ENGINE.observer.record_of(slot).filter(|_| slot.slab.is_tracked())?;
    record.stamp.seal().map(|_| record)
}

/// Looks at a block that is given back.
fn examine(slot: Slot<'_>, block: Known, family: Family, moment: Moment) {
    if block.family != family {
        report(&Finding::Family { block, family });
    }
    let findings = [overflow(slot, block, moment), underflow(slot, block, moment)];
    findings.iter().flatten().for_each(report);
}

/// Which bytes of a canary are damaged, in bytes from `origin`.
fn damage(origin: usize, (start, len): (*mut u8, usize)) -> Option<Range<usize>> {
    // SAFETY: memory of a block of ours, and not its user's.
    let damage = unsafe { canary().damage(start, len) }?;
    let first = (start as usize).wrapping_sub(origin);
    Some(first + damage.start..first + damage.end)
}

pub(super) fn overflow(slot: Slot<'_>, block: Known, found: Moment) -> Option<Finding> {
    let end = block.start + block.size;
    let parts = behind(slot, slot.slab.block(slot.index), block.size);
    let damage = parts.into_iter().find_map(|part| damage(end, part))?;
    Some(Finding::Overflow { block, damage, found })
}

/// Whether what lies before a block is damaged: by that, or by this.
pub(super) fn underflow(slot: Slot<'_>, block: Known, found: Moment) -> Option<Finding> {
    if let Some((start, len)) = before(slot) {
        let damage = damage(start as usize, (start, len))?;
        return Some(Finding::Underflow {
            block,
            damage: len - damage.end..len - damage.start,
            found,
        });
    }
    let index = slot.index.checked_sub(1).filter(|_| slot.slab.kind() == Kind::Slab)?;
    let neighbour = Slot { slab: slot.slab, index };
    let Some(its) = sealed(neighbour) else { return free_neighbour(neighbour, block, found) };
    let before = Known::of(neighbour, its);
    let end = before.start + before.size;
    let parts = behind(neighbour, slot.slab.block(index), its.size);
    let damage = parts.into_iter().rev().find_map(|part| damage(end, part))?;
    // It may have been freed by its own thread while we looked: pairs with that of `unseal`.
    fence(Ordering::Acquire);
    if sealed(neighbour) != Some(its) {
        return None;
    }
    // What begins at the end of the one came from there, what ends at the other from that.
    let len = block.start - end;
    if damage.start > 0 && damage.end == len {
        let damage = 0..len - damage.start;
        return Some(Finding::Underflow { block, damage, found });
    }
    Some(Finding::Overflow { block: before, damage, found: Moment::Neighbour })
}

/// Whether the end of the block before, which is free, is damaged: free blocks are poisoned.
fn free_neighbour(before: Slot<'_>, block: Known, found: Moment) -> Option<Finding> {
    let is_free = before.index >= before.slab.held() && ENGINE.observer.record_of(before).is_none();
    // What other threads hand out is emptied before it is on record.
    let is_ours = ENGINE.is_at_home(tls::heap(), before.slab);
    if !is_free || !is_ours || !ENGINE.is_poisoned(before.slab) {
        return None;
    }
    let links = 2 * size_of::<usize>();
    let len = (before.slab.usable_size() - links).min(BEFORE_MAX);
    let start = before.slab.block(before.index).wrapping_add(before.slab.usable_size() - len);
    // SAFETY: the end of a block that is free.
    let damage = unsafe { pattern::difference(start, len, POISON) }?;
    // What does not end at the edge came from elsewhere.
    (damage.end == len).then(|| Finding::Underflow { block, damage: 0..len - damage.start, found })
}

/// A block leaves the quarantine: its memory may be reused, if nobody has written to it.
#[cold]
pub(super) fn exhume(grave: Grave) {
    let Some(slot) = ENGINE.slot_of(grave.start) else { return };
    let is_guarded = slot.slab.is_guarded();
    if !is_guarded {
        // SAFETY: the memory of a block in quarantine is ours.
        if let Some(damage) = unsafe { pattern::difference(grave.start, grave.len, POISON) } {
            report(&Finding::Buried { grave, damage });
        }
    }
    if IS_RETAINED.load(Ordering::Relaxed) {
        ARCHIVE.remember(grave);
    }
    if !IS_NEVER_REUSED.load(Ordering::Relaxed) {
        // SAFETY: the block has been in quarantine since it was freed.
        unsafe { ENGINE.take_back(tls::heap(), slot, grave.start) };
    }
}

/// Resizes a block: except for large ones, it always moves, so that old pointers to it show.
#[cold]
pub(in crate::runtime) fn reallocate(
    heap: &LocalHeap,
    address: *mut u8,
    request: Request,
) -> Result<*mut u8, Misuse> {
    let slot = ENGINE.slot_at(address)?;
    let Some(record) = sealed(slot) else {
        if ENGINE.observer.is_free(slot) {
            return Err(Misuse::double_free(slot, address));
        }
        let redzone = if is_on() { REDZONE } else { 0 };
        let new = ENGINE.reallocate(heap, address, Request { redzone, ..request })?;
        if let Some(slot) = recorded(new).filter(|_| is_on()) {
            seal(slot, new, request.size, request.family);
        }
        return Ok(new);
    };
    examine(slot, Known::of(slot, record), request.family, Moment::Realloc);
    let is_large = slot.slab.kind() == Kind::Large && request.size > BLOCK_SIZE_MAX;
    let watched = Request { redzone: REDZONE, ..request };
    if is_large && ENGINE.resize_large_in_place(heap, slot, watched) {
        seal(slot, address, request.size, request.family);
        return Ok(address);
    }
    let fresh = Request { zero: false, ..request };
    let new = if is_on() { allocate(heap, fresh) } else { ENGINE.allocate(heap, fresh) };
    if !new.is_null() {
        // SAFETY: two blocks, each as long as that.
        unsafe { ptr::copy_nonoverlapping(address, new, record.size.min(request.size)) };
        ENGINE.observe_move(heap, new);
        free(heap, address, request.family, request.caller)?;
    }
    Ok(new)
}
