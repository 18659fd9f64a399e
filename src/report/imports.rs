//! Which imported function did this call instruction call?
//!
//! `localtime` ends with a jump to an internal function of libc, so it is on no stack, and in a
//! stripped libc the internal function has no name: `?? < main`. But the call in `main` says
//! `localtime`: it goes through a slot of the global offset table, directly or by a stub of the
//! procedure linkage table, and the slot's relocation names the symbol. All of it is in the file.

use super::image::Image;
use object::read::{Object, ObjectSymbol, ObjectSymbolTable, RelocationTarget, SymbolIndex};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::string::String;

/// The slots of one object that the loader fills with the addresses of imported functions.
#[derive(Debug)]
pub(super) struct Imports {
    image: Rc<Image>,
    slots: BTreeMap<u64, SymbolIndex>,
}

impl Imports {
    pub(super) fn of(image: Rc<Image>) -> Self {
        let listed = image.object().map(|object| {
            let relocations = object.dynamic_relocations().into_iter().flatten();
            let imported = relocations.filter_map(|(address, relocation)| {
                let RelocationTarget::Symbol(index) = relocation.target() else { return None };
                Some((address, index))
            });
            imported.collect()
        });
        let slots = listed.unwrap_or_default();
        Self { image, slots }
    }

    /// The function called by the instruction before `return_address`, if it is an imported one.
    pub(super) fn callee(&self, return_address: u64) -> Option<String> {
        let index = self.slots.get(&self.slot_of_call(return_address)?)?;
        let object = self.image.object()?;
        let symbol = object.dynamic_symbol_table()?.symbol_by_index(*index).ok()?;
        symbol.name().ok().filter(|name| !name.is_empty()).map(String::from)
    }

    #[cfg(target_arch = "x86_64")]
    fn slot_of_call(&self, return_address: u64) -> Option<u64> {
        let call = self.image.at(return_address.checked_sub(6)?, 6)?;
        match call {
            // call *slot(%rip)
            [0xff, 0x15, ..] => relative(return_address, call),
            // call stub
            [_, 0xe8, ..] => self.slot_of_stub(relative(return_address, call)?),
            _ => None,
        }
    }

    /// `jmp *slot(%rip)`, in a table with branch tracking after `endbr64`, and there with a `bnd`.
    #[cfg(target_arch = "x86_64")]
    fn slot_of_stub(&self, stub: u64) -> Option<u64> {
        let mut address = stub;
        if self.image.at(address, 4)? == [0xf3, 0x0f, 0x1e, 0xfa] {
            address += 4;
        }
        if self.image.at(address, 1)? == [0xf2] {
            address += 1;
        }
        match self.image.at(address, 6)? {
            jump @ [0xff, 0x25, ..] => relative(address + 6, jump),
            _ => None,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn slot_of_call(&self, _: u64) -> Option<u64> {
        None
    }
}

/// What an instruction refers to: its last four bytes count from its end.
#[cfg(target_arch = "x86_64")]
fn relative(end: u64, instruction: &[u8]) -> Option<u64> {
    let distance = i32::from_le_bytes(*instruction.last_chunk()?);
    end.checked_add_signed(i64::from(distance))
}
