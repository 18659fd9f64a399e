//! Names from an object's symbol table: of functions, for code without debug information, and of
//! variables.
//!
//! A symbol names an address only when its size covers it. The nearest symbol below would be wrong
//! for the static functions of a stripped library, and a wrong name is worse than none. Of several
//! names for one function the plainest is taken: `strdup`, not `__strdup`.

use super::image::Image;
use super::modules::Modules;
use object::SymbolKind;
use object::read::{Object, ObjectSymbol, ObjectSymbolTable, SymbolIndex};
use std::cmp::Reverse;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

/// The functions or the variables of one object, by address.
#[derive(Debug)]
pub(super) struct SymbolTable {
    image: Rc<Image>,
    symbols: Vec<Symbol>,
}

/// A symbol that covers the address asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    /// How far behind its start the address lies.
    pub(super) offset: u64,
}

#[derive(Clone, Copy, Debug)]
struct Symbol {
    start: u64,
    size: u64,
    index: SymbolIndex,
    is_dynamic: bool,
}

/// How many symbols may lie between the start of a symbol and an address in it.
const NESTED_MAX: usize = 16;

/// Where a function lies that the program defines, or a library for others.
pub(crate) fn address_of_function(modules: &Modules, name: &str) -> Option<u64> {
    modules.iter().enumerate().find_map(|(number, module)| {
        let image = Image::open(&module.path)?;
        let object = image.object()?;
        let is_it = |symbol: &object::Symbol<'_, '_>| {
            symbol.kind() == SymbolKind::Text
                && symbol.is_definition()
                && symbol.name_bytes() == Ok(name.as_bytes())
        };
        let own = object.symbols().filter(|_| number == 0).find(&is_it);
        let symbol = own.or_else(|| object.dynamic_symbols().find(&is_it))?;
        Some(module.bias.wrapping_add(symbol.address()))
    })
}

impl SymbolTable {
    /// Lists the functions of the full table of an object and of the dynamic one; a stripped object
    /// has the latter alone.
    pub(super) fn of(image: Rc<Image>) -> Self {
        Self::of_kind(image, SymbolKind::Text)
    }

    /// Lists the variables.
    pub(super) fn of_variables(image: Rc<Image>) -> Self {
        Self::of_kind(image, SymbolKind::Data)
    }

    fn of_kind(image: Rc<Image>, kind: SymbolKind) -> Self {
        let mut symbols = Vec::new();
        if let Some(object) = image.object() {
            let listed = |is_dynamic| move |symbol: &_| symbol_of(symbol, kind, is_dynamic);
            symbols.extend(object.symbols().filter_map(|symbol| listed(false)(&symbol)));
            symbols.extend(object.dynamic_symbols().filter_map(|symbol| listed(true)(&symbol)));
        }
        symbols.sort_by_key(|symbol| (symbol.start, Reverse(symbol.size)));
        Self { image, symbols }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The function or variable that holds `address`.
    pub(super) fn find(&self, address: u64) -> Option<Found> {
        let end = self.symbols.partition_point(|symbol| symbol.start <= address);
        let below = &self.symbols[..end];
        let covers = |symbol: &&Symbol| address - symbol.start < symbol.size;
        let found = below.iter().rev().take(NESTED_MAX).find(covers)?;
        let first = below.partition_point(|symbol| symbol.start < found.start);
        let object = self.image.object()?;
        let name = below[first..]
            .iter()
            .filter(covers)
            .filter_map(|symbol| name(&object, *symbol))
            .min_by_key(|name| {
                (name.len() - name.trim_start_matches('_').len(), name.len(), name.to_string())
            })?;
        Some(Found { name: name.into(), offset: address - found.start })
    }
}

fn symbol_of<'data>(
    symbol: &impl ObjectSymbol<'data>,
    kind: SymbolKind,
    is_dynamic: bool,
) -> Option<Symbol> {
    let is_wanted = symbol.kind() == kind && symbol.size() > 0 && !symbol.is_undefined();
    is_wanted.then(|| Symbol {
        start: symbol.address(),
        size: symbol.size(),
        index: symbol.index(),
        is_dynamic,
    })
}

fn name<'data>(object: &object::File<'data>, symbol: Symbol) -> Option<&'data str> {
    let table = match symbol.is_dynamic {
        true => object.dynamic_symbol_table()?,
        false => object.symbol_table()?,
    };
    let name = table.symbol_by_index(symbol.index).ok()?.name().ok()?;
    // The full table of a library has versions in its names: `dlopen@@GLIBC_2.34`.
    name.split('@').next().filter(|name| !name.is_empty())
}
