//! What `HEAPSIGHT=simd=…` asks for. The other options are libheapsight's, which also says what is
//! wrong with them.

use core::ffi::c_char;

/// The value of `simd`, the last one if there are several.
///
/// # Safety
/// `environment` is null or a null-terminated array of C strings that stay.
pub(crate) unsafe fn simd<'a>(mut environment: *const *const c_char) -> Option<&'a [u8]> {
    // SAFETY: asks for a number that the kernel has put there.
    if environment.is_null() || unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
        return None;
    }
    // SAFETY: the caller's.
    while let Some(text) = unsafe { environment.read().as_ref() } {
        // SAFETY: the caller's.
        let text = unsafe { bytes_of(text) };
        if let Some(items) = text.strip_prefix(b"HEAPSIGHT=") {
            return last_of(items);
        }
        // SAFETY: the entry was not the last.
        environment = unsafe { environment.add(1) };
    }
    None
}

/// # Safety
/// A C string.
unsafe fn bytes_of<'a>(text: *const c_char) -> &'a [u8] {
    let mut len = 0;
    // SAFETY: the caller's: there is a zero.
    while unsafe { text.add(len).read() } != 0 {
        len += 1;
    }
    // SAFETY: so many bytes come before it.
    unsafe { core::slice::from_raw_parts(text.cast(), len) }
}

/// Items are separated by commas; a backslash takes the next byte literally.
fn last_of(items: &[u8]) -> Option<&[u8]> {
    let (mut found, mut start, mut at) = (None, 0, 0);
    while at <= items.len() {
        let byte = items.get(at).copied().unwrap_or(b',');
        if byte == b',' {
            let item = items.get(start..at).unwrap_or_default().trim_ascii();
            let value = item.strip_prefix(b"simd").map(<[u8]>::trim_ascii_start);
            if let Some(value) = value.and_then(|rest| rest.strip_prefix(b"=")) {
                found = Some(value.trim_ascii());
            }
            start = at + 1;
        }
        at += 1 + usize::from(byte == b'\\');
    }
    found
}

/// Writes to standard error.
pub(crate) fn say(line: &[u8]) {
    // SAFETY: the bytes may be read. There is no one to tell if they are not written.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
}
