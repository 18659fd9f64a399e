//! Start, statistics and leak checks for C.

use crate::runtime::park::Caller;
use crate::runtime::safety::report::{self, MemoryError, OnMemoryError};
use crate::runtime::{inspect, options, start};
use core::ffi::{CStr, c_char, c_void};

/// How Heapsight is configured.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types)]
pub struct heapsight_config {
    /// Options as in the environment variable `HEAPSIGHT`, `"track=full,leaks=on"`; null: none.
    pub options: *const c_char,
}

/// Statistics of the tracked blocks. Bytes are those asked for. A `realloc` counts as one
/// allocation and one deallocation. Peaks are the largest values the current counters ever held.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
#[allow(non_camel_case_types)]
pub struct heapsight_stats_t {
    /// Blocks ever allocated.
    pub total_allocations: u64,
    /// Blocks in use.
    pub current_allocations: u64,
    /// Most blocks in use at one moment.
    pub peak_allocations: u64,
    /// Blocks ever freed.
    pub total_deallocations: u64,
    /// Bytes ever allocated.
    pub bytes_allocated: u64,
    /// Bytes ever freed.
    pub bytes_deallocated: u64,
    /// Bytes in use.
    pub current_bytes: u64,
    /// Most bytes in use at one moment.
    pub peak_bytes: u64,
}

/// A memory error, as the program's own function is told of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types)]
pub struct heapsight_memory_error {
    /// Which one, in words that do not change: `double free`, `heap buffer overflow`.
    pub kind: *const c_char,
    /// The sentence of the report.
    pub message: *const c_char,
    /// The address concerned: of the access, the free, or the first damaged byte.
    pub address: *const c_void,
}

const _: () = assert!(size_of::<heapsight_memory_error>() == size_of::<MemoryError>());

/// Puts a configuration into force, from this call on; null means defaults. Blocks from before stay
/// untracked.
///
/// Returns false, after one line on stderr for each, when options were wrong; they keep their
/// defaults, the others apply.
///
/// # Safety
/// `config` is null or valid, and its options are null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_init(config: *const heapsight_config) -> bool {
    // SAFETY: the caller's.
    let text = unsafe { config.as_ref() }
        .filter(|config| !config.options.is_null())
        // SAFETY: the caller's.
        .map_or(&[][..], |config| unsafe { CStr::from_ptr(config.options) }.to_bytes());
    let mut sound = true;
    let config = options::Config::parse(text, &mut |error| {
        sound = false;
        std::eprintln!("{error}");
    });
    start::ensure();
    start::apply(config);
    sound
}

/// Records what `track` says, `"off"`, `"stats"`, `"sample"`, `"sample:64K"` or `"full"`, from this
/// call on, and leaves the rest of the configuration as it is. Other threads follow with the next
/// blocks that they allocate. Blocks from before stay as they were recorded, or unknown.
///
/// Returns false, after one line on stderr, when it says none of these; nothing has changed then.
///
/// # Safety
/// `track` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_set_tracking(track: *const c_char) -> bool {
    // SAFETY: the caller's.
    let text = if track.is_null() { c"" } else { unsafe { CStr::from_ptr(track) } };
    match options::Track::parse(text.to_bytes()) {
        Ok(track) => start::set_tracking(track),
        Err(error) => {
            std::eprintln!("{error}");
            return false;
        }
    }
    true
}

/// Ends tracking: makes the leak report now rather than at exit, if `leaks=on`.
///
/// Returns whether anything leaked.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_deinit() -> bool {
    crate::deinit()
}

/// Fills `out` with the statistics. Returns false, and zeros, while nothing is tracked.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_stats(out: *mut heapsight_stats_t) -> bool {
    let stats = inspect::stats();
    let filled = heapsight_stats_t {
        total_allocations: stats.total_allocations,
        current_allocations: stats.current_allocations,
        peak_allocations: stats.peak_allocations,
        total_deallocations: stats.total_deallocations,
        bytes_allocated: stats.bytes_allocated,
        bytes_deallocated: stats.bytes_deallocated,
        current_bytes: stats.current_bytes,
        peak_bytes: stats.peak_bytes,
    };
    if !out.is_null() {
        // SAFETY: the caller's.
        unsafe { out.write(filled) };
    }
    inspect::is_tracking()
}

/// Prints the statistics to stderr.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_print_stats() {
    inspect::print_stats();
}

/// Starts the totals of the statistics at zero, and the peaks at what is current.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_reset_stats() {
    inspect::reset_stats();
}

/// Prints to stderr which tracked blocks are lost, which only lost ones lead to, and which are
/// still reachable and by whom.
///
/// Returns the number of blocks that count as leaked; those that are reachable, and those that libc
/// and the language run-times keep on purpose, do not. All other threads are stopped for that time,
/// by a signal: a call that waits in the kernel may end early with `EINTR`.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_check_for_leaks() -> u64 {
    leaked_blocks(&Caller::here())
}

/// Sets a mark in the ledger, if there is one: a name for this moment, for those who look at the
/// timeline.
///
/// # Safety
/// `name` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_mark(name: *const c_char) {
    if !name.is_null() {
        // SAFETY: the caller's.
        inspect::mark(unsafe { CStr::from_ptr(name) }.to_bytes());
    }
}

/// Names the function that `safety_action=callback` calls for each memory error that is found;
/// null: none. It is called on the thread that made or found the mistake, possibly from a signal
/// handler, while nothing of the heap is locked; when it returns, the program goes on.
///
/// # Safety
/// `function` is null or may be called with an error, which lives as long as the call, and `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapsight_on_memory_error(
    function: Option<unsafe extern "C" fn(error: *const heapsight_memory_error, data: *mut c_void)>,
    data: *mut c_void,
) {
    let function = function.map(|function| {
        // SAFETY: the two types of errors are laid out alike.
        unsafe { core::mem::transmute::<*const c_void, OnMemoryError>(function as *const c_void) }
    });
    report::set_function(function, data);
}

/// Checks the whole heap for contradictions, the sign of memory corruption, and, with
/// `safety=full`, for writes past the ends of blocks and after their end; the first of these is
/// reported. No other thread may use the heap meanwhile.
///
/// Returns how many were found.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_check_heap() -> usize {
    inspect::check_heap()
}

/// Out of the frame above, in which nothing of the program's is left behind.
#[inline(never)]
fn leaked_blocks(caller: &Caller) -> u64 {
    inspect::check_for_leaks(caller).leaked_blocks()
}
