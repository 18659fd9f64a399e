//! Copies and fills of the program, looked at before they are made.
//!
//! Where `libheapsight_mem.so` serves the program's `memcpy` and its kin, it tells of each call, if
//! it is asked to, as `safety=full` and `safety=guard` do. What begins in a watched block must end
//! in it, and what `memcpy` copies must not overlap. So a copy is found before it does harm, and
//! reads are, too. What Heapsight itself copies is never in a block that is still sealed, but for
//! what it moves on the program's behalf, and that fits. A thread that has not allocated is not
//! looked at.

use super::finding::{Finding, Known};
use super::report::report;
use super::watch::sealed;
use crate::heap::local::State;
use crate::runtime::inspect::Unobserved;
use crate::runtime::{ENGINE, tls};
use core::ffi::{CStr, c_char, c_void};
use core::mem;

/// What the other object calls.
type Hook = unsafe extern "C" fn(*const c_char, *mut c_void, *const c_void, usize, bool);

/// Which half of a copy goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum Access {
    Read,
    Write,
}

/// Asks the other object, if it is there, to tell of every copy, for good.
pub(super) fn follow() {
    // The loader keeps what it says of a name that it does not find.
    let _unobserved = Unobserved::begin();
    // SAFETY: a C string.
    let watch = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"heapsight_mem_watch".as_ptr()) };
    if watch.is_null() {
        return;
    }
    // SAFETY: nobody else has a function of this name.
    let watch = unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn(Hook)>(watch) };
    // SAFETY: looking at a block takes no lock and changes nothing.
    unsafe { watch(look) };
}

/// Looks at what is about to be copied or filled, and reports it.
///
/// # Safety
/// `name` is a C string that stays.
unsafe extern "C" fn look(
    name: *const c_char,
    to: *mut c_void,
    from: *const c_void,
    len: usize,
    apart: bool,
) {
    // Whatever looks may copy.
    let heap = tls::heap();
    let is_inside = heap.state() != State::Running || heap.is_busy() || heap.is_observing();
    if len == 0 || is_inside || !super::is_on() {
        return;
    }
    let (to, from) = (to as usize, from as usize);
    let unobserved = Unobserved::begin();
    // A structure that is assigned to itself is copied by compilers, too.
    let is_overlap = apart && to != from && to.abs_diff(from) < len;
    let read = leaving(from, len).map(|block| (block, from, Access::Read));
    let wrong = leaving(to, len).map(|block| (block, to, Access::Write)).or(read);
    drop(unobserved);
    if wrong.is_none() && !is_overlap {
        return;
    }
    // SAFETY: the caller's.
    let routine = unsafe { CStr::from_ptr::<'static>(name) }.to_str().unwrap_or_default();
    if let Some((block, at, access)) = wrong {
        report(&Finding::Copy { routine, block, at, len, access });
    } else {
        report(&Finding::Overlap { routine, to, from, len });
    }
}

/// The watched block that `address` lies in, if it ends before `len` bytes do.
fn leaving(address: usize, len: usize) -> Option<Known> {
    let slot = ENGINE.slot_of(core::ptr::without_provenance(address))?;
    let record = sealed(slot)?;
    let start = slot.slab.block(slot.index) as usize;
    let end = start + record.size;
    let is_inside = address >= start && address <= end && len <= end - address;
    if is_inside { None } else { Some(Known::of(slot, record)) }
}
