//! `safety=full`: every block is watched, from its allocation until long after its end.
//!
//! A watched block has a canary behind it, and in it junk until it is written to. Freeing it checks
//! the canary, the canary of the block before it, and the family of the function; then the block is
//! poisoned and buried, and its memory is reused when the poison was found intact. All this happens
//! here, above the engine, whose fast and quick paths are shut: what reaches it are its cold paths.
//!
//! | what | costs | finds |
//! |---|---|---|
//! | canary, at least 8 bytes | memory; a store and a compare a word | writes behind a block, and, by the canary of the one before, before it |
//! | junk, up to 4 KiB | stores | reads of what was never written: they show |
//! | poison and quarantine | stores and a compare of the whole block; `quarantine` MiB | writes after free, second frees |
//! | family | nothing | `free` of what `new` made, and all other mixtures |

mod check;
mod report;

pub(crate) use check::{check, check_at_exit};

use super::entry::Freeing;
use super::{ENGINE, tls};
use crate::base::sync::{AtomicBool, AtomicU64, Ordering};
use crate::harden::family::Family;
use crate::harden::pattern::{self, Canary, JUNK, POISON};
use crate::harden::quarantine::{Grave, Quarantine};
use crate::heap::alloc::Request;
use crate::heap::class::BLOCK_SIZE_MAX;
use crate::heap::local::LocalHeap;
use crate::heap::locate::Misuse;
use crate::heap::observe::Slot;
use crate::heap::slab::Kind;
use crate::os::process;
use crate::track::columns::Record;
use core::ptr;
use report::{Finding, Moment, report};

/// How many bytes behind each block are its canary's, at least.
const REDZONE: usize = 8;
/// How many bytes behind a block are, at most: where its memory ends may be far.
const CANARY_MAX: usize = 4096;
/// How much of a fresh block is junk, at most: whoever allocates more may mean to touch little of
/// it.
const JUNK_MAX: usize = 4096;

static IS_ON: AtomicBool = AtomicBool::new(false);
static SECRET: AtomicU64 = AtomicU64::new(0);
static QUARANTINE: Quarantine = Quarantine::new();

/// Watches blocks from now on, or no more; those of before stay what they are.
pub(super) fn set(is_on: bool, quarantine: usize) {
    if is_on && SECRET.load(Ordering::Relaxed) == 0 {
        SECRET.store(process::random_word() as u64 | 1, Ordering::Relaxed);
    }
    QUARANTINE.set_bytes_max(quarantine);
    ENGINE.set_watched(is_on);
    IS_ON.store(is_on, Ordering::Relaxed);
}

/// Whether blocks are watched.
#[inline(always)]
pub(super) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// In the child of a fork.
pub(super) fn forked() {
    QUARANTINE.forked();
}

fn canary() -> Canary {
    Canary::new(SECRET.load(Ordering::Relaxed))
}

/// A block that is watched; null when memory ran out. The heap is the calling thread's.
#[cold]
pub(super) fn allocate(heap: &LocalHeap, request: Request) -> *mut u8 {
    let block = ENGINE.allocate(heap, Request { redzone: REDZONE, ..request });
    if !block.is_null() {
        watch(block, request);
    }
    block
}

fn watch(block: *mut u8, request: Request) {
    // A block of a thread's last moments, or on top of an interrupted path, may be unwatched.
    let slot = ENGINE.slot_of(block).filter(|slot| slot.slab.is_tracked());
    let Some(slot) = slot.filter(|slot| ENGINE.observer.record_of(*slot).is_some()) else { return };
    if !request.zero {
        // SAFETY: the block is fresh, its user's, and as long.
        unsafe { block.write_bytes(JUNK, request.size.min(JUNK_MAX)) };
    }
    seal(slot, block, request);
}

/// Writes the canary behind a block, and notes that it is there.
fn seal(slot: Slot<'_>, block: *mut u8, request: Request) {
    let (end, len) = behind(slot, block, request.size);
    // SAFETY: behind what the user may use, and in the block's memory.
    unsafe { canary().write(end, len) };
    ENGINE.observer.seal(slot, request.family);
}

/// Where the canary of a block of `size` bytes is.
fn behind(slot: Slot<'_>, block: *mut u8, size: usize) -> (*mut u8, usize) {
    let len = slot.slab.usable_size().saturating_sub(size).min(CANARY_MAX);
    (block.wrapping_add(size), len)
}

/// Frees a block. The heap is the calling thread's.
#[cold]
pub(super) fn free(heap: &LocalHeap, address: *mut u8, how: Freeing) -> Result<(), Misuse> {
    let slot = ENGINE.slot_at(address)?;
    let Some(record) = sealed(slot) else { return ENGINE.free(heap, address) };
    if let Some(named) = how.size.filter(|named| *named != record.size) {
        report(Finding::Size { block: address, record, named, family: how.family });
    }
    examine(slot, address, record, how.family, Moment::Free);
    let freed = heap_stack(heap);
    ENGINE.observe_free(heap, slot, address)?;
    if slot.slab.kind() == Kind::Large {
        // SAFETY: the block was in use, and its user has given it up.
        unsafe { ENGINE.take_back(heap, slot, address) };
        return Ok(());
    }
    let len = slot.slab.usable_size();
    // SAFETY: as above; the memory is the block's.
    unsafe { address.write_bytes(POISON, len) };
    let grave = Grave {
        start: address,
        size: record.size,
        len,
        allocated: record.site.number(),
        freed,
        allocator: ENGINE.observer.thread_id(record),
        freer: heap.thread(),
    };
    QUARANTINE.bury(heap.thread(), grave, exhume);
    Ok(())
}

/// What is recorded of a block, if it is in use and watched.
fn sealed(slot: Slot<'_>) -> Option<Record> {
    let record = ENGINE.observer.record_of(slot).filter(|_| slot.slab.is_tracked())?;
    record.stamp.seal().map(|_| record)
}

fn heap_stack(heap: &LocalHeap) -> u32 {
    ENGINE.undisturbed(heap, || ENGINE.observer.stack_here(heap)).unwrap_or(0)
}

/// Looks at a block that is given back.
fn examine(slot: Slot<'_>, block: *mut u8, record: Record, family: Family, moment: Moment) {
    match record.stamp.seal() {
        Some(allocated) if allocated != family => {
            report(Finding::Family { block, record, allocated, family });
        }
        _ => {}
    }
    if let Some(finding) = overflow(slot, block, record, moment) {
        report(finding);
    }
    if let Some(finding) = underflow(slot, block, record, moment) {
        report(finding);
    }
}

fn overflow(slot: Slot<'_>, block: *mut u8, record: Record, found: Moment) -> Option<Finding> {
    let (end, len) = behind(slot, block, record.size);
    // SAFETY: the block's memory.
    let damage = unsafe { canary().damage(end, len) }?;
    Some(Finding::Overflow { block, record, damage, found })
}

/// Whether the canary of the block before is damaged: by that one, or by this.
fn underflow(slot: Slot<'_>, block: *mut u8, record: Record, found: Moment) -> Option<Finding> {
    let index = slot.index.checked_sub(1)?;
    let before = Slot { slab: slot.slab, index };
    let its = sealed(before)?;
    let start = slot.slab.block(index);
    let (end, len) = behind(before, start, its.size);
    // SAFETY: the memory of a block of the slab.
    let damage = unsafe { canary().damage(end, len) }?;
    // It may have been freed, or resized, by its own thread while we looked.
    let is_same = sealed(before).is_some_and(|now| now == its);
    is_same.then_some(Finding::Between { before: start, its, block, record, damage, len, found })
}

/// A block leaves the quarantine: its memory may be reused, if nobody has written to it.
fn exhume(grave: Grave) {
    // SAFETY: the memory of a block in quarantine is ours.
    if let Some(damage) = unsafe { pattern::difference(grave.start, grave.len, POISON) } {
        report(Finding::Buried { grave, damage });
    }
    if let Some(slot) = ENGINE.slot_of(grave.start) {
        // SAFETY: the block has been in quarantine since it was freed.
        unsafe { ENGINE.take_back(tls::heap(), slot, grave.start) };
    }
}

/// Resizes a block: except for large ones, it always moves, so that old pointers to it show.
#[cold]
pub(super) fn reallocate(
    heap: &LocalHeap,
    address: *mut u8,
    request: Request,
) -> Result<*mut u8, Misuse> {
    let slot = ENGINE.slot_at(address)?;
    let Some(record) = sealed(slot) else {
        let new = ENGINE.reallocate(heap, address, Request { redzone: REDZONE, ..request })?;
        reseal(new, request);
        return Ok(new);
    };
    examine(slot, address, record, request.family, Moment::Realloc);
    if slot.slab.kind() == Kind::Large && request.size > BLOCK_SIZE_MAX {
        let new = ENGINE.reallocate(heap, address, Request { redzone: REDZONE, ..request })?;
        if new.is_null() {
            return Ok(new);
        }
        reseal(new, request);
        return Ok(new);
    }
    let new = allocate(heap, Request { zero: false, ..request });
    if !new.is_null() {
        // SAFETY: two blocks, each as long as that.
        unsafe { ptr::copy_nonoverlapping(address, new, record.size.min(request.size)) };
        ENGINE.observe_move(heap, new);
        free(heap, address, Freeing { family: request.family, size: None })?;
    }
    Ok(new)
}

/// A block has another size, and its old content.
fn reseal(block: *mut u8, request: Request) {
    let slot = ENGINE.slot_of(block).filter(|slot| slot.slab.is_tracked());
    if let Some(slot) = slot.filter(|slot| ENGINE.observer.record_of(*slot).is_some()) {
        seal(slot, block, request);
    }
}

/// The grave of a block that was freed not long ago.
pub(super) fn grave_of(address: *const u8) -> Option<Grave> {
    if is_on() { QUARANTINE.find(address) } else { None }
}

/// Prints what is known of a block that was freed not long ago.
pub(super) fn print_grave(grave: &Grave) {
    report::print_grave(grave);
}
