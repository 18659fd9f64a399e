//! The shared objects that the tests walk through, compiled once.

use crate::libunwind;
use crate::support::TempDir;
use std::ffi::{CString, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the objects are.
struct Objects {
    directory: TempDir,
}

static OBJECTS: OnceLock<Objects> = OnceLock::new();

/// Compiles a source of this directory to a shared object of the given name, once.
pub(crate) fn compiled(name: &str, source: &str, options: &[&str]) -> PathBuf {
    let objects = OBJECTS.get_or_init(|| Objects { directory: TempDir::new("unwind") });
    let object = objects.directory.join(name);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unwind");
    let compiler = if source.ends_with(".cpp") { "c++" } else { "cc" };
    let status = Command::new(compiler)
        .args(["-shared", "-fPIC", "-g0"])
        .args(options)
        .arg("-o")
        .arg(&object)
        .arg(sources.join(source))
        .status()
        .expect("a compiler");
    assert!(status.success(), "{source} compiles");
    object
}

/// A loaded object.
pub(crate) struct Object(*mut c_void);

impl Object {
    pub(crate) fn open(path: &Path, flags: i32) -> Self {
        libunwind::prepare();
        let name = CString::new(path.to_str().expect("UTF-8")).expect("no zero");
        // SAFETY: the tests' own objects have no constructors.
        let handle = unsafe { libc::dlopen(name.as_ptr(), flags) };
        assert!(!handle.is_null(), "{} loads", path.display());
        Self(handle)
    }

    /// The address of a function.
    pub(crate) fn symbol(&self, name: &std::ffi::CStr) -> *mut c_void {
        // SAFETY: the handle is open.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!symbol.is_null(), "{name:?}");
        symbol
    }

    pub(crate) fn close(self) {
        // SAFETY: the handle is open, and nothing of the object is used any more.
        assert_eq!(unsafe { libc::dlclose(self.0) }, 0);
    }
}
