//! C++'s replaceable allocation functions.
//!
//! `operator new` must loop over the new-handler and throw when memory runs out, which no Rust
//! frame may do. So each is a stub in assembly: it calls the engine, and when that has nothing it
//! jumps, with its arguments restored, to the C++ library's own function of the same name, which
//! does the rest. No Rust frame is on the stack then.

use core::arch::naked_asm;
use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, Ordering};
use engine::ffi;

/// `operator new` in each of its eight forms: symbol, and the engine function that serves it.
macro_rules! operator_new {
    ($($name:ident, $serve:ident, $next:ident;)*) => {
        $(
            static $next: AtomicPtr<c_void> = AtomicPtr::new(resolve::$name as *mut c_void);

            /// See the module.
            #[cfg(target_arch = "x86_64")]
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C" fn $name() {
                naked_asm!(
                    ".cfi_startproc",
                    "push rdi", ".cfi_adjust_cfa_offset 8",
                    "push rsi", ".cfi_adjust_cfa_offset 8",
                    "push rdx", ".cfi_adjust_cfa_offset 8",
                    "call {serve}",
                    "pop rdx", ".cfi_adjust_cfa_offset -8",
                    "pop rsi", ".cfi_adjust_cfa_offset -8",
                    "pop rdi", ".cfi_adjust_cfa_offset -8",
                    "test rax, rax",
                    "je 2f",
                    "ret",
                    "2: jmp qword ptr [rip + {next}]",
                    ".cfi_endproc",
                    serve = sym $serve, next = sym $next,
                );
            }

            /// See the module.
            #[cfg(target_arch = "aarch64")]
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C" fn $name() {
                naked_asm!(
                    ".cfi_startproc",
                    "stp x29, x30, [sp, #-48]!",
                    ".cfi_def_cfa_offset 48", ".cfi_offset 29, -48", ".cfi_offset 30, -40",
                    "stp x0, x1, [sp, #16]",
                    "str x2, [sp, #32]",
                    "bl {serve}",
                    "mov x16, x0",
                    "ldp x0, x1, [sp, #16]",
                    "ldr x2, [sp, #32]",
                    "ldp x29, x30, [sp], #48",
                    ".cfi_def_cfa_offset 0", ".cfi_restore 29", ".cfi_restore 30",
                    "cbz x16, 2f",
                    "mov x0, x16",
                    "ret",
                    "2: adrp x16, {next}",
                    "ldr x16, [x16, :lo12:{next}]",
                    "br x16",
                    ".cfi_endproc",
                    serve = sym $serve, next = sym $next,
                );
            }
        )*

        /// What the stubs jump to before the C++ library's functions are known, and for ever in a
        /// program that has none: it cannot throw, so it says why it ends.
        mod resolve {
            $(
                pub(super) extern "C" fn $name() {
                    super::give_up();
                }
            )*
        }

        /// Looks the C++ library's functions up. From the constructor: the lookup may allocate.
        pub(crate) fn resolve_next() {
            $(
                let name = concat!(stringify!($name), "\0").as_ptr().cast::<c_char>();
                // SAFETY: the name is a C string.
                let next = unsafe { libc::dlsym(libc::RTLD_NEXT, name) };
                if !next.is_null() {
                    $next.store(next, Ordering::Relaxed);
                }
            )*
        }
    };
}

operator_new! {
    _Znwm, serve, NEXT_NEW;
    _Znam, serve_array, NEXT_NEW_ARRAY;
    _ZnwmRKSt9nothrow_t, serve, NEXT_NEW_NOTHROW;
    _ZnamRKSt9nothrow_t, serve_array, NEXT_NEW_ARRAY_NOTHROW;
    _ZnwmSt11align_val_t, serve_aligned, NEXT_NEW_ALIGNED;
    _ZnamSt11align_val_t, serve_aligned_array, NEXT_NEW_ARRAY_ALIGNED;
    _ZnwmSt11align_val_tRKSt9nothrow_t, serve_aligned, NEXT_NEW_ALIGNED_NOTHROW;
    _ZnamSt11align_val_tRKSt9nothrow_t, serve_aligned_array, NEXT_NEW_ARRAY_ALIGNED_NOTHROW;
}

extern "C" fn serve(size: usize) -> *mut c_void {
    ffi::new::<false>(size)
}

extern "C" fn serve_array(size: usize) -> *mut c_void {
    ffi::new::<true>(size)
}

extern "C" fn serve_aligned(size: usize, align: usize) -> *mut c_void {
    ffi::new_aligned::<false>(size, align)
}

extern "C" fn serve_aligned_array(size: usize, align: usize) -> *mut c_void {
    ffi::new_aligned::<true>(size, align)
}

/// Whether the program brings operators of its own for some of ours: what they serve is then
/// allocated by one family, and freed by another.
pub(crate) fn is_replaced() -> bool {
    // Not the addresses of ours: here, too, they are those of whoever comes first.
    let here = object_of(is_replaced as *const c_void);
    [c"_Znwm", c"_Znam", c"_ZdlPv", c"_ZdaPv"].into_iter().any(|name| {
        // SAFETY: a C string.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        !found.is_null() && object_of(found) != here
    })
}

/// Where the object begins that an address lies in.
fn object_of(address: *const c_void) -> *mut c_void {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: room for the answer.
    let _is_known = unsafe { libc::dladdr(address, info.as_mut_ptr()) };
    // SAFETY: all zeros is an answer: of no object.
    unsafe { info.assume_init() }.dli_fbase
}

#[cold]
fn give_up() -> ! {
    ffi::fatal("out of memory in operator new, and no C++ library to throw std::bad_alloc")
}

/// `operator delete` in each of its twelve forms: for arrays or not, with a size or without, and
/// with an alignment, which says nothing where there is no size.
macro_rules! operator_delete {
    ($(
        $name:ident($($arg:ident: $type:ty),*)
            = $target:ident<$is_array:literal>($($known:expr),*);
    )*) => {
        $(
            /// See the module.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(address: *mut c_void, $($arg: $type),*) {
                ffi::$target::<$is_array>(address, $($known),*);
            }
        )*
    };
}

operator_delete! {
    _ZdlPv() = delete<false>();
    _ZdaPv() = delete<true>();
    _ZdlPvm(size: usize) = delete_sized<false>(size, 1);
    _ZdaPvm(size: usize) = delete_sized<true>(size, 1);
    _ZdlPvRKSt9nothrow_t(_tag: *const c_void) = delete<false>();
    _ZdaPvRKSt9nothrow_t(_tag: *const c_void) = delete<true>();
    _ZdlPvSt11align_val_t(_align: usize) = delete<false>();
    _ZdaPvSt11align_val_t(_align: usize) = delete<true>();
    _ZdlPvmSt11align_val_t(size: usize, align: usize) = delete_sized<false>(size, align);
    _ZdaPvmSt11align_val_t(size: usize, align: usize) = delete_sized<true>(size, align);
    _ZdlPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: *const c_void) = delete<false>();
    _ZdaPvSt11align_val_tRKSt9nothrow_t(_align: usize, _tag: *const c_void) = delete<true>();
}
