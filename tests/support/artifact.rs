//! The artifacts under test: the command, the shared and the static library.
//!
//! They come from `cargo build --release`, as a user gets them. Cargo itself decides whether there
//! is anything to build, so asking again from another test process costs a fraction of a second.
//! `HEAPSIGHT_ARTIFACTS=DIR` names a directory of artifacts that are built already.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of one artifact: `heapsight`, `libheapsight.so` or `libheapsight.a`.
pub(crate) fn artifact(name: &str) -> PathBuf {
    let path = artifacts().join(name);
    assert!(
        path.is_file(),
        "{} is missing: `cargo build --release` should have made it; if HEAPSIGHT_ARTIFACTS is \
         set, point it at a directory that has all three artifacts",
        path.display()
    );
    path
}

/// The directory of the artifacts, built when first asked for.
pub(crate) fn artifacts() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| match env::var_os("HEAPSIGHT_ARTIFACTS") {
        Some(given) => Path::new(&given)
            .canonicalize()
            .unwrap_or_else(|error| panic!("HEAPSIGHT_ARTIFACTS={}: {error}", given.display())),
        None => build(),
    })
}

/// The root of the repository.
pub(crate) fn source_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--target-dir"])
        .arg(target)
        .current_dir(source_root())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "cargo build --release failed: the tests need its artifacts");
    target.join("release")
}
