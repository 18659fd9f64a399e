//! Who calls: the registers from which the caller's stack is unwound.
//!
//! A cold path that may record a stack begins with a *shim* of three instructions: it passes the
//! stack and frame pointers on as further arguments. Where the face's function is small enough to
//! reach the shim by a jump, as the fast paths are, the stack starts right at the program's call;
//! otherwise Heapsight's own frames come first, and reports leave them out.
//!
//! Where everything is tracked, a *short* way is tried first, and nearly always enough. It is
//! called, so what only the rest needs is none of its business: it has the registers for itself.

/// Defines a function that calls `body` with its own arguments and the caller's
/// [`crate::unwind::Registers`], as `sp` and `fp`. `short or body`: if the short way was not
/// enough.
macro_rules! with_caller {
    (fn $name:ident($a:ident: usize) -> $R:ty = short or $body:path) => {
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        extern "C" fn $name($a: usize) -> $R {
            core::arch::naked_asm!(
                ".cfi_startproc",
                "push rdi",
                ".cfi_adjust_cfa_offset 8",
                "lea rsi, [rsp + 8]",
                "mov rdx, rbp",
                "call {short}",
                "pop rdi",
                ".cfi_adjust_cfa_offset -8",
                "test rax, rax",
                "jz 2f",
                "ret",
                "2:",
                "mov rcx, rdx",
                "mov rsi, rsp",
                "mov rdx, rbp",
                "jmp {body}",
                ".cfi_endproc",
                short = sym $crate::runtime::entry::allocate_shortly,
                body = sym $body,
            )
        }

        #[cfg(not(target_arch = "x86_64"))]
        #[inline(never)]
        extern "C" fn $name($a: usize) -> $R {
            let $crate::unwind::Registers { sp, fp } = $crate::unwind::Registers::here();
            let handed = $crate::runtime::entry::allocate_shortly($a, sp, fp);
            match handed.block.is_null() {
                false => handed.block.cast(),
                true => $body($a, sp, fp, handed.seen),
            }
        }
    };
    (fn $name:ident($a:ident: $A:ty, $how:ident: $W:ty, $heap:ident: $H:ty, $slab:ident: $S:ty)
        = $short:ident or $body:path) => {
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        extern "C" fn $name($a: $A, $how: $W, $heap: $H, $slab: $S) {
            core::arch::naked_asm!(
                ".cfi_startproc",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "call {short}",
                "pop rsi",
                ".cfi_adjust_cfa_offset -8",
                "test rax, rax",
                "jnz 2f",
                "ret",
                "2:",
                "mov rdi, rax",
                "mov rdx, rsp",
                "mov rcx, rbp",
                "jmp {body}",
                ".cfi_endproc",
                short = sym $short,
                body = sym $body,
            )
        }

        #[cfg(not(target_arch = "x86_64"))]
        #[inline(never)]
        extern "C" fn $name($a: $A, $how: $W, $heap: $H, $slab: $S) {
            let caller = $crate::unwind::Registers::here();
            if !$short($a, $how, $heap, $slab).is_null() {
                $body($a, $how, caller.sp, caller.fp);
            }
        }
    };
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
