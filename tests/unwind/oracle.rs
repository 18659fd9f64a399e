//! The platform's unwinder, as the C++ run-time library uses it: what is right by definition.

use heapsight::ffi::unwind::Place;
use std::ffi::{c_int, c_void};

/// A frame, and the stack pointer in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) sp: usize,
}

/// Most frames that are compared.
pub(crate) const DEPTH_MAX: usize = 1024;

unsafe extern "C" {
    fn _Unwind_Backtrace(
        visit: unsafe extern "C-unwind" fn(*mut c_void, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIPInfo(context: *mut c_void, is_exact: *mut c_int) -> usize;
    fn _Unwind_GetCFA(context: *mut c_void) -> usize;
    fn _Unwind_Find_FDE(pc: usize, bases: *mut [usize; 3]) -> *const c_void;
}

struct Visit<'a> {
    found: &'a mut [Found; DEPTH_MAX],
    len: usize,
}

unsafe extern "C-unwind" fn visit(context: *mut c_void, data: *mut c_void) -> c_int {
    // SAFETY: this is what `unwind` passes.
    let visit = unsafe { &mut *data.cast::<Visit<'_>>() };
    let mut is_exact = 0;
    // SAFETY: the unwinder's context, and a place for the answer.
    let (pc, sp) =
        unsafe { (_Unwind_GetIPInfo(context, &raw mut is_exact), _Unwind_GetCFA(context)) };
    if pc == 0 || visit.len == DEPTH_MAX {
        return 5;
    }
    let place = Place { pc: pc as u64, exact: is_exact != 0, ending: false };
    visit.found[visit.len] = Found { place, sp };
    visit.len += 1;
    0
}

/// The frames from here outwards, innermost first. Allocates nothing.
#[inline(never)]
pub(crate) fn unwind(found: &mut [Found; DEPTH_MAX]) -> usize {
    let mut visit_data = Visit { found, len: 0 };
    // SAFETY: `visit` gets back what is passed here.
    unsafe { _Unwind_Backtrace(visit, (&raw mut visit_data).cast()) };
    visit_data.len
}

/// Whether there is unwind information for the instruction that is executed in this frame.
pub(crate) fn is_described(place: Place) -> bool {
    let inside = place.pc as usize - usize::from(!place.exact);
    let mut bases = [0; 3];
    // SAFETY: it writes three addresses, which nobody needs.
    !unsafe { _Unwind_Find_FDE(inside, &raw mut bases) }.is_null()
}

/// Whether the platform's unwinder survives a stack that ends here: to tell signal handlers it
/// reads the instructions of code without unwind information, wherever that is said to be.
pub(crate) fn survives(last: Place) -> bool {
    let mut bytes = [0_u8; 16];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: last.pc as usize as *mut c_void, iov_len: bytes.len() };
    // SAFETY: a range of this process's, which the kernel refuses if it cannot be read.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    read == bytes.len() as isize
}
