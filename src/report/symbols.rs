//! From return addresses to frames: function, file and line, inlined calls included.
//!
//! DWARF first, from the object itself or from its separate debug file; then the symbol table; then
//! the import that the caller called; then module and offset. A frame that nothing is known of
//! stays in the stack as what it is.

use super::fold;
use super::image::Image;
use super::imports::Imports;
use super::model::Frame;
use super::modules::{Module, Modules};
use super::separate;
use super::table::{Found, SymbolTable};
use addr2line::Loader;
use core::cell::OnceCell;
use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

/// How much is asked about the frames of run-time libraries. The program's always get all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// The names of functions: enough to know whose a block is. The debug information of libc is
    /// large, and read for this alone it would be most of the work.
    Names,
    /// Lines and inlined calls too.
    Lines,
}

/// Symbolises stacks of one process; objects are opened when first needed.
pub(super) struct Symbolizer<'a> {
    modules: &'a Modules,
    own: Option<usize>,
    objects: BTreeMap<usize, ObjectSymbols>,
    known: BTreeMap<(u64, Detail), Rc<[Frame]>>,
}

impl<'a> Symbolizer<'a> {
    pub(super) fn new(modules: &'a Modules) -> Self {
        let (objects, known) = (BTreeMap::new(), BTreeMap::new());
        Self { modules, own: modules.own(), objects, known }
    }

    /// The part of a stack that is not Heapsight's own.
    pub(super) fn without_own<'s>(&mut self, addresses: &'s [u64]) -> &'s [u64] {
        let own = addresses.iter().take_while(|address| self.is_own(**address)).count();
        &addresses[own..]
    }

    /// The frames of a stack. Heapsight's own may be compiled into the first: they are left out.
    pub(super) fn frames(&mut self, addresses: &[u64], detail: Detail) -> Vec<Frame> {
        let mut frames = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            frames.extend_from_slice(&self.frames_at(*address, detail));
            let caller = addresses.get(index + 1);
            if let (Some(Frame { function: function @ None, .. }), Some(caller)) =
                (frames.last_mut(), caller)
            {
                *function = self.import(*address, *caller);
            }
        }
        frames.drain(..fold::own_len(&frames));
        frames
    }

    /// In a library of our own every frame is ours; in a Rust program the names tell.
    fn is_own(&mut self, address: u64) -> bool {
        match (self.number_of(address), self.own) {
            (Some(number), Some(own)) if number == own => {
                own != 0 || self.frames_at(address, Detail::Lines).last().is_some_and(fold::is_own)
            }
            _ => false,
        }
    }

    /// The frames of one return address, which lies behind the call.
    fn frames_at(&mut self, address: u64, detail: Detail) -> Rc<[Frame]> {
        if let Some(known) = self.known.get(&(address, detail)) {
            return Rc::clone(known);
        }
        let call = address.saturating_sub(1);
        let frames = match self.modules.find(call) {
            Some((number, module)) => {
                let object =
                    self.objects.entry(number).or_insert_with(|| ObjectSymbols::open(module));
                object.frames(call.wrapping_sub(module.bias), detail)
            }
            None => Vec::from([Frame { address, ..Frame::default() }]),
        };
        let frames: Rc<[Frame]> = frames.into();
        self.known.insert((address, detail), Rc::clone(&frames));
        frames
    }

    /// The module that `address` lies in, and the variable there.
    pub(super) fn variable(&mut self, address: u64) -> Option<(String, Option<Found>)> {
        let (number, module) = self.modules.find(address)?;
        let object = self.objects.entry(number).or_insert_with(|| ObjectSymbols::open(module));
        let variable = object.variable(address.wrapping_sub(module.bias));
        Some((object.module.clone(), variable))
    }

    /// The name under which `caller` called into the module of `address`.
    fn import(&mut self, address: u64, caller: u64) -> Option<String> {
        let (number, module) = self.modules.find(caller.saturating_sub(1))?;
        if self.number_of(address)? == number {
            return None;
        }
        let object = self.objects.entry(number).or_insert_with(|| ObjectSymbols::open(module));
        object.callee_name(caller.wrapping_sub(module.bias))
    }

    fn number_of(&self, address: u64) -> Option<usize> {
        self.modules.find(address.saturating_sub(1)).map(|(number, _)| number)
    }
}

/// What is known of one object. Most is read when first asked for.
pub(super) struct ObjectSymbols {
    module: String,
    is_runtime_library: bool,
    /// The file, if it still is what was loaded.
    image: Option<Rc<Image>>,
    debug: Option<(PathBuf, Rc<Image>)>,
    path: PathBuf,
    dwarf: OnceCell<Option<Loader>>,
    functions: OnceCell<Option<SymbolTable>>,
    variables: OnceCell<Option<SymbolTable>>,
    imports: OnceCell<Option<Imports>>,
}

impl fmt::Debug for ObjectSymbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectSymbols").field("module", &self.module).finish_non_exhaustive()
    }
}

impl ObjectSymbols {
    pub(super) fn open(module: &Module) -> Self {
        let id = module.build_id.as_deref();
        let image = module.image().map(Rc::new);
        let debug = separate::debug_file(&module.path, image.as_deref(), id)
            .and_then(|path| Image::open(&path).map(|image| (path, Rc::new(image))));
        let path = String::from_utf8_lossy(module.path.as_os_str().as_encoded_bytes());
        Self {
            is_runtime_library: fold::is_runtime_library(&path),
            module: path.into_owned(),
            path: module.path.clone(),
            image,
            debug,
            dwarf: OnceCell::new(),
            functions: OnceCell::new(),
            variables: OnceCell::new(),
            imports: OnceCell::new(),
        }
    }

    /// The frames at an address of the file, the innermost inlined one first; at least one.
    pub(super) fn frames(&self, address: u64, detail: Detail) -> Vec<Frame> {
        let wants_lines = detail == Detail::Lines || !self.is_runtime_library;
        let mut frames =
            if wants_lines { self.dwarf_frames(address).unwrap_or_default() } else { Vec::new() };
        if frames.is_empty() {
            frames.push(self.bare(address));
        }
        if let Some(outermost) = frames.last_mut() {
            outermost.inlined = false;
            let from_table = self.function(address).filter(|name| is_better(name, outermost));
            outermost.function = from_table.or(outermost.function.take());
        }
        frames
    }

    fn dwarf_frames(&self, address: u64) -> Option<Vec<Frame>> {
        let dwarf = self.dwarf.get_or_init(|| self.load()).as_ref()?;
        let mut found = dwarf.find_frames(address).ok()?;
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = found.next() {
            let name = frame.function.as_ref().and_then(|name| name.demangle().ok());
            let location = frame.location.as_ref();
            frames.push(Frame {
                function: name.map(Cow::into_owned).map(unhashed),
                file: location.and_then(|location| location.file).map(String::from),
                line: location.and_then(|location| location.line),
                inlined: true,
                ..self.bare(address)
            });
        }
        Some(frames)
    }

    fn load(&self) -> Option<Loader> {
        let (path, image) = match (&self.debug, &self.image) {
            (Some((path, image)), _) => (path, image),
            (None, Some(image)) => (&self.path, image),
            (None, None) => return None,
        };
        if !image.is_plausible() {
            return None;
        }
        Loader::new_with_sup(path, separate::shared_file(path, image)).ok()
    }

    fn function(&self, address: u64) -> Option<String> {
        let table = self.functions.get_or_init(|| self.table(SymbolTable::of));
        table.as_ref()?.find(address).map(|found| demangled(&found.name))
    }

    /// The variable at an address of the file.
    fn variable(&self, address: u64) -> Option<Found> {
        let table = self.variables.get_or_init(|| self.table(SymbolTable::of_variables));
        table.as_ref()?.find(address).map(|it| Found { name: demangled(&it.name), ..it })
    }

    fn table(&self, list: impl Fn(Rc<Image>) -> SymbolTable) -> Option<SymbolTable> {
        let debug = self.debug.as_ref().map(|(_, image)| image);
        let images = debug.into_iter().chain(&self.image);
        images.map(|image| list(Rc::clone(image))).find(|table| !table.is_empty())
    }

    /// The import called by the instruction before an address of the file.
    pub(super) fn callee_name(&self, return_address: u64) -> Option<String> {
        let imports = self.imports.get_or_init(|| self.image.clone().map(Imports::of));
        imports.as_ref()?.callee(return_address).as_deref().map(demangled)
    }

    /// Whether there is anything to read names from.
    pub(super) fn is_readable(&self) -> bool {
        self.image.is_some() || self.debug.is_some()
    }

    fn bare(&self, address: u64) -> Frame {
        Frame { module: Some(self.module.clone()), address, ..Frame::default() }
    }
}

/// Whether a name from the symbol table says more than the one from the debug information. That has
/// glibc's functions by an internal alias, `__GI___strdup`, and where it is reduced no modules and
/// arguments: `new` for `shop::Cart::new`.
fn is_better(name: &str, frame: &Frame) -> bool {
    let Some(known) = frame.function.as_deref() else { return true };
    let is_plain = |name: &str| !name.contains([':', '(', '.']);
    known.starts_with("__GI_")
        || (is_plain(known) && !is_plain(name) && !name.contains('.') && name.contains(known))
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
    use crate::unwind::{self, Rules, State};

    #[inline(never)]
    fn outer(frames: &mut [unwind::Frame]) -> usize {
        core::hint::black_box(inner(frames))
    }

    #[inline(always)]
    fn inner(frames: &mut [unwind::Frame]) -> usize {
        unwind::walk(&Rules::new(), State::here(), frames).len
    }

    #[test]
    fn functions_lines_and_inlining_of_this_program_are_found() {
        let mut stack = [unwind::Frame::NONE; 64];
        let len = outer(&mut stack);
        let modules = Modules::of_this_process();
        let mut symbolizer = Symbolizer::new(&modules);
        let frames: Vec<_> = stack[..len]
            .iter()
            .flat_map(|frame| symbolizer.frames_at(frame.pc() as u64, Detail::Lines).to_vec())
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
    fn the_table_names_functions_better_than_reduced_debug_information() {
        let from_debug = |name: &str| Frame { function: Some(name.into()), ..Frame::default() };
        assert!(is_better("strdup", &from_debug("__GI___strdup")));
        assert!(is_better("shop::Cart::new", &from_debug("new")));
        assert!(is_better("make(int)", &from_debug("make")));
        assert!(!is_better("make.part.0", &from_debug("make")));
        assert!(!is_better("_IO_puts", &from_debug("puts")));
        assert!(!is_better("shop::Cart::new", &from_debug("<shop::Cart>::new")));
        assert!(is_better("puts", &Frame::default()));
    }

    #[test]
    fn rust_hashes_go_and_other_names_stay() {
        assert_eq!(unhashed("a::b::h0123456789abcdef".into()), "a::b");
        assert_eq!(unhashed("a::house".into()), "a::house");
        assert_eq!(demangled("_ZN3foo3barEv"), "foo::bar()");
        assert_eq!(demangled("main"), "main");
    }
}
