//! The name that the shared object has for the loader; and no object whose routines call
//! themselves.

use std::env;

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libheapsight_mem.so");
    println!("cargo:rerun-if-changed=build.rs");
    // Unoptimised, registers are moved by calls of `memcpy`.
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    assert!(
        level != "0",
        "libheapsight_mem.so must be optimised: its memcpy would call itself. Build it with an \
         opt-level of at least 1, as the workspace's profiles do for this package."
    );
}
