//! Who calls: the registers from which the caller's stack is unwound.
//!
//! A cold path that may record a stack begins with a *shim* of three instructions: it passes the
//! stack and frame pointers on as further arguments. Where the face's function is small enough to
//! reach the shim by a jump, as the fast paths are, the stack starts right at the program's call;
//! otherwise Heapsight's own frames come first, and reports leave them out.

/// Defines a function that calls `body` with its own arguments and the caller's
/// [`crate::unwind::Registers`], as `sp` and `fp`.
macro_rules! with_caller {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($a:ident: $A:ty) -> $R:ty = $body:path) => {
        $(#[$doc])*
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        $vis extern "C" fn $name($a: $A) -> $R {
            core::arch::naked_asm!(
                ".cfi_startproc", "mov rsi, rsp", "mov rdx, rbp", "jmp {}", ".cfi_endproc",
                sym $body
            )
        }

        $(#[$doc])*
        #[cfg(not(target_arch = "x86_64"))]
        #[inline(never)]
        $vis extern "C" fn $name($a: $A) -> $R {
            let caller = $crate::unwind::Registers::here();
            $body($a, caller.sp, caller.fp)
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($a:ident: $A:ty, $b:ident: $B:ty) -> $R:ty
        = $body:path) => {
        $(#[$doc])*
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        $vis extern "C" fn $name($a: $A, $b: $B) -> $R {
            core::arch::naked_asm!(
                ".cfi_startproc", "mov rdx, rsp", "mov rcx, rbp", "jmp {}", ".cfi_endproc",
                sym $body
            )
        }

        $(#[$doc])*
        #[cfg(not(target_arch = "x86_64"))]
        #[inline(never)]
        $vis extern "C" fn $name($a: $A, $b: $B) -> $R {
            let caller = $crate::unwind::Registers::here();
            $body($a, $b, caller.sp, caller.fp)
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty)
        -> $R:ty = $body:path) => {
        $(#[$doc])*
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        $vis extern "C" fn $name($a: $A, $b: $B, $c: $C) -> $R {
            core::arch::naked_asm!(
                ".cfi_startproc", "mov rcx, rsp", "mov r8, rbp", "jmp {}", ".cfi_endproc",
                sym $body
            )
        }

        $(#[$doc])*
        #[cfg(not(target_arch = "x86_64"))]
        #[inline(never)]
        $vis extern "C" fn $name($a: $A, $b: $B, $c: $C) -> $R {
            let caller = $crate::unwind::Registers::here();
            $body($a, $b, $c, caller.sp, caller.fp)
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty,
        $d:ident: $D:ty) -> $R:ty = $body:path) => {
        $(#[$doc])*
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        $vis extern "C" fn $name($a: $A, $b: $B, $c: $C, $d: $D) -> $R {
            core::arch::naked_asm!(
                ".cfi_startproc", "mov r8, rsp", "mov r9, rbp", "jmp {}", ".cfi_endproc",
                sym $body
            )
        }

        $(#[$doc])*
        #[cfg(not(target_arch = "x86_64"))]
        #[inline(never)]
        $vis extern "C" fn $name($a: $A, $b: $B, $c: $C, $d: $D) -> $R {
            let caller = $crate::unwind::Registers::here();
            $body($a, $b, $c, $d, caller.sp, caller.fp)
        }
    };
}

pub(crate) use with_caller;
