//! Which module holds an address, and where its unwind information is.
//!
//! glibc 2.35 and later answer without a lock and in a signal handler (`_dl_find_object`). The
//! symbol is a weak one: elsewhere the loader's list is walked, under the loader's lock.

use core::arch::{asm, global_asm};
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;

/// The unwind information of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Its table of unwind information by address (`.eh_frame_hdr`).
    pub(super) header: usize,
    /// Where the module's mapping ends.
    pub(super) end: usize,
}

/// glibc's answer, `struct dl_find_object`.
#[repr(C)]
struct Found {
    flags: u64,
    start: *mut c_void,
    end: *mut c_void,
    link_map: *mut c_void,
    eh_frame: *mut c_void,
    reserved: [u64; 7],
}

type Find = unsafe extern "C" fn(*const c_void, *mut Found) -> c_int;

global_asm!(".weak _dl_find_object");

/// The module that holds `address`, if it has unwind information.
pub(super) fn find(address: usize) -> Option<Module> {
    let symbol: usize;
    // SAFETY: reads the address of the weak symbol, zero if nobody defines it.
    unsafe {
        asm!("mov {}, qword ptr [rip + _dl_find_object@GOTPCREL]", out(reg) symbol,
            options(nostack, readonly, preserves_flags));
    }
    if symbol == 0 {
        return search(address);
    }
    // SAFETY: a defined `_dl_find_object` is a function of this type.
    let function = unsafe { core::mem::transmute::<usize, Find>(symbol) };
    let found = ask(function, address)?;
    let header = found.eh_frame as usize;
    if header == 0 {
        return None;
    }
    // Of a module with gaps between its segments, each is an object of its own to glibc.
    let holder = if (found.start as usize..found.end as usize).contains(&header) {
        found
    } else {
        ask(function, header)?
    };
    Some(Module { header, end: holder.end as usize })
}

fn ask(function: Find, address: usize) -> Option<Found> {
    let mut found = MaybeUninit::<Found>::uninit();
    // SAFETY: the function looks at no memory behind the address, and fills the answer in.
    let is_found = unsafe { function(ptr::without_provenance(address), found.as_mut_ptr()) } == 0;
    // SAFETY: it has been found.
    is_found.then(|| unsafe { found.assume_init() })
}

struct Search {
    address: usize,
    module: Option<Module>,
}

fn search(address: usize) -> Option<Module> {
    let mut search = Search { address, module: None };
    // SAFETY: `visit` gets back what is given here, and keeps nothing.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.module
}

unsafe extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the loader passes a module that stays while it does.
    let info = unsafe { &*info };
    // SAFETY: this is what `search` has passed.
    let search = unsafe { &mut *data.cast::<Search>() };
    let base = info.dlpi_addr as usize;
    let (mut holds, mut header, mut end) = (false, None, 0);
    for index in 0..usize::from(info.dlpi_phnum) {
        // SAFETY: the module has that many headers.
        let segment = unsafe { &*info.dlpi_phdr.add(index) };
        let start = base.wrapping_add(segment.p_vaddr as usize);
        match segment.p_type {
            libc::PT_LOAD => {
                let len = segment.p_memsz as usize;
                holds |= search.address.wrapping_sub(start) < len;
                end = end.max(start.wrapping_add(len));
            }
            libc::PT_GNU_EH_FRAME => header = Some(start),
            _ => {}
        }
    }
    if holds {
        search.module = header.map(|header| Module { header, end });
    }
    c_int::from(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same_module() {
        let own = find as *const () as usize;
        let libcs = libc::strlen as *const () as usize;
        for address in [own, libcs] {
            let (fast, slow) = (find(address), search(address));
            assert_eq!(fast.map(|module| module.header), slow.map(|module| module.header));
            assert!(fast.is_some());
        }
        assert_eq!((find(0), search(0)), (None, None));
    }
}
