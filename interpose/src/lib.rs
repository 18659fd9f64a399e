//! `libheapsight_mem.so`: Heapsight's memory routines in the place of libc's, for a whole program
//! that is not built anew: `LD_PRELOAD=libheapsight_mem.so ./program`.
//!
//! Nothing but the routines is in here: their folder is compiled once more, in a crate whose loops
//! must not become calls of `memcpy`, which would be calls of themselves (`no_builtins`, and
//! `tests/mem.rs` looks at the object file). The first call may come before the object is
//! relocated, from a resolver of another library's; until the constructor has run, libc's routines
//! are not known, and ours serve. Every process that starts under the object pays for it: it holds
//! no std, has the loader look up four names, and looks up five of `strcpy`'s kin.
//!
//! libc's own calls, and those that compilers check the size of (`__memcpy_chk`), stay libc's. So
//! do `strcpy` and its kin ([`strings`]), until Heapsight's allocator asks to be told of every copy
//! ([`watch`]).

#![no_std]
#![no_builtins]
// Nothing here panics, but a handler has to be named. Where panics unwind it is std's; the object
// as shipped has none, and so neither std's tables nor its libraries to load at each start.
#[cfg(panic = "unwind")]
extern crate std;

mod options;
#[expect(dead_code, reason = "some routines have no name in libc")]
#[path = "../../src/mem/routines/mod.rs"]
mod routines;
mod strings;
mod watch;

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use routines::dispatch::{Dispatch, Tier};
use routines::platform::{Compare, Copy, Find, Functions, Length, Platform, Set};
#[cfg(target_arch = "x86_64")]
use routines::x86::near;

static ROUTINES: Dispatch = Dispatch::new(Platform::unknown());

/// What is never reached.
#[cfg(not(panic = "unwind"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

/// The environment as constructors get it.
type Environment = *const *const c_char;

/// Runs [`start`] among the constructors.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: unsafe extern "C" fn(c_int, *const *const c_char, Environment) = start;

/// Follows the option, and finds libc's routines if they are to serve.
unsafe extern "C" fn start(_: c_int, _: *const *const c_char, environment: Environment) {
    // SAFETY: the loader's.
    let wish = unsafe { options::simd(environment) };
    let tier = match wish {
        None => None,
        Some(b"auto") => None,
        Some(b"avx512") => Some(Tier::Avx512),
        Some(b"avx2") => Some(Tier::Avx2),
        Some(b"sse2") => Some(Tier::Sse2),
        Some(b"neon") => Some(Tier::Neon),
        Some(b"off") => Some(Tier::Platform),
        Some(_) => {
            options::say(
                b"heapsight: libheapsight_mem.so does not know that value of 'simd'; use \
                           auto, avx512, avx2, sse2, neon or off (ignored)\n",
            );
            None
        }
    };
    // The allocator may have been there first.
    if watch::is_on() {
        return;
    }
    strings::follow(next);
    if Tier::serving(tier) == Tier::Platform
        && let Some(functions) = behind()
    {
        ROUTINES.limits().set_platform(&functions);
    }
    if !ROUTINES.choose(tier) {
        options::say(
            b"heapsight: this processor does not have what 'simd' asks for; the best that \
                       it has serves\n",
        );
    }
}

/// A function of whoever comes behind this object, or null: libc.
fn next(name: &CStr) -> *mut c_void {
    // SAFETY: a C string.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

/// libc's routines.
fn behind() -> Option<Functions> {
    let find = |name: &CStr| Some(next(name)).filter(|address| !address.is_null());
    // SAFETY: libc's functions of these names have these types.
    unsafe {
        Some(Functions {
            copy: mem::transmute::<*mut c_void, Copy>(find(c"memmove")?),
            set: mem::transmute::<*mut c_void, Set>(find(c"memset")?),
            compare: mem::transmute::<*mut c_void, Compare>(find(c"memcmp")?),
            find: mem::transmute::<*mut c_void, Find>(find(c"memchr")?),
            find_last: mem::transmute::<*mut c_void, Find>(find(c"memrchr")?),
            length: mem::transmute::<*mut c_void, Length>(find(c"strlen")?),
        })
    }
}

/// Exports routines under libc's names.
macro_rules! interpose {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty
        = $routine:ident $(or $other:path)?;)*) => {
        $(
            /// libc's function of that name.
            ///
            /// # Safety
            /// As libc's.
            #[unsafe(no_mangle)]
            #[cfg_attr(target_arch = "x86_64", unsafe(naked))]
            pub unsafe extern "C" fn $name($($argument: $type),*) -> $out {
                enter!($routine($($argument),*) $(or $other)?)
            }
        )*
    };
}

/// The whole body of a function: its routine, not a jump away; or, if that is not what serves,
/// `other`.
#[cfg(target_arch = "x86_64")]
macro_rules! enter {
    ($name:ident($($argument:ident),*)) => { near::enter!($name of ROUTINES) };
    ($name:ident($($argument:ident),*) or $other:path) => {
        near::enter!($name of ROUTINES, $other)
    };
}
#[cfg(not(target_arch = "x86_64"))]
macro_rules! enter {
    ($name:ident($($argument:ident),*)) => {
        // SAFETY: the caller's.
        unsafe { ROUTINES.$name($($argument as _),*) as _ }
    };
    ($name:ident($($argument:ident),*) or $other:path) => {
        // SAFETY: the caller's.
        unsafe { $other($($argument as _),*, &ROUTINES) as _ }
    };
}

interpose! {
    memcpy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void
        = copy or watch::copy_apart;
    memmove(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void = copy;
    memset(to: *mut c_void, value: c_int, len: usize) -> *mut c_void = set;
    memcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int = compare;
    bcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int = differs;
    memchr(from: *const c_void, value: c_int, len: usize) -> *mut c_void = find;
    memrchr(from: *const c_void, value: c_int, len: usize) -> *mut c_void = find_last;
    strlen(text: *const c_char) -> usize = length;
}
