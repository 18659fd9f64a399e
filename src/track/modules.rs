//! Which executables and shared objects the program counters belong to.
//!
//! A module is entered when the first stack passes through it, and marked as unloaded when the
//! program has unloaded something and the loader no longer knows it. So reports name code that is
//! long gone, and a library that takes another's addresses is another module.

use super::ledger::Ledger;
use crate::base::sync::{AtomicU32, Ordering};
use crate::format::layout::Module;
use crate::os::object::{self, Object};
use crate::os::{clock, process};

/// What is known beside the records.
#[derive(Debug)]
pub(crate) struct Modules {
    /// The module found last, plus one: most program counters are near the one before.
    recent: AtomicU32,
}

impl Modules {
    pub(super) const fn new() -> Self {
        Self { recent: AtomicU32::new(0) }
    }

    /// Number of the module that covers `address`, plus one; zero for code of no module.
    pub(super) fn number_of(&self, ledger: &Ledger, address: usize) -> u32 {
        let recent = self.recent.load(Ordering::Relaxed);
        if recent != 0 && is_loaded_at(ledger, recent - 1, address) {
            return recent;
        }
        let known = (0..ledger.modules.len()).find(|number| is_loaded_at(ledger, *number, address));
        let number = known.or_else(|| enter(ledger, object::find(address)?));
        let stored = number.map_or(0, |number| number + 1);
        self.recent.store(stored, Ordering::Relaxed);
        stored
    }

    /// The program has unloaded something: marks what the loader no longer has.
    pub(super) fn unloaded(&self, ledger: &Ledger) {
        for number in 0..ledger.modules.len() {
            let Some(module) = ledger.modules.get(number) else { return };
            if module.unloaded_tick.load(Ordering::Relaxed) == 0 && !is_still_there(ledger, module)
            {
                module.unloaded_tick.store(clock::ticks().max(1), Ordering::Relaxed);
            }
        }
        self.recent.store(0, Ordering::Relaxed);
    }
}

fn is_loaded_at(ledger: &Ledger, number: u32, address: usize) -> bool {
    ledger.modules.get(number).is_some_and(|module| {
        let range = module.start.load(Ordering::Relaxed)..module.end.load(Ordering::Relaxed);
        range.contains(&(address as u64)) && module.unloaded_tick.load(Ordering::Relaxed) == 0
    })
}

fn is_still_there(ledger: &Ledger, module: &Module) -> bool {
    let start = module.start.load(Ordering::Relaxed) as usize;
    let Some(object) = object::find(start).filter(|object| object.start == start) else {
        return false;
    };
    // SAFETY: the caller is between two loads: what was found is loaded.
    let name = unsafe { object.name() }.to_bytes();
    object.end as u64 == module.end.load(Ordering::Relaxed)
        && (name.is_empty() || name == ledger.text(&module.path))
}

fn enter(ledger: &Ledger, object: Object) -> Option<u32> {
    let _lock = ledger.lock().acquire()?;
    // Another thread may have been faster.
    let known =
        (0..ledger.modules.len()).find(|number| is_loaded_at(ledger, *number, object.start));
    known.or_else(|| ledger.modules.append(|module| fill(ledger, module, object)))
}

fn fill(ledger: &Ledger, module: &Module, object: Object) {
    module.start.store(object.start as u64, Ordering::Relaxed);
    module.end.store(object.end as u64, Ordering::Relaxed);
    module.bias.store(object.bias as u64, Ordering::Relaxed);
    module.loaded_tick.store(clock::ticks(), Ordering::Relaxed);
    // SAFETY: a frame of the calling thread is in the object: it cannot be unloaded meanwhile.
    let (name, build_id) = unsafe { (object.name().to_bytes(), object.build_id()) };
    let mut program = [0; PATH_MAX];
    let path = if name.is_empty() { process::program(&mut program) } else { name };
    ledger.keep(path, &module.path);
    let kept = build_id.len().min(size_of_val(&module.build_id));
    for (word, bytes) in module.build_id.iter().zip(build_id[..kept].chunks(4)) {
        let mut four = [0; 4];
        four[..bytes.len()].copy_from_slice(bytes);
        word.store(u32::from_le_bytes(four), Ordering::Relaxed);
    }
    module.build_id_len.store(kept as u32, Ordering::Relaxed);
}

const PATH_MAX: usize = 4096;
