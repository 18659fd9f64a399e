//! What viewers of ledgers need of reports: the symbols of any object file, and whose a frame is.
//! Not an interface for others.

pub use super::fold::{is_of_runtime_library, is_plumbing, own_len, roots_len};

use super::model::Frame;
use super::modules::Module;
use super::symbols::{Detail, ObjectSymbols};
use std::path::Path;
use std::string::String;
use std::vec::Vec;

/// The symbols of one executable or shared object. Opened for one thread; read when asked for.
#[derive(Debug)]
pub struct Object(ObjectSymbols);

impl Object {
    /// The object loaded from `path`, if the file there still has that build id; its separate debug
    /// file in any case. An empty build id fits all.
    #[must_use]
    pub fn open(path: &Path, build_id: &[u8]) -> Self {
        let build_id = (!build_id.is_empty()).then(|| build_id.to_vec());
        Self(ObjectSymbols::open(&Module { path: path.into(), build_id, ..Module::default() }))
    }

    /// The frames at an address of the file, the innermost inlined one first; at least one.
    #[must_use]
    pub fn frames(&self, address: u64) -> Vec<Frame> {
        self.0.frames(address, Detail::Lines)
    }

    /// The import called by the instruction before an address of the file, demangled.
    #[must_use]
    pub fn callee(&self, return_address: u64) -> Option<String> {
        self.0.callee_name(return_address)
    }

    /// Whether the file, or a separate debug file of the same build, could be read.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.0.is_readable()
    }
}
