//! The C library: `libheapsight.so`, to link or to preload, and `libheapsight.a`.
//!
//! Everything here forwards to the engine; what remains is the list of names and the order of
//! start-up. The library is a package of its own because a `malloc` in the Rust library would land
//! in every Rust program that depends on it.
//!
//! | module | names |
//! |---|---|
//! | [`malloc`] | the malloc family, libc's aliases of it, BSD's extensions |
//! | [`introspect`] | `mallinfo`, `malloc_trim`, `malloc_info`, `mallopt` and their kin |
//! | [`cxx`] | C++'s `operator new` and `operator delete` |
//! | [`legacy`] | `c_free`, `c_realloc` |
//! | [`lifecycle`] | constructor, and the libc calls that an allocator has to see |
//! | [`lsan`] | LeakSanitizer's interface |
//! | [`thread`] | `pthread_create` |

#[expect(non_snake_case, reason = "the names are what the C++ ABI makes of them")]
mod cxx;
mod introspect;
mod legacy;
mod lifecycle;
mod lsan;
mod malloc;
mod thread;

/// The library's own allocations (reports, mostly) come from the heap that is never observed.
#[global_allocator]
static OWN: engine::ffi::PrivateHeap = engine::ffi::PrivateHeap;
