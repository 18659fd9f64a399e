//! The registers of x86-64: 16, 32 and 64 bytes.

mod avx2;
mod avx512;
pub(crate) mod near;
mod sse2;

pub(super) use avx2::Avx2;
pub(super) use avx512::Avx512;
pub(super) use sse2::Sse2;

use super::vector::Vector;

/// Implements [`Vector`] by intrinsics.
macro_rules! by_intrinsics {
    ($vector:ident, $bytes:literal, $short:ty;
        $($name:ident($($argument:ident: $type:ty),*) $(-> $out:ty)? = $body:expr;)*
        $({ $($more:item)* })?
    ) => {
        impl Vector for $vector {
            const BYTES: usize = $bytes;
            const SHIFT: u32 = 0;
            type Short = $short;

            $(
                #[inline(always)]
                unsafe fn $name($($argument: $type),*) $(-> $out)? {
                    // SAFETY: the caller's: the processor has the instruction, and memory is as
                    // the trait says.
                    unsafe { $body }
                }
            )*
            $($($more)*)?
        }
    };
}
use by_intrinsics;
