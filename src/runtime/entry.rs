//! The way into the engine for every face: fast paths inline, everything else behind a call.

use super::caller::with_caller;
use super::misuse::{self, Call};
use super::next::{self, Next};
use super::safety::size::Named;
use super::{ENGINE, ask, foreign, limit, lsan, safety, thread, tls};
use crate::base::stack;
use crate::harden::family::Family;
use crate::heap::alloc::Request;
use crate::heap::class::{ALIGN_MIN, ClassId};
use crate::heap::free::Freed;
use crate::heap::local::{LocalHeap, State};
use crate::heap::locate::Misuse;
use crate::heap::observe::{Seen, Slot};
use crate::heap::slab::Slab;
use crate::heap::tracked::Handed;
use crate::unwind::Registers;
use core::ptr::{self, NonNull};

/// The fast path for `size` bytes aligned to 16; null for the cold one.
#[inline(always)]
pub(crate) fn pop(size: usize) -> *mut u8 {
    tls::heap().allocate_fast(size)
}

/// The fast path for `size` bytes aligned to `align`, a power of two; null for the cold one. With
/// both constant the class is too: eight instructions.
#[inline(always)]
pub(crate) fn pop_layout(size: usize, align: usize) -> *mut u8 {
    match ClassId::for_layout(size, align) {
        Some(class) => tls::heap().pop(class),
        None => ptr::null_mut(),
    }
}

/// Ways into [`allocate_any`] for a size and an alignment, one for each family; null when memory
/// ran out.
macro_rules! allocate_aligned {
    ($($name:ident, $body:ident, $family:ident;)*) => {
        $(
            with_caller! {
                pub(crate) fn $name(size: usize, align: usize) -> *mut u8 = $body
            }

            extern "C" fn $body(size: usize, align: usize, sp: usize, fp: usize) -> *mut u8 {
                let caller = Registers { sp, fp };
                match allocate_soon(size, align, caller) {
                    Some(block) => block.as_ptr(),
                    None => allocate_any(Request::new(size, align, caller).of(Family::$family)),
                }
            }
        )*
    };
}

allocate_aligned! {
    allocate_layout, layout_body, C;
    allocate_new, new_body, New;
    allocate_new_array, new_array_body, NewArray;
}

/// Whether the calling thread's blocks are tracked.
#[inline(always)]
pub(crate) fn is_tracked() -> bool {
    tls::heap().is_tracked()
}

/// What nearly always serves where the fast path did not. `None`: [`allocate_any`] is to follow.
#[inline(always)]
pub(crate) fn allocate_soon(size: usize, align: usize, caller: Registers) -> Option<NonNull<u8>> {
    let (heap, class) = (tls::heap(), ClassId::for_layout(size, align)?);
    match heap.is_tracked() {
        true => allocate_tracked(heap, class, size, caller),
        false => ENGINE.allocate_plain(heap, class),
    }
}

/// The same for memory that is to be zero. Tracked blocks are.
#[inline(always)]
pub(crate) fn allocate_zeroed_soon(
    size: usize,
    align: usize,
    caller: Registers,
) -> Option<NonNull<u8>> {
    let (heap, class) = (tls::heap(), ClassId::for_layout(size, align)?);
    match heap.is_tracked() {
        true => allocate_tracked(heap, class, size, caller),
        false => ENGINE.allocate_plain_zeroed(heap, class, size),
    }
}

/// The same where the thread's blocks are not tracked.
#[inline(always)]
pub(crate) fn allocate_untracked(size: usize, align: usize) -> Option<NonNull<u8>> {
    ENGINE.allocate_plain(tls::heap(), ClassId::for_layout(size, align)?)
}

/// The same where they are.
#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn allocate_tracked(
    heap: &LocalHeap,
    class: ClassId,
    size: usize,
    caller: Registers,
) -> Option<NonNull<u8>> {
    let Handed { block, seen } = ENGINE.allocate_tracked(heap, class, size, caller);
    NonNull::new(match seen {
        Seen::NOWHERE => block,
        _ => ENGINE.allocate_special(heap, class, size, caller, seen),
    })
}

/// What nearly always happens where everything is tracked, for `size` bytes aligned to 16. Without
/// a block [`allocate_after`] is to follow at once.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(crate) extern "C" fn allocate_shortly(size: usize, sp: usize, fp: usize) -> Handed {
    match ClassId::for_size(size) {
        Some(class) => ENGINE.allocate_tracked(tls::heap(), class, size, Registers { sp, fp }),
        None => Handed::nothing(Seen::NOWHERE),
    }
}

/// The rest of [`allocate_shortly`]; null when memory ran out.
#[inline(always)]
pub(crate) fn allocate_after(
    size: usize,
    caller: Registers,
    seen: Seen,
    family: Family,
) -> *mut u8 {
    match ClassId::for_size(size) {
        Some(class) if seen != Seen::NOWHERE => {
            ENGINE.allocate_special(tls::heap(), class, size, caller, seen)
        }
        _ => allocate_any(Request::plain(size, caller).of(family)),
    }
}

/// Any request, by way of the thread's state; null when memory ran out.
#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(crate) fn allocate_any(request: Request) -> *mut u8 {
    clear_if_tracked(allocate_deeply(request))
}

/// Nothing that the deeper functions had on the stack stays behind, neither the block's address nor
/// what the program had in its registers: see [`stack`].
#[inline(always)]
fn clear_if_tracked(block: *mut u8) -> *mut u8 {
    match tls::heap().is_tracked() {
        true => stack::clear_after::<{ stack::SHALLOW }>(block),
        false => block,
    }
}

#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn allocate_deeply(request: Request) -> *mut u8 {
    let heap = tls::heap();
    if limit::refuses(heap, request.size) {
        return ptr::null_mut();
    }
    match heap.state() {
        State::Running if heap.is_observing() => ENGINE.allocate_private(request),
        State::Running if safety::is_on() => safety::allocate(heap, request),
        State::Running => {
            let block = ENGINE.allocate(heap, request);
            misuse::tell_damage();
            if heap.is_tracked() {
                stack::clear::<{ stack::COLD_PATH }>();
            }
            ask::look();
            block
        }
        State::Placeholder => match next::if_passive() {
            Some(next) => allocate_behind(next, request),
            None => match thread::attach() {
                Some(heap) if safety::is_on() => safety::allocate(heap, request),
                Some(heap) => ENGINE.allocate(heap, request),
                None => ptr::null_mut(),
            },
        },
        _ => ignored_if_disabled(ENGINE.allocate_late(request)),
    }
}

/// A thread without a heap of its own has no recorder either that would know.
fn ignored_if_disabled(block: *mut u8) -> *mut u8 {
    if lsan::is_disabled() {
        lsan::ignore_object(block.cast());
    }
    block
}

/// From the allocator behind this one.
#[cold]
fn allocate_behind(next: Next, Request { size, align, zero, .. }: Request) -> *mut u8 {
    // SAFETY: libc's functions, with arguments that they allow.
    let block = unsafe {
        match (align > ALIGN_MIN, zero) {
            (false, false) => (next.malloc)(size),
            (false, true) => (next.calloc)(size, 1),
            (true, _) => (next.memalign)(align, size),
        }
    };
    if zero && align > ALIGN_MIN && !block.is_null() {
        // SAFETY: the block is fresh and `size` long.
        unsafe { block.cast::<u8>().write_bytes(0, size) };
    }
    block.cast()
}

/// From the heap that is never observed: Heapsight's own needs.
pub(crate) fn allocate_private(size: usize, align: usize, zero: bool) -> *mut u8 {
    ENGINE.allocate_private(Request { zero, ..Request::new(size, align, Registers::NOWHERE) })
}

/// Frees a block of any thread; null is allowed, anything else that is no block in use is reported,
/// or given to the allocator behind this one.
#[inline(always)]
pub(crate) fn free(address: *mut u8, family: Family) {
    let heap = tls::heap();
    // SAFETY: the heap is the calling thread's, or a sentinel that owns no slab.
    match unsafe { ENGINE.free_fast(heap, address) } {
        Freed::Done => {}
        Freed::Emptied(slab) => ENGINE.retire(heap, slab),
        // In registers, and without a result: what is only the cold path's costs the fast one
        // nothing, not even a frame.
        Freed::Undecided(Some(slab)) if slab.is_tracked() => {
            free_tracked(address, family, heap, slab);
        }
        Freed::Undecided(_) => free_cold(address, family),
    }
}

/// The same of a block whose size and alignment the caller knows: what it knows wrongly is
/// reported.
#[inline(always)]
pub(crate) fn free_sized(address: *mut u8, family: Family, size: usize, align: usize) {
    let heap = tls::heap();
    // SAFETY: as in `free`.
    match unsafe { ENGINE.free_sized_fast(heap, address, size) } {
        Freed::Done => {}
        Freed::Emptied(slab) => ENGINE.retire(heap, slab),
        Freed::Undecided(_) => free_sized_cold(address, family, size, align),
    }
}

with_caller! {
    fn free_cold(address: *mut u8, family: Family) -> () = free_body
}

with_caller! {
    fn free_tracked(address: *mut u8, family: Family, heap: &LocalHeap, slab: &Slab)
        = free_shortly or free_special
}

with_caller! {
    fn free_sized_cold(address: *mut u8, family: Family, size: usize, align: usize) -> ()
        = free_sized_body
}

/// What nearly always happens where nothing is tracked.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn free_body(address: *mut u8, family: Family, sp: usize, fp: usize) {
    if !ENGINE.free_plain(tls::heap(), address, |_| true) {
        free_special(address, family, sp, fp);
    }
}

/// What nearly always happens where everything is. Returns null, or the address: then nothing was
/// done.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn free_shortly(
    address: *mut u8,
    _family: Family,
    heap: &LocalHeap,
    slab: &Slab,
) -> *mut u8 {
    if ENGINE.free_tracked(heap, slab, address) { ptr::null_mut() } else { address }
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn free_sized_body(
    address: *mut u8,
    family: Family,
    size: usize,
    align: usize,
    sp: usize,
    fp: usize,
) {
    let heap = tls::heap();
    let is_right =
        |slot: Slot<'_>| ENGINE.observer.record_of(slot).is_some_and(|it| it.size == size);
    if !ENGINE.free_tracked_if(heap, address, is_right)
        && !ENGINE.free_plain(heap, address, |slab| slab.serves(size))
    {
        safety::size::check(Call::Free, address, Named { size, align }, family);
        free_special(address, family, sp, fp);
    }
}

#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn free_special(address: *mut u8, family: Family, sp: usize, fp: usize) {
    free_deeply(address, family, sp, fp);
    clear_if_tracked(ptr::null_mut());
}

#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn free_deeply(address: *mut u8, family: Family, sp: usize, fp: usize) {
    let heap = tls::heap();
    if address.is_null() || ENGINE.free_tracked_special(heap, address) {
        return;
    }
    let freed = if safety::concerns(address) {
        // Who frees is remembered, also of a thread that has never allocated.
        let heap = match heap.state() {
            State::Placeholder if next::if_passive().is_none() => thread::attach().unwrap_or(heap),
            _ => heap,
        };
        safety::free(heap, address, family, Registers { sp, fp })
    } else {
        ENGINE.free(heap, address)
    };
    if let Err(misuse) = freed {
        refuse(misuse, family);
    }
}

#[cold]
#[inline(never)]
fn refuse(misuse: Misuse, family: Family) {
    match family {
        // Rust's allocator is this one alone.
        Family::Rust => misuse::handle(Call::Free, misuse),
        _ => foreign::free(misuse),
    }
}

/// Makes the block at `address` hold `size` bytes aligned to `align`; null when memory ran out.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(crate) fn reallocate(address: *mut u8, request: Request) -> Result<*mut u8, Misuse> {
    let heap = tls::heap();
    if limit::refuses(heap, request.size) {
        return Ok(ptr::null_mut());
    }
    match heap.state() {
        State::Running if safety::concerns(address) && !heap.is_observing() => {
            safety::reallocate(heap, address, request)
        }
        State::Running => ENGINE.reallocate(heap, address, request),
        State::Placeholder => match thread::attach() {
            Some(heap) if safety::concerns(address) => safety::reallocate(heap, address, request),
            Some(heap) => ENGINE.reallocate(heap, address, request),
            None => Ok(ptr::null_mut()),
        },
        _ => ENGINE.reallocate_late(address, request).map(ignored_if_disabled),
    }
}

/// Bytes the program may use at `address`; zero for what is no block of ours.
pub(crate) fn usable_size(address: *mut u8) -> usize {
    ENGINE.usable_size(address)
}

/// The same, where it is known at a glance: a tracked block's size is what was asked for.
#[inline]
pub(crate) fn usable_size_fast(address: *const u8) -> Option<usize> {
    ENGINE.usable_size_fast(address)
}

/// Whether `address` lies in memory of this engine.
pub(crate) fn is_ours(address: *const u8) -> bool {
    ENGINE.space.span_of(address).is_some()
}

/// Gives what nobody uses back to the system; whether there was anything.
pub(crate) fn trim() -> bool {
    ENGINE.trim(tls::heap()) > 0
}

/// Gives the addresses held in reserve back, but for a share of `limit`.
pub(crate) fn give_up_headroom(limit: usize) {
    ENGINE.space.give_up_headroom(limit);
}

/// Code is about to be unloaded, or has just been: stacks through it must be walked anew.
pub(crate) fn code_unloading() {
    ENGINE.observer.code_unloaded();
    safety::code_unloading();
}
