//! Who serves `malloc` in this process: the proof that a preload took effect.

use std::ffi::{CStr, c_int};

/// Prints the shared object behind `malloc`, the version number a peer gives (0 when it gives
/// none) and libc's version, separated by tabs.
pub fn print() -> Result<(), String> {
    // SAFETY: The name is a C string and RTLD_DEFAULT is a valid handle.
    let malloc = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"malloc".as_ptr()) };
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` is a place for the answer.
    if malloc.is_null() || unsafe { libc::dladdr(malloc, info.as_mut_ptr()) } == 0 {
        return Err("the loader does not know where malloc comes from".to_string());
    }
    // SAFETY: dladdr succeeded, so it filled `info`; zeroed bytes are valid for it before that.
    let file = unsafe { info.assume_init() }.dli_fname;
    // SAFETY: The loader's names are C strings that live as long as the object is loaded.
    let file = unsafe { CStr::from_ptr(file) }.to_string_lossy();
    // SAFETY: The function returns a constant C string.
    let libc_version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy();
    println!("{file}\t{}\t{libc_version}", peer_version());
    Ok(())
}

fn peer_version() -> c_int {
    // SAFETY: The name is a C string and RTLD_DEFAULT is a valid handle.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"compare_peer_version".as_ptr()) };
    if function.is_null() {
        return 0;
    }
    // SAFETY: Only the peers of this workspace export that name, with this type.
    let version: extern "C" fn() -> c_int = unsafe { std::mem::transmute(function) };
    version()
}
