//! The routines of every day with AVX2, in assembly. Most calls are small, and take no longer than
//! their branches: which of them are taken, and that no register is saved for a case that does not
//! come, is worth more there than any algorithm, and no compiler lets itself be told. The
//! algorithms are those of [`super::super`], which also go on where a copy or a fill is not small.
//!
//! Up to some KiB such a call waits for its own instructions. Zen takes them from a cache of
//! decoded ones, at most eight a cycle and none from behind a branch that is taken or the end of 64
//! aligned bytes; a neighbour on the same core takes every other cycle. So each way begins on a
//! boundary, and has as few such groups as it can: what comes first in a text is what most calls
//! need, what branches away is rarer, and short branches keep a group short. The figures hang on
//! this: who moves a line measures again.
//!
//! Each text ([`copying`], [`filling`], [`comparing`], [`differing`], [`finding`],
//! [`finding_last`]) is a function of the instance, and once more the beginning of a C function
//! ([`enter`]). That one asks first whether it is AVX2 that serves, the most common case by far; if
//! not, it jumps [`elsewhere`]. So a call of libc's is not slower by a jump when it becomes one of
//! ours.
//!
//! Nothing is read in a page that was not to be read, and no upper half of a register is left
//! dirty: that would slow down what comes after. The last line of each text aligns the section that
//! the function has to itself, and so its beginning.

mod comparing;
mod copying;
mod differing;
mod filling;
mod finding;
mod finding_last;
mod storing;

pub(crate) use super::super::dispatch::{Dispatch, elsewhere};
use super::super::limits::Limits;
pub(crate) use super::super::limits::SURELY_SMALL;
use super::near;
pub(crate) use comparing::{compare, four};
pub(crate) use copying::{copy, set};
pub(crate) use differing::differs;
pub(crate) use filling::fill;
pub(crate) use finding::{find, length};
pub(crate) use finding_last::find_last;
pub(crate) use storing::{stores, stores_beyond};

/// What copies and fills go on with.
pub(crate) use super::super::instance::avx2 as long;

/// The functions of the instance.
macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty = $($empty:literal)*;)*) => {
        $(
            /// # Safety
            /// As the routine of that name, and the processor has AVX2 and BMI.
            #[unsafe(naked)]
            pub(crate) unsafe extern "C" fn $name($($argument: $type,)* limits: &Limits) -> $out {
                $name!($($empty,)*)
            }
        )*
    };
}

functions! {
    copy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 = "" "" "";
    set(to: *mut u8, byte: i32, len: usize) -> *mut u8 = "" "" "";
    fill(to: *mut u8, pattern: u64, len: usize) -> *mut u8 = "" "" "";
    compare(a: *const u8, b: *const u8, len: usize) -> i32 = "" "";
    differs(a: *const u8, b: *const u8, len: usize) -> i32 = "" "";
    find(from: *const u8, byte: i32, len: usize) -> *const u8 = "" "";
    find_last(from: *const u8, byte: i32, len: usize) -> *const u8 = "" "";
    length(from: *const u8) -> usize = "" "";
}

/// The body of a C function that is nothing else, and naked: `enter!(copy of ROUTINES)`.
macro_rules! enter {
    (length of $routines:path) => {
        near::length!(
            "cmp byte ptr [rip + {routines} + {tier}], {avx2}
             jne 91f",
            "91: lea rsi, [rip + {routines}]
             jmp {elsewhere}",
            routines = sym $routines,
            tier = const near::Dispatch::TIER_AT,
            avx2 = const near::Dispatch::AVX2,
            elsewhere = sym near::elsewhere::length
        )
    };
    // `prepare` makes of the arguments a target, a pattern of eight bytes, and a number of bytes.
    (fill of $routines:path, $prepare:literal) => {
        near::enter!(fill of $routines, near::elsewhere::fill, $prepare)
    };
    (copy of $routines:path) => { near::enter!(copy of $routines, near::elsewhere::copy) };
    (set of $routines:path) => { near::enter!(set of $routines, near::elsewhere::set) };
    ($name:ident of $routines:path, $elsewhere:path $(, $prepare:literal)?) => {
        near::$name!(
            $($prepare)?
            "cmp byte ptr [rip + {routines} + {tier}], {avx2}
             jne 91f",
            "lea rcx, [rip + {routines} + {limits}]",
            "91: lea rcx, [rip + {routines}]
             jmp {elsewhere}",
            routines = sym $routines,
            tier = const near::Dispatch::TIER_AT,
            limits = const near::Dispatch::LIMITS_AT,
            avx2 = const near::Dispatch::AVX2,
            elsewhere = sym $elsewhere
        )
    };
    ($name:ident of $routines:path) => {
        near::$name!(
            "cmp byte ptr [rip + {routines} + {tier}], {avx2}
             jne 91f",
            "91: lea rcx, [rip + {routines}]
             jmp {elsewhere}",
            routines = sym $routines,
            tier = const near::Dispatch::TIER_AT,
            avx2 = const near::Dispatch::AVX2,
            elsewhere = sym near::elsewhere::$name
        )
    };
}
pub(crate) use enter;
