//! After every instruction: prologues and epilogues, linkage stubs, the loader binding a symbol.

use crate::budget::budget;
use crate::hook;
use crate::objects::{Object, compiled};
use std::ffi::{c_int, c_long};

type Run = unsafe extern "C" fn(extern "C" fn(), c_long, c_int) -> c_long;

fn step(name: &str, options: &[&str], binding: c_int, called: extern "C" fn()) {
    let path = compiled(name, "stepping.c", options);
    let object = Object::open(&path, binding);
    let symbol = object.symbol(c"stepping_run");
    // SAFETY: the function has this type.
    let run = unsafe { std::mem::transmute::<*mut std::ffi::c_void, Run>(symbol) };
    for seed in 1..4 {
        // SAFETY: traps are handled on this thread alone, as are breakpoints of no debugger.
        let steps = unsafe { run(called, budget().steps, seed) };
        assert!(steps > 1000, "{name} took {steps} steps");
    }
}

#[test]
fn every_instruction_is_captured_exactly() {
    // Signal dispositions are the process's: one after the other.
    step(
        "step-lazy.so",
        &["-O2", "-fomit-frame-pointer", "-Wl,-z,lazy"],
        libc::RTLD_LAZY,
        hook::hook,
    );
    step("step-now.so", &["-O2", "-fcf-protection=full", "-Wl,-z,now"], libc::RTLD_NOW, hook::hook);
    step("step-ibt.so", &["-O1", "-Wl,-z,lazy,-z,ibtplt"], libc::RTLD_LAZY, hook::hook);
    step("step-o0.so", &["-O0", "-Wl,-z,lazy"], libc::RTLD_LAZY, hook::hook);
    // Where the platform's unwinder crashes, captures end.
    step("step-wrong.so", &["-O0", "-DMISDESCRIBED"], libc::RTLD_NOW, hook::survive);
    crate::say_counts("steps");
}

#[test]
fn a_capture_amid_the_binding_of_a_symbol_is_exact() {
    for round in 0..3 {
        let options = ["-O2", "-fomit-frame-pointer", "-Wl,-z,lazy"];
        let path = compiled(&format!("resolver{round}.so"), "resolver.c", &options);
        let object = Object::open(&path, libc::RTLD_LAZY);
        let symbol = object.symbol(c"resolver_run");
        // SAFETY: the function has this type.
        let run = unsafe {
            std::mem::transmute::<
                *mut std::ffi::c_void,
                unsafe extern "C" fn(extern "C" fn()) -> c_int,
            >(symbol)
        };
        let before = hook::compared_here();
        // SAFETY: the hook captures stacks, which may be done anywhere.
        assert_eq!(unsafe { run(hook::hook) }, 42);
        assert_eq!(hook::compared_here(), before + 1, "the resolver has been called");
    }
}
