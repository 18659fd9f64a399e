//! The C face: `extern "C"` functions under the prefix `heapsight_`, and the header they make.
//!
//! | module | functions |
//! |---|---|
//! | [`memory`] | libc's semantics, for this face and the C library's unprefixed names |
//! | [`heap`] | `heapsight_malloc` and its family |
//! | [`tracking`] | start, statistics, leak checks |
//! | [`simd`] | memory routines |
//! | [`summary`] | what glibc's introspection functions answer with |

// The header is made of what is `pub` here, exported by name rather than by path.
#![expect(unreachable_pub, reason = "cbindgen reads `pub`")]

pub(crate) mod cxx;
pub(crate) mod heap;
pub(crate) mod memory;
pub(crate) mod simd;
pub(crate) mod summary;
pub(crate) mod tracking;
