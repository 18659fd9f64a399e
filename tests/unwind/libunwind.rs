//! A second opinion: libunwind, which shares no code with the platform's unwinder.
//!
//! It is found at run time. Where it is not, the tests say so and do without.

use crate::oracle::DEPTH_MAX;
use crate::support::install_package;
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

/// A frame. Whether a signal interrupted it libunwind does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) pc: usize,
    pub(crate) sp: usize,
}

/// `unw_context_t` and `unw_cursor_t`, with room to spare.
#[repr(C, align(16))]
struct Room<const WORDS: usize>([u64; WORDS]);

type Context = Room<128>;
type Cursor = Room<256>;

type GetContext = unsafe extern "C" fn(*mut Context) -> c_int;
type Begin = unsafe extern "C" fn(*mut Cursor, *mut Context) -> c_int;
type Step = unsafe extern "C" fn(*mut Cursor) -> c_int;
type GetRegister = unsafe extern "C" fn(*mut Cursor, c_int, *mut usize) -> c_int;
type Flush = unsafe extern "C" fn(*mut c_void, usize, usize);

/// The functions, under the names that its header's macros make.
struct Library {
    get_context: GetContext,
    begin: Begin,
    step: Step,
    register: GetRegister,
    flush: Flush,
    /// This process.
    space: *mut c_void,
}

// SAFETY: libunwind's local address space is one for all threads, under a lock of its own.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

/// `UNW_X86_64_RIP` and `UNW_X86_64_RSP`.
const PC: c_int = 16;
const SP: c_int = 7;

static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();

/// Finds the library, once; to be called where one may allocate.
pub(crate) fn prepare() {
    LIBRARY.get_or_init(|| {
        let found = open().or_else(|| {
            install_package("libunwind8");
            open()
        });
        if found.is_none() {
            crate::say("SKIPPED: libunwind's opinion, as there is no libunwind.so.8");
        }
        found
    });
}

fn open() -> Option<Library> {
    // Locally: it has the platform's unwinder's names too, which nobody else shall find.
    // SAFETY: its constructors do nothing.
    let handle =
        unsafe { libc::dlopen(c"libunwind.so.8".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return None;
    }
    let symbol = |name: &CStr| {
        // SAFETY: the handle is open, and stays so.
        let address = unsafe { libc::dlsym(handle, name.as_ptr()) };
        assert!(!address.is_null(), "libunwind has no {name:?}");
        address
    };
    // SAFETY: the functions have these types, and the variable is a pointer.
    unsafe {
        use std::mem::transmute;
        Some(Library {
            get_context: transmute::<*mut c_void, GetContext>(symbol(c"_Ux86_64_getcontext")),
            begin: transmute::<*mut c_void, Begin>(symbol(c"_ULx86_64_init_local")),
            step: transmute::<*mut c_void, Step>(symbol(c"_ULx86_64_step")),
            register: transmute::<*mut c_void, GetRegister>(symbol(c"_ULx86_64_get_reg")),
            flush: transmute::<*mut c_void, Flush>(symbol(c"_Ux86_64_flush_cache")),
            space: *symbol(c"_ULx86_64_local_addr_space").cast(),
        })
    }
}

/// Forgets what is known of code that has been unloaded: libunwind does not notice by itself.
pub(crate) fn code_unloaded() {
    if let Some(Some(library)) = LIBRARY.get() {
        // SAFETY: from 0 to 0 means everything.
        unsafe { (library.flush)(library.space, 0, 0) };
    }
}

/// The frames from here outwards, innermost first; `None` without the library. Allocates nothing.
#[inline(never)]
pub(crate) fn unwind(found: &mut [Frame; DEPTH_MAX]) -> Option<usize> {
    let library = LIBRARY.get()?.as_ref()?;
    let (mut context, mut cursor) = (Room([0; 128]), Room([0; 256]));
    // SAFETY: both are large enough, and this function stays until the walk is done.
    unsafe {
        (library.get_context)(&raw mut context);
        assert_eq!((library.begin)(&raw mut cursor, &raw mut context), 0);
    }
    let mut len = 0;
    while len < DEPTH_MAX {
        let (mut pc, mut sp) = (0, 0);
        // SAFETY: the cursor has begun.
        unsafe {
            (library.register)(&raw mut cursor, PC, &raw mut pc);
            (library.register)(&raw mut cursor, SP, &raw mut sp);
        }
        if pc == 0 {
            break;
        }
        found[len] = Frame { pc, sp };
        len += 1;
        // SAFETY: as above.
        if unsafe { (library.step)(&raw mut cursor) } <= 0 {
            break;
        }
    }
    Some(len)
}
