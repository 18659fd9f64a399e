//! Function names from an object's symbol table, for code without debug information.
//!
//! A symbol names an address only when its size covers it. The nearest symbol below would be wrong
//! for the static functions of a stripped library, and a wrong name is worse than none.

use object::read::{Object, ObjectSymbol, ReadCache};
use std::borrow::ToOwned;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;
use std::{ffi::OsStr, format};

/// The functions of one object, by address.
#[derive(Debug, Default)]
pub(super) struct SymbolTable {
    functions: Vec<Function>,
}

#[derive(Debug)]
struct Function {
    start: u64,
    size: u64,
    name: String,
}

/// What an object file says of where its debug information is.
#[derive(Debug, Default)]
pub(super) struct DebugFiles {
    /// A separate file with the debug information, if there is one on this machine.
    pub(super) separate: Option<PathBuf>,
    /// The file that several share (`dwz`).
    pub(super) shared: Option<PathBuf>,
}

const DEBUG_ROOT: &str = "/usr/lib/debug";

impl SymbolTable {
    /// Reads the full table of an object, or the dynamic one of a stripped object. An unreadable
    /// object has no symbols.
    pub(super) fn read(path: &Path) -> Self {
        with_object(path, |object| {
            let mut functions: Vec<_> = object.symbols().filter_map(function).collect();
            functions.extend(object.dynamic_symbols().filter_map(function));
            functions.sort_by_key(|function| function.start);
            Self { functions }
        })
        .unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The function whose code holds `address`.
    pub(super) fn find(&self, address: u64) -> Option<&str> {
        let end = self.functions.partition_point(|function| function.start <= address);
        let function = self.functions[..end].last()?;
        (address - function.start < function.size).then_some(function.name.as_str())
    }
}

fn function<'data>(symbol: impl ObjectSymbol<'data>) -> Option<Function> {
    let is_code = symbol.kind() == object::SymbolKind::Text && symbol.size() > 0;
    let name = symbol.name().ok().filter(|_| is_code && !symbol.is_undefined())?;
    Some(Function { start: symbol.address(), size: symbol.size(), name: name.to_owned() })
}

impl DebugFiles {
    /// Follows the build id, then the debug link; then the link to a shared file.
    pub(super) fn find(path: &Path) -> Self {
        let separate = with_object(path, |object| {
            let by_id = object.build_id().ok().flatten().and_then(by_build_id);
            by_id.or_else(|| {
                let (name, _) = object.gnu_debuglink().ok().flatten()?;
                by_link(path, Path::new(OsStr::from_bytes(name)))
            })
        })
        .flatten();
        let main = separate.as_deref().unwrap_or(path);
        let shared = with_object(main, |object| {
            let (name, id) = object.gnu_debugaltlink().ok().flatten()?;
            let named = main.parent()?.join(Path::new(OsStr::from_bytes(name)));
            if named.is_file() { Some(named) } else { by_build_id(id) }
        })
        .flatten();
        Self { separate, shared }
    }
}

fn by_build_id(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = PathBuf::from(format!("{DEBUG_ROOT}/.build-id/{first:02x}/{rest}.debug"));
    path.is_file().then_some(path)
}

fn by_link(path: &Path, name: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let global = Path::new(DEBUG_ROOT).join(folder.strip_prefix("/").unwrap_or(folder));
    [folder.join(".debug"), global, folder.to_path_buf()]
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file() && candidate != path)
}

fn with_object<R>(
    path: &Path,
    read: impl FnOnce(&object::File<'_, &ReadCache<File>>) -> R,
) -> Option<R> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let object = object::File::parse(&cache).ok()?;
    Some(read(&object))
}
