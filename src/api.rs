//! The Rust functions, flat: configuration, statistics, leak checks.

pub use crate::global::{DupeError, Heapsight, Owned, Tracked};
pub use crate::report::{
    Asked, Block, Frame, Holder, Hop, Leak, LeakClass, LeakReport, Member, MemoryStats, Root,
    RootKind, Suppression,
};
pub use crate::runtime::options;
pub use crate::runtime::options::Config;
pub use crate::runtime::safety::report::{MemoryError, OnMemoryError};
pub use crate::simd::{Features, features};

use crate::runtime::options::{OptionError, Track};
use crate::runtime::park::Caller;
use crate::runtime::{exit, inspect, safety, start};
use core::ffi::c_void;

/// The allocator, to be passed along: for typed blocks ([`Owned`]) and for every collection that
/// takes an allocator of the crate [`allocator_api2`]. The program's global allocator may be
/// another one.
///
/// ```
/// let heap = heapsight::allocator();
/// let mut primes = heap.dupe(&[2, 3, 5])?;
/// heap.realloc_slice(&mut primes, 5, 7)?;
/// assert_eq!(*primes, [2, 3, 5, 7, 7]);
/// heap.realloc_shrink(&mut primes, 4);
/// heap.free(primes);
/// # Ok::<(), heapsight::allocator_api2::alloc::AllocError>(())
/// ```
#[must_use]
pub const fn allocator() -> Heapsight {
    Heapsight::new()
}

/// Puts a configuration into force, from this call on. Blocks from before stay untracked.
///
/// Without it, the environment variable `HEAPSIGHT` configures; with it, this call decides.
pub fn init(config: Config) {
    start::ensure();
    start::apply(config);
}

/// Records what `track` says, from this call on, and leaves the rest of the configuration as it is.
/// Other threads follow with the next blocks that they allocate. Blocks from before stay as they
/// were recorded, or unknown; their number is in the ledger.
///
/// The same as `heapsight attach PID --track MODE`, from inside.
///
/// # Errors
///
/// Samples are to be farther apart than is allowed, or not at all. Nothing has changed then.
///
/// ```
/// use heapsight::options::Track;
///
/// heapsight::set_tracking(Track::Full)?;
/// heapsight::set_tracking(Track::Off)?;
/// # Ok::<(), heapsight::options::OptionError>(())
/// ```
pub fn set_tracking(track: Track) -> Result<(), OptionError> {
    let config = Config::builder().track(track).build()?;
    start::set_tracking(config.track);
    Ok(())
}

/// What is recorded at this moment, whoever asked for it.
#[must_use]
pub fn tracking() -> Track {
    inspect::tracking()
}

/// Ends tracking: makes the leak report now rather than at exit, if leak checking is on.
///
/// Returns whether anything leaked. Tracking is off afterwards.
pub fn deinit() -> bool {
    let config = start::config();
    let leaked = config.leaks && exit::report_now();
    start::apply(Config { track: Track::Off, leaks: false, ..config });
    leaked
}

/// The statistics of all tracked blocks; all zero while nothing is tracked.
#[must_use]
pub fn stats() -> MemoryStats {
    inspect::stats()
}

/// Prints the statistics to stderr.
pub fn print_stats() {
    inspect::print_stats();
}

/// Starts the totals of the statistics at zero, and the peaks at what is current.
pub fn reset_stats() {
    inspect::reset_stats();
}

/// Prints to stderr which tracked blocks are lost, which only lost ones lead to, and which are
/// still reachable and by whom; returns the same.
///
/// Safe to call at any time, from any thread. All other threads are stopped while blocks are looked
/// at, by a signal: a call that waits in the kernel may end early with `EINTR`.
pub fn check_for_leaks() -> LeakReport {
    inspect::check_for_leaks(&Caller::here())
}

/// Sets a mark in the ledger, if there is one: a name for this moment, for those who look at the
/// timeline. Marks are few and short: a ledger holds some thousand.
pub fn mark(name: &str) {
    inspect::mark(name.as_bytes());
}

/// Names the function that `safety_action=callback` calls for each memory error that is found. It
/// is called on the thread that made or found the mistake, possibly from a signal handler; when it
/// returns, the program goes on.
///
/// # Safety
///
/// The function may be called with `data` from any thread.
pub unsafe fn on_memory_error(function: Option<OnMemoryError>, data: *mut c_void) {
    safety::report::set_function(function, data);
}

/// Checks the whole heap for contradictions, the sign of memory corruption, and, with
/// `safety=full`, for writes past the ends of blocks and after their end, the first of which is
/// reported; how many were found.
///
/// No other thread may use the heap meanwhile.
#[must_use]
pub fn check_heap() -> usize {
    inspect::check_heap()
}
