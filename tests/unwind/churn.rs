//! Libraries that are unloaded, and others that take their addresses.

use crate::hook;
use crate::objects::{Object, compiled};
use crate::shapes::{Shape, Walk};
use std::collections::HashSet;
use std::ffi::c_void;

const ROUNDS: usize = if cfg!(debug_assertions) { 200 } else { 5_000 };

#[test]
fn what_took_the_addresses_of_an_unloaded_library_is_captured_exactly() {
    let options = |room: &'static str| ["-O2", "-fomit-frame-pointer", room];
    let paths = ["-DROOM=40", "-DROOM=104", "-DROOM=72"].map(|room| {
        compiled(
            &format!("churn{}.so", room.len() + room.as_bytes()[7] as usize),
            "churn.c",
            &options(room),
        )
    });
    let mut addresses = HashSet::new();
    for round in 0..ROUNDS {
        let object = Object::open(&paths[round % 3], libc::RTLD_NOW);
        let symbol = object.symbol(c"churn_run");
        addresses.insert(symbol as usize);
        // SAFETY: the function has this type.
        let run = unsafe { std::mem::transmute::<*mut c_void, Shape>(symbol) };
        let mut walk = Walk::new(round as u64, 1000);
        // SAFETY: a walk of this thread's, in an object that stays meanwhile.
        unsafe { run(&raw mut walk, 3) };
        hook::code_unloaded();
        object.close();
        hook::code_unloaded();
    }
    assert!(addresses.len() < ROUNDS / 2, "addresses are used again: {}", addresses.len());
    crate::say_counts("unloading");
}
