//! The executable and the shared objects of this process: which one holds an address?

use super::image::Image;
use super::operators;
use crate::os::{maps, object};
use core::ffi::{CStr, c_int, c_void};
use core::{ptr, slice};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

/// A loaded object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Module {
    /// Absolute for objects that came from a file.
    pub(crate) path: PathBuf,
    /// What the loader added to the addresses in the file.
    pub(crate) bias: u64,
    /// Addresses of its segments, as start and end.
    pub(crate) segments: Vec<(u64, u64)>,
    /// The identity that the linker gave it. The file may have been replaced since it was loaded.
    pub(crate) build_id: Option<Vec<u8>>,
}

impl Module {
    fn holds(&self, address: u64) -> bool {
        self.segments.iter().any(|(start, end)| (*start..*end).contains(&address))
    }

    /// Its file, if that still is what was loaded.
    pub(super) fn image(&self) -> Option<Image> {
        let id = self.build_id.as_deref();
        Image::open(&self.path).filter(|image| id.is_none() || image.build_id() == id)
    }
}

/// All of them, in the loader's order: the executable first.
///
/// Objects that were unloaded can be added: their files still name the functions of old stacks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    list: Vec<Module>,
}

impl Extend<Module> for Modules {
    /// Where addresses overlap, the module that came first holds them.
    fn extend<T: IntoIterator<Item = Module>>(&mut self, modules: T) {
        self.list.extend(modules);
    }
}

impl Modules {
    /// Asks the dynamic loader.
    pub(crate) fn of_this_process() -> Self {
        let mut modules = Self::default();
        let data = (&raw mut modules).cast::<c_void>();
        // SAFETY: the callback gets `data` back as the `Modules` it is, during this call only.
        unsafe { libc::dl_iterate_phdr(Some(record), data) };
        modules.anchor();
        modules
    }

    /// Asks the kernel what is mapped, and looks at it: without the loader's lock, which in a copy
    /// of the process may be held by a thread that the copy does not have.
    pub(crate) fn of_this_copy() -> Self {
        let (mut modules, mut main) = (Vec::new(), 0);
        let mut last = 0;
        maps::for_each(|mapping| {
            if mapping.inode == 0 || !mapping.readable || mapping.start < last {
                return;
            }
            let Some(object) = object::find(mapping.start) else { return };
            last = object.end;
            // SAFETY: nothing is unloaded in a copy, which has one thread.
            let name = unsafe { object.name() };
            if name.is_empty() {
                main = modules.len();
            }
            let path = path_of(name, name.is_empty());
            // SAFETY: as above; the object begins there.
            modules.extend(unsafe { module_at(object.start, object.bias as u64, path) });
        });
        if main < modules.len() {
            modules.swap(0, main);
        }
        let mut modules = Self { list: modules };
        modules.anchor();
        modules
    }

    /// Which module holds `address`: its number and itself.
    pub(super) fn find(&self, address: u64) -> Option<(usize, &Module)> {
        self.list.iter().enumerate().find(|(_, module)| module.holds(address))
    }

    /// Whether the C++ operators that the code at `address` calls are its object's own.
    pub(crate) fn has_own_operators(&self, address: u64) -> bool {
        let module = self.find(address).and_then(|(_, module)| module.image());
        module.is_some_and(|image| operators::are_own(&image))
    }

    /// Whether there is an object whose C++ operators are its own, but for Heapsight.
    pub(crate) fn have_own_operators(&self) -> bool {
        let own = self.own();
        let others = self.iter().enumerate().filter(|(number, _)| Some(*number) != own);
        let mut images = others.filter_map(|(_, module)| module.image());
        images.any(|image| operators::are_own(&image))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Module> {
        self.list.iter()
    }

    /// Path of the program.
    pub(super) fn program(&self) -> String {
        self.list.first().map_or_else(String::new, |main| text_of(&main.path))
    }

    /// The module that this code is in.
    pub(super) fn own(&self) -> Option<usize> {
        let here = record as *const () as usize as u64;
        self.find(here).map(|(number, _)| number)
    }

    /// A library that was opened by a relative path is found in spite of a changed directory: the
    /// kernel knows which file it is.
    fn anchor(&mut self) {
        let is_relative = |module: &&mut Module| {
            module.path.is_relative() && module.path.as_os_str().as_bytes().contains(&b'/')
        };
        let mut relative = self.list.iter_mut().filter(is_relative).peekable();
        if relative.peek().is_none() {
            return;
        }
        let Ok(maps) = fs::read("/proc/self/maps") else { return };
        for module in relative {
            let start = module.segments.first().map_or(0, |(start, _)| *start);
            if let Some(path) = mapped_file(&maps, start) {
                module.path = path.to_path_buf();
            }
        }
    }
}

/// The file behind `address`, from lines as `7f00-7f01 r-xp 00000000 fe:00 1234   /lib/libc.so.6`.
fn mapped_file(maps: &[u8], address: u64) -> Option<&Path> {
    maps.split(|byte| *byte == b'\n').find_map(|line| {
        let range = str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?;
        let (start, end) = range.split_once('-')?;
        let start = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        let path = &line[line.iter().position(|byte| *byte == b'/')?..];
        (start..end).contains(&address).then(|| Path::new(OsStr::from_bytes(path)))
    })
}

/// Called by the loader for each object.
unsafe extern "C" fn record(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `of_this_process` passed its list, and the loader passes a valid description.
    let (modules, info) = unsafe { (&mut *data.cast::<Modules>(), &*info) };
    let headers = if info.dlpi_phnum == 0 {
        &[]
    } else {
        // SAFETY: the headers are mapped while the object is loaded.
        unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) }
    };
    let name = if info.dlpi_name.is_null() {
        c""
    } else {
        // SAFETY: the loader's names are C strings.
        unsafe { CStr::from_ptr(info.dlpi_name) }
    };
    let path = path_of(name, modules.list.is_empty());
    // SAFETY: the headers are the loader's own, of an object that is loaded during this call.
    modules.list.push(unsafe { module(info.dlpi_addr, headers, path) });
    0
}

/// An object that begins, with its headers, at an address.
///
/// # Safety
/// It is loaded there, and its first page holds its program headers, as linkers do it.
unsafe fn module_at(start: usize, bias: u64, path: PathBuf) -> Option<Module> {
    // SAFETY: the caller's; the first page is mapped readable.
    let header = unsafe { ptr::with_exposed_provenance::<libc::Elf64_Ehdr>(start).read() };
    if header.e_ident[..4] != *b"\x7fELF" {
        return None;
    }
    let first = ptr::with_exposed_provenance(start + header.e_phoff as usize);
    // SAFETY: the caller's.
    let headers = unsafe { slice::from_raw_parts(first, usize::from(header.e_phnum)) };
    // SAFETY: the caller's.
    Some(unsafe { module(bias, headers, path) })
}

/// # Safety
/// The headers are those of an object that is loaded.
unsafe fn module(bias: u64, headers: &[libc::Elf64_Phdr], path: PathBuf) -> Module {
    let range = |header: &libc::Elf64_Phdr| {
        let start = bias.wrapping_add(header.p_vaddr);
        (start, start.wrapping_add(header.p_memsz))
    };
    let of_type = |kind| headers.iter().filter(move |header| header.p_type == kind).map(range);
    let segments: Vec<_> = of_type(libc::PT_LOAD).collect();
    let build_id = of_type(libc::PT_NOTE)
        .filter(|(start, end)| segments.iter().any(|(low, high)| low <= start && end <= high))
        .find_map(|(start, end)| {
            let first = ptr::with_exposed_provenance(start as usize);
            // SAFETY: notes lie in a segment, which is mapped while the object is loaded.
            let notes = unsafe { slice::from_raw_parts(first, (end - start) as usize) };
            build_id_in(notes).map(<[u8]>::to_vec)
        });
    Module { path, bias, segments, build_id }
}

fn path_of(name: &CStr, is_program: bool) -> PathBuf {
    if is_program { own_path() } else { PathBuf::from(OsStr::from_bytes(name.to_bytes())) }
}

fn own_path() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"))
}

/// Path of the program that this process runs; nobody is asked for the modules.
pub(super) fn this_program() -> String {
    text_of(&own_path())
}

fn text_of(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}

/// The build id among notes: each has the lengths of its owner and content, its type, then both,
/// padded to four bytes.
fn build_id_in(mut notes: &[u8]) -> Option<&[u8]> {
    const BUILD_ID: u32 = 3;
    loop {
        let word = |at: usize| Some(u32::from_ne_bytes(*notes.get(at..)?.first_chunk()?));
        let (owner_len, len, kind) = (word(0)? as usize, word(4)? as usize, word(8)?);
        let content = owner_len.checked_next_multiple_of(4)?.checked_add(12)?;
        let end = content.checked_add(len)?;
        if kind == BUILD_ID && notes.get(12..12 + owner_len)? == b"GNU\0" {
            return notes.get(content..end);
        }
        notes = notes.get(end.checked_next_multiple_of(4)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_code_is_in_the_executable() {
        let modules = Modules::of_this_process();
        assert_eq!(modules.own(), Some(0));
        assert_eq!(Some(PathBuf::from(modules.program())), std::env::current_exe().ok());
        let libc_code = libc::getpid as *const () as u64;
        let (_, module) = modules.find(libc_code).expect("libc is loaded");
        assert!(module.path.to_string_lossy().contains("libc"), "{module:?}");
        assert!(module.build_id.as_ref().is_some_and(|id| id.len() >= 16), "{module:?}");
    }

    #[test]
    fn what_is_mapped_tells_the_same_as_the_loader() {
        let with_files = |modules: Modules| {
            let files = modules.list.into_iter().filter(|module| module.path.is_absolute());
            let mut files: Vec<_> = files.collect();
            files[1..].sort_by_key(|module| module.bias);
            files
        };
        let (loader, mapped) = (Modules::of_this_process(), Modules::of_this_copy());
        assert_eq!(with_files(loader), with_files(mapped));
    }

    #[test]
    fn the_kernel_knows_which_file_a_library_is() {
        let maps = b"1000-2000 r--p 00000000 fe:00 7    /lib/a b.so\n\
                     2000-3000 rw-p 00000000 00:00 0 \n3000-4000 r-xp 0 fe:00 9 /c.so (deleted)\n";
        assert_eq!(mapped_file(maps, 0x1fff), Some(Path::new("/lib/a b.so")));
        assert_eq!(mapped_file(maps, 0x2000), None);
        assert_eq!(mapped_file(maps, 0x3000), Some(Path::new("/c.so (deleted)")));
        assert_eq!(mapped_file(b"", 0), None);
    }

    #[test]
    fn notes_that_lie_about_their_length_have_no_build_id() {
        let mut notes = Vec::from(*b"\x04\0\0\0\x02\0\0\0\x01\0\0\0GNU\0ab\0\0");
        notes.extend(*b"\x04\0\0\0\x03\0\0\0\x03\0\0\0GNU\0xyz\0");
        assert_eq!(build_id_in(&notes), Some(&b"xyz"[..]));
        notes[24] = 0xff;
        assert_eq!(build_id_in(&notes), None);
        assert_eq!(build_id_in(&notes[..30]), None);
        assert_eq!(build_id_in(&[0xff; 40]), None);
    }

    #[test]
    fn unloaded_modules_can_be_added_and_come_last() {
        let at = |path: &str, start| Module {
            path: path.into(),
            segments: Vec::from([(start, start + 10)]),
            ..Module::default()
        };
        let mut modules = Modules { list: Vec::from([at("/live", 100)]) };
        modules.extend([at("/gone", 95), at("/older", 300)]);
        let path = |address| modules.find(address).map(|(_, module)| module.path.clone());
        assert_eq!(path(100), Some("/live".into()));
        assert_eq!(path(99), Some("/gone".into()));
        assert_eq!(path(309), Some("/older".into()));
        assert_eq!(path(310), None);
    }
}
