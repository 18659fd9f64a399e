//! What glibc tells of its threads' memory: how large the static thread-local block and the control
//! block are, and where in the latter the thread's id is.
//!
//! Where it does not tell, stacks are scanned up to the thread pointer, and thread-local variables
//! as part of them.

use crate::base::sync::{AtomicUsize, Ordering};
use crate::leak::world::Library;
use crate::os::thread;
use core::ffi::{CStr, c_void};
use core::mem;

static TLS: AtomicUsize = AtomicUsize::new(0);
static CONTROL: AtomicUsize = AtomicUsize::new(0);
static ID_OFFSET: AtomicUsize = AtomicUsize::new(0);
static FIRST: AtomicUsize = AtomicUsize::new(0);

type StaticInfo = unsafe extern "C" fn(*mut usize, *mut usize);

/// The control block begins with what debuggers and compilers know of it.
const HEAD: usize = 704;

/// Asks the C library. Called once, by the process's first thread as a rule, at its start.
pub(in crate::runtime) fn ask() {
    FIRST.store(thread::token(), Ordering::Relaxed);
    let size = find(c"_thread_db_sizeof_pthread").cast::<u32>();
    // SAFETY: libc's variable for debuggers, or null.
    let control = unsafe { size.as_ref() }.map_or(0, |size| *size as usize);
    let info = find(c"_dl_get_tls_static_info");
    if control <= HEAD || info.is_null() {
        return;
    }
    let (mut all, mut align) = (0, 0);
    // SAFETY: the loader's function has this type, and fills in both.
    unsafe { mem::transmute::<*mut c_void, StaticInfo>(info)(&raw mut all, &raw mut align) };
    TLS.store(all.saturating_sub(control), Ordering::Relaxed);
    CONTROL.store(control, Ordering::Relaxed);
    ID_OFFSET.store(id_offset(control), Ordering::Relaxed);
}

fn find(name: &CStr) -> *mut c_void {
    // SAFETY: a C string.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// Where this thread's control block has its id.
fn id_offset(control: usize) -> usize {
    let (pointer, id) = (thread::token(), thread::id());
    let has_id = |offset: &usize| {
        let word = core::ptr::with_exposed_provenance::<u32>(pointer + offset);
        // SAFETY: inside the calling thread's control block, by its size.
        unsafe { word.read_volatile() == id }
    };
    (HEAD..control).step_by(size_of::<u32>()).find(has_id).unwrap_or(0)
}

pub(super) fn known() -> Library {
    let load = |number: &AtomicUsize| number.load(Ordering::Relaxed);
    Library {
        tls: load(&TLS),
        control: load(&CONTROL),
        id_offset: load(&ID_OFFSET),
        first: load(&FIRST),
    }
}
