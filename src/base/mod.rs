//! Floor 0: what `std` would give us if it never allocated.
//!
//! Everything here is pure: no system call, no allocation, no panic in release. [`sync`] is the one
//! door to atomics, so that the protocols above run unchanged under loom.

#[cfg(not(loom))]
pub(crate) mod arith;
#[cfg(not(loom))]
pub(crate) mod bitmap;
#[cfg(not(loom))]
pub(crate) mod stack;
pub(crate) mod sync;
#[cfg(not(loom))]
pub(crate) mod text;
