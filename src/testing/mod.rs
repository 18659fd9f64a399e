//! Tests of memory: how much does this code allocate, and does it leak?
//!
//! ```
//! #[global_allocator]
//! static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
//!
//! # fn main() {
//! let name = heapsight::assert_allocations!(<= 1, { String::from("shop") });
//! heapsight::assert_allocations!(allocations == 0, bytes == 0, { name.len() });
//! heapsight::assert_no_leaks!({ drop(vec![name]) });
//! # }
//! ```
//!
//! | what | for |
//! |---|---|
//! | [`assert_allocations!`](crate::assert_allocations) | so many allocations, or bytes |
//! | [`assert_no_leaks!`](crate::assert_no_leaks) | a piece of code leaks nothing |
//! | [`#[heapsight::test]`](macro@crate::test) | a test that fails when it leaks |
//! | [`Scope`] | what they are made of: numbers, call stacks, several threads, tasks |
//!
//! # Tests run in parallel
//!
//! All of these count a *scope*: the calling thread, from the beginning of the code to its end, and
//! nothing else. Other tests, which run in other threads of the same process, are not counted, and
//! neither are threads that the code itself starts, unless they are told to be: see [`Scope`].
//! Nested scopes count the same allocation each. It makes no difference whether a test has a
//! process of its own, as under `cargo nextest`.
//!
//! # What it takes
//!
//! Heapsight must be the global allocator of the test's program; a crate that is not to depend on
//! it otherwise puts the static into its tests: `#[cfg(test)] #[global_allocator] static …`. The
//! first scope switches [`Track::Full`](crate::options::Track::Full) on; nobody has to configure
//! anything. Blocks from before are not known: that they are freed is not counted. As it may be
//! another test that has the first scope, bounds on frees are for blocks that scopes have
//! allocated, or for programs that are tracked from the beginning, by `HEAPSIGHT=track=full` in
//! their environment.
//!
//! # What is exact
//!
//! Allocations and bytes are exact, and are those that the program asked for: `Vec::push` may
//! allocate nothing or a larger buffer. Growing or shrinking a block counts as one allocation and
//! one deallocation, whether it moved or not. Blocks allocated in a signal handler that has
//! interrupted the allocator are nobody's.

mod assertions;
mod future;
mod macros;
mod scope;

#[doc(hidden)]
pub use assertions::{Bound, Quantity, Relation, Trial, assert_allocations, assert_no_leaks};
pub use future::Scoped;
pub use scope::{Counts, Entered, Scope};

pub use crate::report::CallSite;
