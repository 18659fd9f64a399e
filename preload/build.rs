//! Link flags of the C library, and its header.
//!
//! The header is made by cbindgen from `src/capi` and `src/legacy.rs` into `OUT_DIR`; the committed
//! copy in `include/` is compared with it by a test, which asks for the fresh one by
//! `HEAPSIGHT_HEADER_COPY=PATH`. `HEAPSIGHT_UPDATE_HEADER=1 cargo build` writes the committed one.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    // Our constructor first, our fork handlers innermost: see `src/lifecycle.rs`.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,initfirst");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libheapsight.so");

    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let sources =
        ["src/capi/heap.rs", "src/capi/tracking.rs", "src/capi/simd.rs", "preload/src/legacy.rs"];
    for source in sources.iter().chain(&["preload/cbindgen.toml"]) {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo:rerun-if-env-changed=HEAPSIGHT_UPDATE_HEADER");
    println!("cargo:rerun-if-env-changed=HEAPSIGHT_HEADER_COPY");
    let config = cbindgen::Config::from_file(root.join("preload/cbindgen.toml"))?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in sources {
        builder = builder.with_src(root.join(source));
    }
    let bindings = builder.generate()?;
    bindings.write_to_file(Path::new(&env::var("OUT_DIR")?).join("heapsight.h"));
    if let Some(copy) = env::var_os("HEAPSIGHT_HEADER_COPY") {
        bindings.write_to_file(copy);
    }
    if env::var_os("HEAPSIGHT_UPDATE_HEADER").is_some() {
        bindings.write_to_file(root.join("include/heapsight.h"));
    }
    Ok(())
}
