//! How the process ends: the leak report at exit.
//!
//! The hook is registered by `__cxa_atexit` without an owner, from the constructor: so it runs
//! after `main`, after every `atexit` handler and after the destructors of all libraries. What they
//! free is freed. Nothing runs at `_exit`, `abort`, `exec` or a deadly signal.

use super::leaks::leak_report;
use super::lsan::Settings;
use super::options::{Config, ReportFormat, Track};
use super::park::Caller;
use super::rules::{self, Rules};
use super::search::How;
use super::stderr::Stderr;
use super::{inspect, ledger, loaded, place, safety, start};
use crate::base::sync::{AtomicBool, Ordering};
use crate::os::process;
use crate::report::{Form, Style};
use core::ffi::{c_int, c_void};
use core::ptr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::{env, format};

static REGISTERED: AtomicBool = AtomicBool::new(false);
static DONE: AtomicBool = AtomicBool::new(false);

/// Set by `heapsight run`.
const RUN: &str = "HEAPSIGHT_RUN";

unsafe extern "C" {
    fn on_exit(hook: unsafe extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    fn __cxa_atexit(
        hook: unsafe extern "C" fn(*mut c_void),
        argument: *mut c_void,
        owner: *mut c_void,
    ) -> c_int;
}

/// Registers the hook, once.
pub(super) fn register() {
    if !REGISTERED.swap(true, Ordering::AcqRel) {
        // SAFETY: the hook is a function of a library that is never unloaded.
        unsafe { __cxa_atexit(at_exit, ptr::null_mut(), ptr::null_mut()) };
        // SAFETY: as above. Registered last, it runs first; the ledger goes on until the end.
        unsafe { on_exit(close_ledger, ptr::null_mut()) };
    }
}

/// Tries the paths early, so that a wrong one is known before the program has run.
pub(super) fn prepare(config: &Config) {
    rules::prepare(config);
    let Some(path) = place::of_report(&config.report) else { return };
    place::begin();
    // A file that was not there goes again: a process that ends by `_exit` leaves no empty report.
    let tried = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(_) => fs::remove_file(&path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).open(&path).map(drop)
        }
        Err(error) => Err(error),
    };
    if let Err(error) = tried {
        complain(&path, &error);
    }
}

fn complain(path: &Path, error: &io::Error) {
    let line = format!(
        "heapsight: cannot write the report to {}: {error}: it will go to stderr instead\n",
        path.display()
    );
    process::write(2, line.as_bytes());
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
unsafe extern "C" fn close_ledger(status: c_int, _: *mut c_void) {
    ledger::close(status);
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
unsafe extern "C" fn at_exit(_: *mut c_void) {
    end(&Caller::here());
}

/// Out of the hook's frame, where nothing of the program's is left behind.
#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn end(caller: &Caller) {
    safety::check_at_exit();
    let config = start::config();
    if !wants_report(&config) || !claim_report() {
        return;
    }
    let code = finish(&config, caller);
    if code != 0 {
        // SAFETY: flushing is what remains of `exit` after this hook; then the process ends.
        unsafe {
            libc::fflush(ptr::null_mut());
            libc::_exit(c_int::from(code));
        }
    }
}

/// Leaks are reported when they are looked for; statistics when there is a place for them: a path,
/// or the terminal of `heapsight run` unless a ledger has them, and more.
fn wants_report(config: &Config) -> bool {
    let is_tracked = config.track != Track::Off;
    let is_for_terminal = config.ledger.is_empty() && env::var_os(RUN).is_some();
    config.leaks || (is_tracked && (!config.report.is_empty() || is_for_terminal))
}

/// Whether the final report is the caller's to make. There is one.
pub(super) fn claim_report() -> bool {
    !DONE.swap(true, Ordering::AcqRel)
}

/// Makes the final report now, instead of at exit; whether anything leaked.
#[inline(never)]
pub(crate) fn report_now() -> bool {
    DONE.store(true, Ordering::Release);
    let _unobserved = inspect::Unobserved::begin();
    let config = start::config();
    if config.leaks {
        let settings = Settings::now(&loaded::modules());
        return report_leaks(&config, &settings, &Caller::here(), How::Here);
    }
    report_stats(&config);
    false
}

/// The final report; the exit code that it asks for, zero for the program's own.
#[inline(never)]
fn finish(config: &Config, caller: &Caller) -> u8 {
    let _unobserved = inspect::Unobserved::begin();
    if !config.leaks {
        report_stats(config);
        return 0;
    }
    let modules = loaded::modules();
    let settings = Settings::now(&modules);
    let leaked =
        settings.looks_at_exit(&modules) && report_leaks(config, &settings, caller, How::Here);
    if leaked { settings.exitcode(config) } else { 0 }
}

fn report_stats(config: &Config) {
    write_out(config, &Settings::NONE, inspect::write_stats);
}

/// Looks for leaks and reports them; whether there are any.
#[inline(never)]
pub(super) fn report_leaks(
    config: &Config,
    settings: &Settings,
    caller: &Caller,
    how: How,
) -> bool {
    let rules = Rules::of(config, settings, &loaded::modules());
    let report = leak_report(caller, how, &rules);
    write_out(config, settings, |sink, form| form.write(&report, sink));
    report.has_leaks()
}

/// Has a report written to where it belongs, and as it is asked for.
fn write_out(
    config: &Config,
    settings: &Settings,
    write: impl Fn(&mut dyn Write, &Form) -> io::Result<()>,
) {
    let log = settings.log();
    // A file of LeakSanitizer's is no file of Heapsight's, whatever that would be called.
    let by_name = if log.is_some() { ReportFormat::Text } else { config.report.format() };
    let form = |by_name, style| match config.report_format.unwrap_or(by_name) {
        ReportFormat::Text if config.report_format.is_none() => match settings.form() {
            Some(form) => Form::Lsan(form),
            None => Form::Text(style),
        },
        ReportFormat::Text => Form::Text(style),
        ReportFormat::Json => Form::Json,
        ReportFormat::Sarif => Form::Sarif,
        ReportFormat::Markdown => Form::Markdown,
        ReportFormat::Lsan => Form::Lsan(settings.form_always()),
    };
    let to_stderr = || {
        let mut stderr = Stderr::buffered();
        let form = form(ReportFormat::Text, Stderr::style());
        inspect::report_failure(write(&mut stderr, &form).and_then(|()| stderr.flush()));
    };
    let Some(path) = log.or_else(|| place::of_report(&config.report)) else {
        return to_stderr();
    };
    let written = File::create(&path).and_then(|file| {
        // Reports of large programs are a hundred megabytes of small pieces.
        let mut file = BufWriter::new(file);
        write(&mut file, &form(by_name, Style::PLAIN))?;
        file.flush()
    });
    if let Err(error) = written {
        complain(&path, &error);
        to_stderr();
    }
}
