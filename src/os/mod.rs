//! Floor 1: the machine on one page. Porting Heapsight means writing this floor again.
//!
//! | part | contract |
//! |---|---|
//! | [`memory`] | reserve, commit, purge, move and release pages; failure is `None` or `false` |
//! | [`thread`] | a token that identifies the calling thread, never zero, without a system call |
//! | [`lock`]   | a parking lock that knows its owner |
//! | [`process`]| write to stderr, abort, read the auxiliary vector |
//! | [`clock`]  | a coarse monotonic clock, and a fine one that costs nanoseconds to read |
//! | [`tasks`]  | the process's threads: list them, signal one, ask what it does |
//! | [`copy`]   | a copy of the process, for itself |
//! | [`crew`]   | threads that help for a moment, and are none of the program's |
//! | [`maps`]   | what is mapped into the process |
//! | [`object`] | which executable or shared object covers an address, without the loader's lock |
//!
//! No function here allocates, takes a libc lock or changes `errno`: system calls are made
//! directly. Under Miri, and with `--cfg heapsight_mock`, [`memory`] is served by the test
//! process's own allocator.

pub(crate) mod lock;

#[cfg(all(target_os = "linux", not(any(miri, loom, heapsight_mock))))]
mod linux;
#[cfg(all(target_os = "linux", not(any(miri, loom, heapsight_mock))))]
pub(crate) use linux::{clock, copy, crew, futex, maps, memory, object, process, tasks, thread};

#[cfg(any(miri, loom, heapsight_mock))]
mod mock;
#[cfg(any(miri, heapsight_mock))]
pub(crate) use mock::{clock, copy, crew, futex, maps, memory, object, process, tasks, thread};
#[cfg(loom)]
pub(crate) use mock::{futex, thread};

#[cfg(not(any(target_os = "linux", miri, loom, heapsight_mock)))]
compile_error!(
    "Heapsight has no os/ port for this system: write src/os/<system> after src/os/linux"
);
