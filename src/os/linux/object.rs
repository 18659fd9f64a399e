//! Which executable or shared object an address belongs to, without the loader's lock.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::MaybeUninit;

/// A loaded object. Its parts are the loader's own and live as long as it is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    /// Addresses that it covers.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What to subtract from an address to get the one the file was linked for.
    pub(crate) bias: usize,
    name: *const c_char,
}

/// glibc's `struct dl_find_object` (2.35 and later).
#[repr(C)]
struct Found {
    flags: u64,
    map_start: *const u8,
    map_end: *const u8,
    link_map: *const LinkMap,
    eh_frame: *const u8,
    reserved: [u64; 7],
}

/// The public head of the loader's `struct link_map`.
#[repr(C)]
struct LinkMap {
    bias: usize,
    name: *const c_char,
    dynamic: *const c_void,
    next: *const LinkMap,
    previous: *const LinkMap,
}

unsafe extern "C" {
    fn _dl_find_object(address: *mut c_void, result: *mut Found) -> c_int;
}

/// The object that holds `address`. Async-signal-safe, takes no lock.
pub(crate) fn find(address: usize) -> Option<Object> {
    let mut found = MaybeUninit::<Found>::zeroed();
    let address = core::ptr::without_provenance_mut(address);
    // SAFETY: the result is writable; the function looks addresses up and touches none.
    if unsafe { _dl_find_object(address, found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: filled in, as zero said.
    let found = unsafe { found.assume_init() };
    // SAFETY: the link map of a loaded object.
    let map = unsafe { found.link_map.as_ref() }?;
    Some(Object {
        start: found.map_start as usize,
        end: found.map_end as usize,
        bias: map.bias,
        name: map.name,
    })
}

impl Object {
    /// Its path as the loader knows it; empty for the program itself.
    ///
    /// # Safety
    /// The object is still loaded.
    pub(crate) unsafe fn name(&self) -> &CStr {
        if self.name.is_null() {
            return c"";
        }
        // SAFETY: the caller's; names are C strings.
        unsafe { CStr::from_ptr(self.name) }
    }

    /// Its build id; empty if it has none.
    ///
    /// # Safety
    /// The object is still loaded, and its first page holds its program headers, as linkers do it.
    pub(crate) unsafe fn build_id(&self) -> &[u8] {
        // SAFETY: the caller's.
        unsafe { build_id(self.start, self.end, self.bias) }.unwrap_or_default()
    }
}

type Header = libc::Elf64_Ehdr;
type Segment = libc::Elf64_Phdr;

const NOTE_BUILD_ID: u32 = 3;
/// Size, name size and type, then the name "GNU\0".
const NOTE_HEADER: usize = 16;

/// # Safety
/// As [`Object::build_id`].
unsafe fn build_id<'a>(start: usize, end: usize, bias: usize) -> Option<&'a [u8]> {
    let header = core::ptr::with_exposed_provenance::<Header>(start);
    // SAFETY: the caller's; the first page is mapped readable.
    let header = unsafe { header.read_unaligned() };
    if header.e_ident[..4] != *b"\x7fELF" {
        return None;
    }
    let first = core::ptr::with_exposed_provenance::<Segment>(start + header.e_phoff as usize);
    (0..usize::from(header.e_phnum)).find_map(|index| {
        // SAFETY: the caller's: the program headers are in the first page.
        let segment = unsafe { first.add(index).read_unaligned() };
        let from = bias.wrapping_add(segment.p_vaddr as usize);
        let is_notes = segment.p_type == libc::PT_NOTE && from >= start;
        if !is_notes || from.saturating_add(segment.p_memsz as usize) > end {
            return None;
        }
        // SAFETY: a loaded segment of the object, by its own headers.
        let notes = unsafe {
            core::slice::from_raw_parts(
                core::ptr::with_exposed_provenance(from),
                segment.p_memsz as usize,
            )
        };
        build_id_in(notes)
    })
}

fn build_id_in(mut notes: &[u8]) -> Option<&[u8]> {
    loop {
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_ne_bytes(notes.get(at..at + 4)?.try_into().ok()?))
        };
        let (name_len, len, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
        let content = 12 + name_len.next_multiple_of(4);
        if kind == NOTE_BUILD_ID && notes.get(12..NOTE_HEADER)? == b"GNU\0" {
            return notes.get(content..content.checked_add(len)?);
        }
        notes = notes.get(content.checked_add(len)?.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_found_in_its_object() {
        let here = code_is_found_in_its_object as *const () as usize;
        let object = find(here).expect("this very function");
        assert!(object.start <= here && here < object.end);
        // SAFETY: the program stays loaded.
        assert_eq!(unsafe { object.name() }, c"");
        let libc = find(libc::getpid as *const () as usize).expect("libc");
        // SAFETY: libc stays loaded.
        let (name, id) = unsafe { (libc.name().to_bytes(), libc.build_id()) };
        assert!(name.ends_with(b"libc.so.6"));
        assert_eq!(id.len(), 20, "Debian's libc has a build id");
        assert!(find(8).is_none());
    }

    #[test]
    fn damaged_notes_hold_no_build_id() {
        for len in 0..40 {
            assert_eq!(build_id_in(&[255; 40][..len]), None);
            assert_eq!(build_id_in(&[0; 40][..len]), None);
        }
    }
}
