//! The system call instruction. Unlike libc's wrappers it leaves `errno` alone, which `free` must.

use core::arch::asm;

/// Makes system call `number`; a negative result is `-errno`.
///
/// # Safety
/// The arguments must be what the kernel expects of that call.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) unsafe fn call(number: libc::c_long, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel clobbers only rcx, r11 and the result; the rest is the caller's promise.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result,
            in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
            in("r10") args[3], in("r8") args[4], in("r9") args[5],
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

/// Makes system call `number`; a negative result is `-errno`.
///
/// # Safety
/// The arguments must be what the kernel expects of that call.
#[cfg(target_arch = "aarch64")]
#[inline]
pub(super) unsafe fn call(number: libc::c_long, args: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel clobbers only the result; the rest is the caller's promise.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") args[0] => result,
            in("x1") args[1], in("x2") args[2], in("x3") args[3],
            in("x4") args[4], in("x5") args[5], options(nostack));
    }
    result
}
