//! The executable and the shared objects of this process: which one holds an address?

use core::ffi::{CStr, c_int, c_void};
use core::slice;
use std::format;
use std::path::PathBuf;
use std::string::String;
use std::vec::Vec;

/// A loaded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) path: PathBuf,
    /// What the loader added to the addresses in the file.
    pub(crate) bias: u64,
    /// Addresses of its segments, as start and end.
    pub(crate) segments: Vec<(u64, u64)>,
}

impl Module {
    fn holds(&self, address: u64) -> bool {
        self.segments.iter().any(|(start, end)| (*start..*end).contains(&address))
    }
}

/// All of them, in the loader's order: the executable first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    list: Vec<Module>,
}

impl Modules {
    /// Asks the dynamic loader.
    pub(crate) fn of_this_process() -> Self {
        let mut modules = Self::default();
        let data = (&raw mut modules).cast::<c_void>();
        // SAFETY: the callback gets `data` back as the `Modules` it is, during this call only.
        unsafe { libc::dl_iterate_phdr(Some(record), data) };
        modules
    }

    /// Which module holds `address`: its number and itself.
    pub(super) fn find(&self, address: u64) -> Option<(usize, &Module)> {
        self.list.iter().enumerate().find(|(_, module)| module.holds(address))
    }

    /// Path of the program.
    pub(super) fn program(&self) -> String {
        self.list.first().map_or_else(String::new, |main| format!("{}", main.path.display()))
    }

    /// Path of the library that this code is in; `None` when it is the program itself.
    pub(super) fn own_library(&self) -> Option<String> {
        let here = record as *const () as usize as u64;
        let (number, module) = self.find(here)?;
        (number > 0).then(|| format!("{}", module.path.display()))
    }
}

/// Called by the loader for each object.
unsafe extern "C" fn record(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `of_this_process` passed its list, and the loader passes a valid description.
    let (modules, info) = unsafe { (&mut *data.cast::<Modules>(), &*info) };
    // SAFETY: the headers are mapped while the object is loaded.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let bias = info.dlpi_addr;
    let segments = headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD)
        .map(|header| {
            let start = bias.wrapping_add(header.p_vaddr);
            (start, start.wrapping_add(header.p_memsz))
        })
        .collect();
    modules.list.push(Module { path: path_of(info, modules.list.is_empty()), bias, segments });
    0
}

fn path_of(info: &libc::dl_phdr_info, is_first: bool) -> PathBuf {
    if is_first {
        return std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    }
    if info.dlpi_name.is_null() {
        return PathBuf::new();
    }
    // SAFETY: the loader's names are C strings.
    let name = unsafe { CStr::from_ptr(info.dlpi_name) };
    PathBuf::from(String::from_utf8_lossy(name.to_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_code_is_in_the_executable() {
        let modules = Modules::of_this_process();
        assert_eq!(modules.own_library(), None);
        assert_eq!(Some(PathBuf::from(modules.program())), std::env::current_exe().ok());
        let libc_code = libc::getpid as *const () as u64;
        let (_, module) = modules.find(libc_code).expect("libc is loaded");
        assert!(module.path.to_string_lossy().contains("libc"), "{module:?}");
    }
}
