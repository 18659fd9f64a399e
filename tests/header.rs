//! The committed header is what cbindgen makes of the sources.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn the_committed_header_matches_the_sources() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("header");
    let made = target.join("heapsight.h");
    fs::create_dir_all(&target).expect("a folder for the fresh header");
    // The build script copies the header it made to where this variable says.
    let status = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--package", "heapsight-preload", "--target-dir"])
        .arg(&target)
        .env("HEAPSIGHT_HEADER_COPY", &made)
        .current_dir(&root)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "cargo check of the C library");
    let committed = fs::read_to_string(root.join("include/heapsight.h")).expect("the header");
    let fresh = fs::read_to_string(&made).expect("the fresh header");
    assert!(
        committed == fresh,
        "include/heapsight.h is not what the sources make: run\n  \
         HEAPSIGHT_UPDATE_HEADER=1 cargo build -p heapsight-preload\nand commit it"
    );
}
