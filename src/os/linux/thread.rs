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
