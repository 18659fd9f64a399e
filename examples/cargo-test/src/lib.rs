//! A shop, for the sake of its tests: they say how much it allocates, and fail when it leaks.
//!
//! `cargo test -p heapsight-example` runs them, in parallel as ever.

pub mod basket;
pub mod catalogue;
pub mod feed;

/// What the tests need, and nothing else: the shop itself knows nothing of Heapsight.
#[cfg(test)]
#[global_allocator]
static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
