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
static RESULT: AtomicUsize = AtomicUsize::new(0);
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
    RESULT.store(result_offset(control), Ordering::Relaxed);
}

/// What debuggers are told of a field: bits, how many of it, and where.
#[repr(C)]
struct Field {
    bits: u32,
    count: u32,
    offset: u32,
}

/// Where the result of a thread's function is. No symbol tells; but since there are threads in
/// glibc it has come before the scheduling priority, of which one does.
fn result_offset(control: usize) -> usize {
    let field = find(c"_thread_db_pthread_schedparam_sched_priority").cast::<Field>();
    // SAFETY: libc's description for debuggers, or null.
    let priority = unsafe { field.as_ref() }.map_or(0, |field| field.offset as usize);
    let result = priority.saturating_sub(size_of::<usize>());
    let is_whole = result.is_multiple_of(size_of::<usize>());
    if is_whole && (HEAD..control).contains(&result) { result } else { 0 }
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
        result: load(&RESULT),
        first: load(&FIRST),
    }
}
