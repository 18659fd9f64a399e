//! The roots of a process with one thread.

use crate::leak::roots::{Origin, Root};
use crate::mem::scan::WORD;
use crate::os::thread;
use core::arch::asm;
use core::ffi::{c_int, c_void};
use std::vec::Vec;

/// What the calling thread reaches.
#[derive(Debug)]
pub(super) struct Roots(Vec<Root>);

/// Calls `task` with the callee-saved registers in memory; returns what it does.
pub(super) fn with_registers<R>(task: impl FnOnce(&[usize; 6]) -> R) -> R {
    let mut registers = [0usize; 6];
    #[cfg(target_arch = "x86_64")]
    // SAFETY: writes the array.
    unsafe {
        asm!("mov [{0}], rbx", "mov [{0} + 8], rbp", "mov [{0} + 16], r12",
             "mov [{0} + 24], r13", "mov [{0} + 32], r14", "mov [{0} + 40], r15",
             in(reg) registers.as_mut_ptr());
    }
    task(&registers)
}

impl Roots {
    pub(super) fn of_this_thread(registers: &[usize; 6]) -> Self {
        let mut roots = Self(Vec::new());
        // SAFETY: the callback gets what it expects.
        unsafe { libc::dl_iterate_phdr(Some(add_module), (&raw mut roots).cast()) };
        let thread = thread::id();
        roots.add(registers.as_ptr_range().start as usize, size_of_val(registers), Origin::Registers { thread });
        let (low, end) = stack();
        let from = registers.as_ptr() as usize;
        if (low..end).contains(&from) {
            roots.add(from, end - from, Origin::Stack { thread });
        }
        #[cfg(target_arch = "x86_64")]
        {
            let block: usize;
            // SAFETY: the first word of the thread control block is its own address.
            unsafe { asm!("mov {}, fs:[0]", out(reg) block, options(nostack, readonly)) };
            roots.add(block, 2304, Origin::Tls { thread });
        }
        roots
    }

    pub(super) fn visit(&self, visit: &mut dyn FnMut(Root)) {
        self.0.iter().for_each(|root| visit(*root));
    }

    fn add(&mut self, start: usize, len: usize, origin: Origin) {
        let (start, end) = (start.next_multiple_of(WORD), (start + len) / WORD * WORD);
        if start < end {
            self.0.push(Root { start, end, origin });
        }
    }
}

unsafe extern "C" fn add_module(
    info: *mut libc::dl_phdr_info,
    _: usize,
    roots: *mut c_void,
) -> c_int {
    // SAFETY: both as `dl_iterate_phdr` and its caller give them.
    let (info, roots) = unsafe { (&*info, &mut *roots.cast::<Roots>()) };
    // SAFETY: the loader's own table.
    let segments =
        unsafe { core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    for segment in segments {
        let start = info.dlpi_addr as usize + segment.p_vaddr as usize;
        if segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_W != 0 {
            roots.add(start, segment.p_memsz as usize, Origin::Global);
        }
        if segment.p_type == libc::PT_TLS && !info.dlpi_tls_data.is_null() {
            let thread = thread::id();
            let data = info.dlpi_tls_data as usize;
            roots.add(data, segment.p_memsz as usize, Origin::Tls { thread });
        }
    }
    0
}

/// From where to where the calling thread's stack reaches.
fn stack() -> (usize, usize) {
    let mut attributes = core::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut len) = (core::ptr::null_mut(), 0);
    // SAFETY: the attributes are made, asked and destroyed.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return (0, 0);
        }
        libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut low, &raw mut len);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
    (low as usize, low as usize + len)
}
