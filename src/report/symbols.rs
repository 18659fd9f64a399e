//! From return addresses to frames: function, file and line, inlined calls included.
//!
//! DWARF first, from the object itself or from its separate debug file; then the symbol table; then
//! module and offset. A frame that nothing is known of stays in the stack as what it is.

use super::fold;
use super::model::Frame;
use super::modules::{Module, Modules};
use super::table::{DebugFiles, SymbolTable};
use addr2line::Loader;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::format;
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

/// Symbolises stacks of one process; objects are opened when first needed.
pub(super) struct Symbolizer<'a> {
    modules: &'a Modules,
    /// Path of Heapsight's library, unless it is built into the program.
    own: Option<String>,
    objects: BTreeMap<usize, ObjectSymbols>,
    known: BTreeMap<u64, Rc<[Frame]>>,
}

/// What is known of one object.
struct ObjectSymbols {
    dwarf: Option<Loader>,
    table: SymbolTable,
}

impl ObjectSymbols {
    fn open(module: &Module) -> Self {
        let debug = DebugFiles::find(&module.path);
        let main = debug.separate.as_ref().unwrap_or(&module.path);
        let dwarf = Loader::new_with_sup(main, debug.shared.as_ref()).ok();
        let mut table = SymbolTable::read(main);
        if table.is_empty() {
            table = SymbolTable::read(&module.path);
        }
        Self { dwarf, table }
    }

    fn frames(&self, module: &Module, address: u64) -> Vec<Frame> {
        let frames = self.dwarf_frames(module, address).unwrap_or_default();
        if !frames.is_empty() {
            return frames;
        }
        let function = self.table.find(address).map(demangled);
        Vec::from([Frame { function, ..bare(module, address) }])
    }

    fn dwarf_frames(&self, module: &Module, address: u64) -> Option<Vec<Frame>> {
        let mut found = self.dwarf.as_ref()?.find_frames(address).ok()?;
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = found.next() {
            let name = frame.function.as_ref().and_then(|name| name.demangle().ok());
            let location = frame.location.as_ref();
            frames.push(Frame {
                function: name.map(Cow::into_owned).map(unhashed),
                file: location.and_then(|location| location.file).map(String::from),
                line: location.and_then(|location| location.line),
                inlined: true,
                ..bare(module, address)
            });
        }
        let outermost = frames.last_mut()?;
        outermost.inlined = false;
        if outermost.function.is_none() {
            outermost.function = self.table.find(address).map(demangled);
        }
        // Line information alone, without functions or symbols, is not worth losing the module for.
        Some(frames)
    }
}

impl<'a> Symbolizer<'a> {
    pub(super) fn new(modules: &'a Modules) -> Self {
        let (objects, known) = (BTreeMap::new(), BTreeMap::new());
        Self { modules, own: modules.own_library(), objects, known }
    }

    /// The frames of a stack without Heapsight's own. Those are all of its library's, and in a Rust
    /// program, which has it built in, those that name and source tell; an inlined call is a frame
    /// like any other.
    pub(super) fn stack(&mut self, addresses: &[u64]) -> Vec<Frame> {
        let all: Vec<_> =
            addresses.iter().flat_map(|address| self.frames(*address).to_vec()).collect();
        let ours = all.iter().take_while(|frame| self.is_own(frame)).count();
        all[ours..].to_vec()
    }

    fn is_own(&self, frame: &Frame) -> bool {
        fold::is_own(frame) || (self.own.is_some() && frame.module == self.own)
    }

    /// The frames of one return address, which lies behind the call.
    fn frames(&mut self, address: u64) -> Rc<[Frame]> {
        if let Some(known) = self.known.get(&address) {
            return Rc::clone(known);
        }
        let frames = match self.modules.find(address - 1) {
            Some((number, module)) => self
                .objects
                .entry(number)
                .or_insert_with(|| ObjectSymbols::open(module))
                .frames(module, (address - 1).wrapping_sub(module.bias)),
            None => Vec::from([Frame { address, ..Frame::default() }]),
        };
        let frames: Rc<[Frame]> = frames.into();
        self.known.insert(address, Rc::clone(&frames));
        frames
    }
}

fn bare(module: &Module, address: u64) -> Frame {
    Frame { module: Some(format!("{}", module.path.display())), address, ..Frame::default() }
}

fn demangled(name: &str) -> String {
    unhashed(addr2line::demangle_auto(Cow::Borrowed(name), None).into_owned())
}

/// Rust's legacy mangling ends names in a hash that means nothing to a reader.
fn unhashed(name: String) -> String {
    match name.rsplit_once("::h") {
        Some((head, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            String::from(head)
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind;

    #[inline(never)]
    fn outer(frames: &mut [usize]) -> usize {
        core::hint::black_box(inner(frames))
    }

    #[inline(always)]
    fn inner(frames: &mut [usize]) -> usize {
        unwind::capture(frames).len
    }

    #[test]
    fn functions_lines_and_inlining_of_this_program_are_found() {
        let mut addresses = [0; 64];
        let len = outer(&mut addresses);
        let modules = Modules::of_this_process();
        let mut symbolizer = Symbolizer::new(&modules);
        let frames: Vec<_> = addresses[..len]
            .iter()
            .flat_map(|address| symbolizer.frames(*address as u64).to_vec())
            .collect();
        let named = |name: &str| {
            frames
                .iter()
                .find(|frame| {
                    frame.function.as_ref().is_some_and(|f| f.rsplit("::").next() == Some(name))
                })
                .unwrap_or_else(|| panic!("{name} in {frames:#?}"))
        };
        assert!(named("inner").inlined);
        let outer = named("outer");
        assert!(!outer.inlined && outer.line.is_some());
        assert!(outer.file.as_ref().is_some_and(|file| file.ends_with("symbols.rs")));
    }

    #[test]
    fn rust_hashes_go_and_other_names_stay() {
        assert_eq!(unhashed("a::b::h0123456789abcdef".into()), "a::b");
        assert_eq!(unhashed("a::house".into()), "a::house");
        assert_eq!(demangled("_ZN3foo3barEv"), "foo::bar()");
        assert_eq!(demangled("main"), "main");
    }
}
