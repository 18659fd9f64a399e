//! The algorithms, compiled once for each kind of register: functions of C's calling convention
//! that are allowed its instructions, so that everything is inlined into them.

use super::limits::Limits;
#[cfg(all(target_arch = "aarch64", not(miri)))]
use super::neon::Neon;
use super::vector::Far;
use super::words::Words;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use super::x86;
use super::{compare, copy, fill, find, verify};

/// What a caller jumps to. All take the limits last, in a register of its own.
macro_rules! instance {
    ($(#[$features:meta])? $name:ident of $vector:ty) => {
        /// # Safety
        /// The memory is as the algorithm asks, and the processor has the instructions.
        pub(crate) mod $name {
            use super::*;

            instance! { @functions $(#[$features])? $vector;
                copy(to: *mut u8, from: *const u8, len: usize) -> *mut u8
                    = |limits| copy::copy::<V>(to, from, len, limits);
                stream(to: *mut u8, from: *const u8, len: usize) -> *mut u8
                    = |limits| copy::stream_copy::<V>(to, from, len, limits);
                set(to: *mut u8, byte: i32, len: usize) -> *mut u8
                    = |limits| fill::fill::<V, true>(to, byte as u64, len, limits);
                fill(to: *mut u8, pattern: u64, len: usize) -> *mut u8
                    = |limits| fill::fill::<V, false>(to, pattern, len, limits);
                compare(a: *const u8, b: *const u8, len: usize) -> i32
                    = |_limits| compare::compare::<V, compare::Order>(a, b, len);
                differs(a: *const u8, b: *const u8, len: usize) -> i32
                    = |_limits| compare::differs::<V>(a, b, len);
                mismatch(a: *const u8, b: *const u8, len: usize) -> usize
                    = |_limits| compare::compare::<V, compare::Place>(a, b, len);
                find(from: *const u8, byte: i32, len: usize) -> *const u8
                    = |_limits| find::find::<V>(from, byte as u8, len);
                find_last(from: *const u8, byte: i32, len: usize) -> *const u8
                    = |_limits| find::find_last::<V>(from, byte as u8, len);
                length(from: *const u8) -> usize
                    = |_limits| find::length::<V>(from);
                verify(from: *const u8, pattern: u64, len: usize) -> usize
                    = |_limits| verify::verify::<V>(from, pattern, len);
                // What the ways in of [`super::near`] go on with.
                copy_long(to: *mut u8, from: *const u8, len: usize) -> *mut u8
                    = |limits| copy::long::<V>(to, from, len, limits);
                set_long(to: *mut u8, byte: i32, len: usize) -> *mut u8
                    = |limits| fill::long::<V, true>(to, byte as u64, len, limits);
            }

            instance! { @far $(#[$features])?;
                copy_far(to: *mut u8, from: *const u8, len: usize)
                    = |limits| copy::far::<V>(to, from, len, limits);
                set_far(to: *mut u8, pattern: u64, len: usize)
                    = |limits| fill::set_far::<V>(to, pattern, len, limits);
                fill_far(to: *mut u8, pattern: u64, len: usize)
                    = |limits| fill::fill_far::<V>(to, pattern, len, limits);
            }
        }
    };
    (@far #[$features:meta];
        $($name:ident($($argument:ident: $type:ty),*) = |$limits:ident| $call:expr;)*
    ) => {
        $(
            #[$features]
            #[inline(never)]
            unsafe extern "C" fn $name($($argument: $type,)* $limits: &Limits) -> *mut u8 {
                // SAFETY: the caller's.
                unsafe { $call }
            }
        )*
        instance! { @there $($name($($argument: $type),*);)* }
    };
    (@far;
        $($name:ident($($argument:ident: $type:ty),*) = |$limits:ident| $call:expr;)*
    ) => {
        $(
            #[inline(never)]
            unsafe extern "C" fn $name($($argument: $type,)* $limits: &Limits) -> *mut u8 {
                // SAFETY: the caller's.
                unsafe { $call }
            }
        )*
        instance! { @there $($name($($argument: $type),*);)* }
    };
    (@there $($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl super::Far for V {
            $(
                #[inline(always)]
                unsafe fn $name($($argument: $type,)* limits: &Limits) -> *mut u8 {
                    // SAFETY: the caller's: who is in this register's code has its instructions.
                    unsafe { $name($($argument,)* limits) }
                }
            )*
        }
    };
    (@functions #[$features:meta] $vector:ty;
        $($name:ident($($argument:ident: $type:ty),*) -> $out:ty
            = |$limits:ident| $call:expr;)*
    ) => {
        type V = $vector;
        $(
            #[$features]
            #[allow(dead_code, reason = "not every instance has ways in of its own")]
            pub(crate) unsafe extern "C" fn $name($($argument: $type,)* $limits: &Limits) -> $out {
                // SAFETY: the caller's.
                unsafe { $call }
            }
        )*
    };
    (@functions $vector:ty;
        $($name:ident($($argument:ident: $type:ty),*) -> $out:ty
            = |$limits:ident| $call:expr;)*
    ) => {
        type V = $vector;
        $(
            #[allow(dead_code, reason = "not every instance has ways in of its own")]
            pub(crate) unsafe extern "C" fn $name($($argument: $type,)* $limits: &Limits) -> $out {
                // SAFETY: the caller's.
                unsafe { $call }
            }
        )*
    };
}

instance! { words of Words }
#[cfg(all(target_arch = "x86_64", not(miri)))]
instance! { sse2 of x86::Sse2 }
#[cfg(all(target_arch = "x86_64", not(miri)))]
instance! { #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")] avx2 of x86::Avx2 }
#[cfg(all(target_arch = "x86_64", not(miri)))]
instance! {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,popcnt")]
    avx512 of x86::Avx512
}
#[cfg(all(target_arch = "aarch64", not(miri)))]
instance! { neon of Neon }

#[cfg(test)]
pub(super) use instance;
