//! The C library's routines, by name.

use super::routines::platform::{Functions, Platform};

/// What `simd=off` uses.
pub(crate) const fn platform() -> Platform {
    Platform::new(Functions {
        copy: libc::memmove,
        set: libc::memset,
        compare: libc::memcmp,
        find: libc::memchr,
        find_last: libc::memrchr,
        length: libc::strlen,
    })
}
