//! How the process starts: where the configuration comes from, and what is set in motion.
//!
//! The engine serves `malloc` long before this runs, from the dynamic loader on. It does so
//! unobserved; what the configuration asks for begins with the constructor of the C library, or,
//! in a Rust program, with its first allocation through [`crate::Heapsight`].

use super::options::{Config, Safety, ToggleSignal, Track};
use super::{
    ENGINE, ask, exit, fork, ledger, limit, lsan, misuse, next, park, place, safety, simd, tls,
    toggle,
};
use crate::base::sync::{AtomicBool, Ordering};
use crate::base::text::Text;
use crate::heap::local::State;
use crate::heap::space;
use crate::os::{lock::Lock, process};
use crate::track::Recorded;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::fmt::Write;
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

static STARTED: AtomicBool = AtomicBool::new(false);

/// The configuration in force.
static CONFIG: Current = Current { lock: Lock::new(), config: UnsafeCell::new(Config::DEFAULT) };

struct Current {
    lock: Lock,
    config: UnsafeCell<Config>,
}

// SAFETY: the cell is reached only under the lock.
unsafe impl Sync for Current {}

const STDERR: i32 = 2;

/// The environment variable by which `heapsight run` names the process that it became.
const FIRST_PROCESS: &CStr = c"HEAPSIGHT_RUN_PID";

/// The environment a process was started with, as its constructors get it: libc's own pointer to it
/// is not set yet when ours runs.
pub type Environment = *const *const c_char;

/// Starts the C library's face: the constructor calls this, before the program's own.
///
/// # Safety
/// `environment` is null or a null-terminated array of C strings.
pub unsafe fn start(environment: Environment) {
    next::resolve();
    // SAFETY: the caller's.
    let options = unsafe { variable(environment, c"HEAPSIGHT") };
    // SAFETY: the caller's.
    place::set_first_process(unsafe { variable(environment, FIRST_PROCESS) });
    // SAFETY: the caller's.
    let check = unsafe { wants_glibc_check(environment) };
    begin(options.or(check.then_some(b"track=stats")));
    // SAFETY: the caller's.
    lsan::limit_allocations(unsafe { variable(environment, c"LSAN_OPTIONS") });
}

/// Whether glibc's own switches ask for a checking heap. Ours always checks; what they add is that
/// `malloc_usable_size` is exact, which a tracked heap knows.
///
/// # Safety
/// As [`start`].
unsafe fn wants_glibc_check(environment: Environment) -> bool {
    let is_on = |value: &[u8]| value.first().is_some_and(|level| (b'1'..=b'9').contains(level));
    // SAFETY: the caller's.
    let by_name = unsafe { variable(environment, c"MALLOC_CHECK_") };
    // SAFETY: the caller's.
    let tunables = unsafe { variable(environment, c"GLIBC_TUNABLES") }.unwrap_or_default();
    by_name.is_some_and(is_on)
        || tunables
            .split(|byte| *byte == b':')
            .filter_map(|tunable| tunable.strip_prefix(b"glibc.malloc.check="))
            .any(is_on)
}

/// Starts the C library's face in a program that brings its own `malloc`.
///
/// # Safety
/// As [`start`].
pub unsafe fn start_passive(environment: Environment) {
    next::resolve();
    next::become_passive();
    let heap = tls::heap();
    if heap.state() == State::Running {
        tls::reset();
        ENGINE.detach(heap);
    }
    // SAFETY: the caller's.
    if unsafe { variable(environment, c"HEAPSIGHT") }.is_some() {
        process::write(
            STDERR,
            b"heapsight: this program brings its own malloc, which comes before a preloaded one: \
              Heapsight stays out of the way and reports nothing.\n",
        );
    }
}

/// Starts a Rust program's face, once.
#[cold]
pub(crate) fn ensure() {
    unsafe extern "C" {
        static environ: Environment;
    }
    if !STARTED.load(Ordering::Acquire) {
        // SAFETY: libc's own variable, before the program changes it.
        place::set_first_process(unsafe { variable(environ, FIRST_PROCESS) });
        // SAFETY: as above.
        begin(unsafe { variable(environ, c"HEAPSIGHT") });
        // SAFETY: as above.
        lsan::limit_allocations(unsafe { variable(environ, c"LSAN_OPTIONS") });
    }
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn begin(options: Option<&[u8]>) {
    if STARTED.swap(true, Ordering::AcqRel) {
        return;
    }
    fork::register();
    park::library::ask();
    let config = match options {
        Some(text) if !process::is_secure() => Config::parse(text, &mut |error| {
            let mut line = Text::<512>::new();
            let _cut = writeln!(line, "{error}");
            process::write(STDERR, line.as_bytes());
        }),
        _ => Config::DEFAULT,
    };
    apply(config);
}

/// Puts a configuration into force; the one before.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(crate) fn apply(config: Config) -> Config {
    let config = place::anchored(config);
    ENGINE.space.set_purge_delay(u32::try_from(config.purge_delay_ms).unwrap_or(space::NEVER));
    limit::set(config.max_allocation_mib as usize, false);
    misuse::set_fatal(config.safety != Safety::Off);
    safety::set(&config);
    simd::follow(config.simd);
    record(&config);
    toggle::follow(config.toggle_signal);
    let Some(_lock) = CONFIG.lock.acquire() else { return config };
    // SAFETY: the lock is held.
    core::mem::replace(unsafe { &mut *CONFIG.config.get() }, config)
}

/// Records what `track` says, and leaves the rest of the configuration as it is.
pub(crate) fn set_tracking(track: Track) {
    ensure();
    let config = Config { track, ..config() };
    record(&config);
    if let Some(_lock) = CONFIG.lock.acquire() {
        // SAFETY: the lock is held.
        unsafe { (*CONFIG.config.get()).track = track };
    }
}

/// Records what the configuration says, from now on.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn record(config: &Config) {
    let is_tracked = config.track != Track::Off;
    // What is not recorded now may be later: somebody may ask for it, in the ledger.
    // What is guarded has a stack, too.
    let may_be = config.safety.sampled().is_some()
        || !config.ledger.is_empty()
        || config.toggle_signal.is_some();
    if is_tracked || may_be {
        let path = place::of_ledger(&config.ledger);
        let path = path.and_then(|path| CString::new(path.into_os_string().into_vec()).ok());
        ledger::open(config, path.as_deref());
        if !config.ledger.is_empty() && config.toggle_signal != Some(ToggleSignal::Urg) {
            ask::listen();
        }
        exit::register();
    }
    ENGINE.observer.record(match config.track {
        Track::Off => Recorded::Nothing,
        Track::Stats => Recorded::Sums,
        Track::Sample { bytes } => Recorded::Samples(bytes),
        Track::Full => Recorded::Everything,
    });
    ENGINE.follow_observer(tls::heap());
    if is_tracked {
        exit::prepare(config);
    }
}

/// The configuration in force.
pub(crate) fn config() -> Config {
    match CONFIG.lock.acquire() {
        // SAFETY: the lock is held.
        Some(_lock) => unsafe { *CONFIG.config.get() },
        None => Config::DEFAULT,
    }
}

/// An environment variable. Not by `getenv`, which a program may define.
///
/// # Safety
/// `environment` is null or a null-terminated array of C strings.
unsafe fn variable(environment: Environment, name: &CStr) -> Option<&'static [u8]> {
    let mut entry = environment;
    if entry.is_null() {
        return None;
    }
    // SAFETY: the array ends with a null pointer, and each entry is a C string.
    while let Some(text) = unsafe { entry.read().as_ref() } {
        // SAFETY: as above.
        let text = unsafe { CStr::from_ptr(text) }.to_bytes();
        if let Some(value) = text.strip_prefix(name.to_bytes()).and_then(|t| t.strip_prefix(b"=")) {
            return Some(value);
        }
        // SAFETY: the entry was not the last.
        entry = unsafe { entry.add(1) };
    }
    None
}
