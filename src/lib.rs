//! Heapsight: a memory allocator that knows where every byte came from.
#![no_std]
extern crate std;

mod base;
#[cfg(not(loom))]
mod format;
mod os;

// A model run (`--cfg loom`) has the concurrent protocols and nothing else.
#[cfg(all(loom, test))]
mod model;

#[cfg(not(loom))]
mod capi;
#[doc(hidden)]
#[cfg(not(loom))]
pub mod ffi;
#[cfg(not(loom))]
mod global;
#[cfg(not(loom))]
mod harden;
#[cfg(not(loom))]
mod heap;
#[cfg(not(loom))]
mod leak;
#[cfg(not(loom))]
pub mod mem {
    //! Routines over plain memory, as fast as the processor allows: copy, fill, compare, find,
    //! verify.
    //!
    //! Safe, on slices. Up to 32 bytes are served in place; beyond, the routine that suits the
    //! processor is one jump away. `docs/simd.md` tells when that beats the C library, and when it
    //! is the C library.

    pub(crate) mod libc;
    pub(crate) mod prefetch;
    pub(crate) mod routines;
    pub(crate) mod scan;

    pub use crate::simd::{
        compare, copy, copy_within, equal, fill, fill_u16, fill_u32, fill_u64, find, find_last,
        first_difference, first_other, is_filled, secure_zero, stream_copy,
    };
    pub(crate) use prefetch::prefetch;
}
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod runtime;
#[cfg(not(loom))]
pub mod simd;
#[cfg(not(loom))]
pub mod testing;
#[cfg(not(loom))]
mod track;
#[cfg(not(loom))]
mod unwind;

/// Ledgers, read: what a tracked process has recorded, while it runs or after its end.
///
/// `docs/ledger.md` describes the file.
#[cfg(not(loom))]
pub mod ledger {
    pub use crate::format::check::{LeakCheck, Progress, Why};
    pub use crate::format::read::{ReadError, from_bytes, read};
    pub use crate::format::request::request;
    pub use crate::format::snapshot::*;
    #[doc(hidden)]
    pub use crate::format::testing;
}
#[doc(hidden)]
#[cfg(not(loom))]
pub use report::reader as symbols;

/// The allocator's interface that collections are generic over, until the standard library's is
/// stable.
#[cfg(not(loom))]
pub use allocator_api2;
#[cfg(not(loom))]
pub use heapsight_macros::test;

#[cfg(not(loom))]
pub use api::*;
#[cfg(not(loom))]
mod api;
