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
mod mem;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod runtime;
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

#[cfg(not(loom))]
pub use heapsight_macros::test;

#[cfg(not(loom))]
pub use api::*;
#[cfg(not(loom))]
mod api;
