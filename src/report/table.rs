//! Function names from an object's symbol table, for code without debug information.
//!
//! A symbol names an address only when its size covers it. The nearest symbol below would be wrong
//! for the static functions of a stripped library, and a wrong name is worse than none. Of several
//! names for one function the plainest is taken: `strdup`, not `__strdup`.

use super::image::Image;
use object::read::{Object, ObjectSymbol, ObjectSymbolTable, SymbolIndex};
use std::cmp::Reverse;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

/// The functions of one object, by address.
#[derive(Debug)]
pub(super) struct SymbolTable {
    image: Rc<Image>,
    functions: Vec<Function>,
}

#[derive(Clone, Copy, Debug)]
struct Function {
    start: u64,
    size: u64,
    index: SymbolIndex,
    is_dynamic: bool,
}

/// How many symbols may lie between the start of a function and an address in it.
const NESTED_MAX: usize = 16;

impl SymbolTable {
    /// Lists the full table of an object and the dynamic one; a stripped object has the latter
    /// alone.
    pub(super) fn of(image: Rc<Image>) -> Self {
        let mut functions = Vec::new();
        if let Some(object) = image.object() {
            let listed = |is_dynamic| {
                move |symbol: &_| function(symbol).map(|it| Function { is_dynamic, ..it })
            };
            functions.extend(object.symbols().filter_map(|symbol| listed(false)(&symbol)));
            functions.extend(object.dynamic_symbols().filter_map(|symbol| listed(true)(&symbol)));
        }
        functions.sort_by_key(|function| (function.start, Reverse(function.size)));
        Self { image, functions }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The function whose code holds `address`.
    pub(super) fn find(&self, address: u64) -> Option<String> {
        let end = self.functions.partition_point(|function| function.start <= address);
        let below = &self.functions[..end];
        let covers = |function: &&Function| address - function.start < function.size;
        let found = below.iter().rev().take(NESTED_MAX).find(covers)?;
        let first = below.partition_point(|function| function.start < found.start);
        let object = self.image.object()?;
        below[first..]
            .iter()
            .filter(covers)
            .filter_map(|function| name(&object, *function))
            .min_by_key(|name| {
                (name.len() - name.trim_start_matches('_').len(), name.len(), name.to_string())
            })
            .map(String::from)
    }
}

fn function<'data>(symbol: &impl ObjectSymbol<'data>) -> Option<Function> {
    let is_code = symbol.kind() == object::SymbolKind::Text && symbol.size() > 0;
    (is_code && !symbol.is_undefined()).then(|| Function {
        start: symbol.address(),
        size: symbol.size(),
        index: symbol.index(),
        is_dynamic: false,
    })
}

fn name<'data>(object: &object::File<'data>, function: Function) -> Option<&'data str> {
    let table = match function.is_dynamic {
        true => object.dynamic_symbol_table()?,
        false => object.symbol_table()?,
    };
    let name = table.symbol_by_index(function.index).ok()?.name().ok()?;
    // The full table of a library has versions in its names: `dlopen@@GLIBC_2.34`.
    name.split('@').next().filter(|name| !name.is_empty())
}
