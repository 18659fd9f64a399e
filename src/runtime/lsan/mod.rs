//! Programs and scripts that know LeakSanitizer: its functions and `LSAN_OPTIONS`.
//!
//! What a program says about its leaks by defining `__lsan_default_suppressions` and its kin counts
//! in every search for leaks. `LSAN_OPTIONS` in the environment does so, too, and has reports look
//! like LeakSanitizer's, with its exit code. Leaks can be found where allocations are tracked:
//! without `leaks=on` or `track=full` the functions find none.

mod flags;
mod program;

use super::exit;
use super::options::Config;
use super::park::Caller;
use super::rules::Rules;
use super::search::How;
use super::{ENGINE, inspect, limit, loaded, next, start, thread, tls};
use crate::base::sync::{AtomicBool, Ordering};
use crate::heap::local::State;
use crate::leak::terms::{Sources, Terms};
use crate::os::process;
use crate::report::{LsanForm, Modules};
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use flags::Flags;
use std::path::{Path, PathBuf};
use std::string::String;
use std::{env, format};

/// LeakSanitizer's exit code.
const EXITCODE: u8 = 23;

/// Whether wrong flags have been named: once is enough.
static WARNED: AtomicBool = AtomicBool::new(false);

/// What the program and its environment say to LeakSanitizer.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    flags: Flags,
    /// `LSAN_OPTIONS` is there.
    is_asked: bool,
}

impl Settings {
    /// They say nothing.
    pub(super) const NONE: Self = Self { flags: Flags::DEFAULT, is_asked: false };

    /// Asks both; the environment has the last word.
    pub(super) fn now(modules: &Modules) -> Self {
        let asked = env::var_os("LSAN_OPTIONS").filter(|_| !process::is_secure());
        let mut flags = Flags::DEFAULT;
        let is_first = !WARNED.swap(true, Ordering::Relaxed);
        let mut read = |text: &str, whose: &str| {
            flags.read(text, &mut |problem| {
                if is_first {
                    say(&format!("heapsight: {whose}: {problem} (ignored)\n"));
                }
            });
        };
        read(&program::default_options(modules), "__lsan_default_options");
        if let Some(asked) = &asked {
            read(&asked.to_string_lossy(), "LSAN_OPTIONS");
        }
        if flags.help && is_first {
            say(&Flags::help());
        }
        Self { flags, is_asked: asked.is_some() }
    }

    /// Whether leaks are to be looked for when the program ends.
    pub(super) fn looks_at_exit(&self, modules: &Modules) -> bool {
        self.flags.leak_check_at_exit && self.looks(modules)
    }

    fn looks(&self, modules: &Modules) -> bool {
        self.flags.detect_leaks && !program::is_turned_off(modules)
    }

    /// Adds what they say to the rules of a search.
    pub(super) fn add_to(&self, rules: &mut Rules, modules: &Modules) {
        let Flags { use_globals, use_stacks, use_registers, use_tls, use_root_regions, .. } =
            self.flags;
        rules.terms = Terms {
            sources: Sources {
                globals: use_globals,
                stacks: use_stacks,
                registers: use_registers,
                tls: use_tls,
                regions: use_root_regions,
            },
            is_unaligned: self.flags.use_unaligned,
            lists_blocks: self.flags.report_objects,
            ..rules.terms
        };
        let text = program::default_suppressions(modules);
        rules.add_suppressions(text.as_bytes(), "__lsan_default_suppressions");
        if !self.flags.suppressions.is_empty() {
            rules.add_suppressions_of(&near_program(Path::new(&self.flags.suppressions)));
        }
    }

    /// How a report is to look, if as LeakSanitizer's.
    pub(super) fn form(&self) -> Option<LsanForm> {
        self.is_asked.then(|| self.form_always())
    }

    /// How a report in LeakSanitizer's form is to look.
    pub(super) fn form_always(&self) -> LsanForm {
        LsanForm {
            symbolize: self.flags.symbolize,
            objects: self.flags.report_objects,
            suppressions: self.flags.print_suppressions,
            leaks_max: self.flags.max_leaks,
            strip_path_prefix: self.flags.strip_path_prefix.clone(),
        }
    }

    /// The exit code of a program that leaked; zero leaves its own alone.
    pub(super) fn exitcode(&self, config: &Config) -> u8 {
        match (self.flags.exitcode, config.leaks_exitcode) {
            (Some(code), _) => code,
            (None, 0) if self.is_asked => EXITCODE,
            (None, code) => code,
        }
    }

    /// The file that `log_path` asks for.
    pub(super) fn log(&self) -> Option<PathBuf> {
        let path = &self.flags.log_path;
        if path.is_empty() || path == "stderr" {
            return None;
        }
        let program = env::current_exe().ok();
        let name = program.as_deref().and_then(Path::file_name).filter(|_| self.flags.log_exe_name);
        let name = name.map_or_else(String::new, |name| format!(".{}", name.to_string_lossy()));
        Some(PathBuf::from(format!("{path}{name}.{}", process::id())))
    }
}

/// A relative path that leads nowhere may be meant from where the program lies.
fn near_program(path: &Path) -> PathBuf {
    let program = env::current_exe().ok();
    let near = program.as_deref().and_then(Path::parent).map(|folder| folder.join(path));
    match near.filter(|near| !path.exists() && near.exists()) {
        Some(near) => near,
        None => path.to_path_buf(),
    }
}

/// Puts the limit of `LSAN_OPTIONS` into force, if it has one. Its other flags are read when they
/// are needed, and what is wrong with them is said then.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(super) fn limit_allocations(options: Option<&[u8]>) {
    let Some(options) = options.filter(|_| !process::is_secure()) else { return };
    let _unobserved = inspect::Unobserved::begin();
    let mut flags = Flags::DEFAULT;
    flags.read(&String::from_utf8_lossy(options), &mut |_named_later| {});
    if flags.max_allocation_size_mb > 0 {
        limit::set(flags.max_allocation_size_mb, true);
    }
}

fn say(text: &str) {
    process::write(2, text.as_bytes());
}

// --- LeakSanitizer's functions ---

std::thread_local! {
    /// How often this thread has called [`disable`] and not [`enable`].
    static DISABLED: Cell<u32> = const { Cell::new(0) };
}

/// `__lsan_disable`: what this thread allocates from now on is no leak.
pub fn disable() {
    let depth = DISABLED.get();
    DISABLED.set(depth + 1);
    if depth == 0 {
        set_ignoring(true);
    }
}

/// `__lsan_enable`: takes one [`disable`] back.
pub fn enable() {
    match DISABLED.get() {
        0 => say("heapsight: __lsan_enable() without an __lsan_disable() before it\n"),
        depth => DISABLED.set(depth - 1),
    }
    if DISABLED.get() == 0 {
        set_ignoring(false);
    }
}

/// A thread that has given its heap away asks [`is_disabled`] instead.
fn set_ignoring(is_ignoring: bool) {
    let mut heap = tls::heap();
    if heap.state() == State::Placeholder && next::if_passive().is_none() {
        heap = thread::attach().unwrap_or(heap);
    }
    if heap.state() == State::Running {
        ENGINE.observer.set_ignoring(heap, is_ignoring);
    }
}

/// Whether what this thread allocates is no leak.
pub(crate) fn is_disabled() -> bool {
    DISABLED.get() > 0
}

/// `__lsan_ignore_object`: the block, and what it leads to, is no leak.
pub fn ignore_object(address: *const c_void) {
    let slot = ENGINE.slot_of(address.cast());
    if let Some(slot) =
        slot.filter(|slot| slot.slab.block(slot.index).cast_const() == address.cast())
    {
        ENGINE.observer.ignore(slot);
    }
}

/// `__lsan_do_leak_check`: the search for leaks that would be at exit, now. Where there are some,
/// the process ends.
pub(crate) fn do_leak_check(caller: &Caller) {
    let _unobserved = inspect::Unobserved::begin();
    let (modules, config) = (loaded::modules(), start::config());
    let settings = Settings::now(&modules);
    if !settings.looks(&modules) || !exit::claim_report() {
        return;
    }
    let code = settings.exitcode(&config);
    let code = if code == 0 && !settings.is_asked { EXITCODE } else { code };
    if exit::report_leaks(&config, &settings, caller, How::Here) && code != 0 {
        // SAFETY: ends the process at once, as LeakSanitizer does.
        unsafe { libc::_exit(c_int::from(code)) };
    }
}

/// `__lsan_do_recoverable_leak_check`: reports leaks as often as it is called; whether there are
/// any.
pub(crate) fn do_recoverable_leak_check(caller: &Caller) -> bool {
    let _unobserved = inspect::Unobserved::begin();
    let modules = loaded::modules();
    let settings = Settings::now(&modules);
    settings.looks(&modules) && exit::report_leaks(&start::config(), &settings, caller, How::Here)
}
