//! Whether the C++ operators that an object's code calls are its own.
//!
//! An object can bring `operator new` and keep it to itself: linked with a C++ library inside and
//! bound to itself, or hidden. Such an operator calls `malloc`, and nobody else sees more of it.
//! What tells in the file: code that leaves the choice of the operator to the loader has a
//! relocation with its name. Where there is none, a definition in one of the symbol tables is one
//! that no other can take the place of; and where the tables are stripped, C++ code that raises
//! exceptions by itself has a C++ library inside.

use super::image::Image;
use object::read::{Object, ObjectSymbol, ObjectSymbolTable, RelocationTarget};

/// `operator new` for a size of 64 and of 32 bits. An object that brings others brings this one.
const OPERATORS: [&[u8]; 2] = [b"_Znwm", b"_Znwj"];
/// What an unwinder asks for: of the compiler's library, or of the loader if it is that library.
const UNWINDERS: [&[u8]; 3] = [b"_Unwind_RaiseException", b"dl_iterate_phdr", b"_dl_find_object"];

/// See the module. `false` also for what cannot be read.
pub(super) fn are_own(image: &Image) -> bool {
    image.object().is_some_and(|object| !are_asked_for(&object) && are_inside(&object))
}

/// Whether the loader says which operators they are.
fn are_asked_for<'a>(object: &impl Object<'a>) -> bool {
    let Some(names) = object.dynamic_symbol_table() else { return false };
    object.dynamic_relocations().into_iter().flatten().any(|(_, relocation)| {
        let RelocationTarget::Symbol(index) = relocation.target() else { return false };
        names.symbol_by_index(index).is_ok_and(|symbol| is_one_of(&OPERATORS, &symbol))
    })
}

fn are_inside<'a>(object: &impl Object<'a>) -> bool {
    let mut all = object.symbols().chain(object.dynamic_symbols());
    if all.any(|symbol| !symbol.is_undefined() && is_one_of(&OPERATORS, &symbol)) {
        return true;
    }
    let is_cxx = |name: &[u8]| name.starts_with(b"_Z");
    let mut exported = object.dynamic_symbols().filter(|symbol| !symbol.is_undefined());
    let mut asked_for = object.dynamic_symbols().filter(ObjectSymbol::is_undefined);
    exported.any(|symbol| symbol.name_bytes().is_ok_and(is_cxx))
        && asked_for.any(|symbol| is_one_of(&UNWINDERS, &symbol))
}

fn is_one_of<'a>(names: &[&[u8]], symbol: &impl ObjectSymbol<'a>) -> bool {
    symbol.name_bytes().is_ok_and(|name| names.contains(&name))
}
