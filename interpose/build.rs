//! The name that the shared object has for the loader.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libheapsight_mem.so");
    println!("cargo:rerun-if-changed=build.rs");
}
