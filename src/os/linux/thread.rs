//! Who is calling.

use super::syscall::call;
use core::arch::asm;

/// A number, even and not zero, that no other living thread of this process has: its thread
/// pointer. After `fork` the surviving thread keeps its token.
#[inline]
pub(crate) fn token() -> usize {
    let pointer: usize;
    // SAFETY: reads the thread pointer register (x86-64: its copy in the thread block).
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags));
    }
    // SAFETY: reads the thread pointer register.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("mrs {}, tpidr_el0", out(reg) pointer, options(nostack, nomem, preserves_flags));
    }
    pointer
}

/// The kernel's id of this thread, as `top -H` and debuggers show it.
pub(crate) fn id() -> u32 {
    // SAFETY: gettid has no arguments and cannot fail.
    unsafe { call(libc::SYS_gettid, [0; 6]) as u32 }
}

/// Calls `body` on another stack, and comes back.
///
/// # Safety
/// `end` is the end of memory that nobody else uses meanwhile, aligned to 16, and `body` gets along
/// with what there is of it. `body` may be called with `argument`, and does not unwind.
pub(crate) unsafe fn call_on_stack(
    end: *mut u8,
    body: unsafe extern "C" fn(*mut u8),
    argument: *mut u8,
) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the stack pointer waits in a register that `body` keeps; the rest is the caller's.
    unsafe {
        asm!(
            "xchg rsp, r12", "call {body}", "mov rsp, r12",
            body = in(reg) body, inout("r12") end => _, in("rdi") argument,
            clobber_abi("C"),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!(
            "mov x20, sp", "mov sp, {end}", "blr {body}", "mov sp, x20",
            end = in(reg) end, body = in(reg) body, in("x0") argument, out("x20") _,
            clobber_abi("C"),
        );
    }
}
