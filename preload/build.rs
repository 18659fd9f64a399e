//! Link flags of the C library, what it has instead of a library it would need, and its header.
//!
//! The header is made by cbindgen from `src/capi` and `src/legacy.rs` into `OUT_DIR`; the committed
//! copy in `include/` is compared with it by a test, which asks for the fresh one by
//! `HEAPSIGHT_HEADER_COPY=PATH`. `HEAPSIGHT_UPDATE_HEADER=1 cargo build` writes the committed one.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    // Our constructor first, our fork handlers innermost: see `src/lifecycle.rs`.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,initfirst");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libheapsight.so");
    contain_unwinder()?;

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

/// Puts the unwinder of Rust's panics into the library. Rust asks for it as `libgcc_s.so.1`, which
/// would be loaded into every program, though it is used only if Heapsight itself panics: some 100
/// KiB, and a library's worth of work at each start. GCC has the same code as an archive, too: a
/// linker script by the name of the one, found first, stands for the other. Where there is no such
/// archive, the library needs `libgcc_s.so.1`.
fn contain_unwinder() -> Result<(), Box<dyn Error>> {
    let (target, host) = (env::var("TARGET")?, env::var("HOST")?);
    if target != host || !target.ends_with("linux-gnu") {
        return Ok(());
    }
    let Ok(said) = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output() else {
        return Ok(());
    };
    // The name alone, without a folder, says that there is none.
    let archive = PathBuf::from(String::from_utf8(said.stdout)?.trim());
    if archive.is_absolute() {
        let folder = Path::new(&env::var("OUT_DIR")?).join("instead");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("libgcc_s.so"), format!("GROUP(\"{}\")\n", archive.display()))?;
        println!("cargo:rustc-link-search=native={}", folder.display());
    }
    Ok(())
}
