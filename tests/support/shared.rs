//! A directory that all test processes of one test run share, emptied when the next run begins.
//!
//! A runner may give every test a process of its own, and still something is to be done once, or
//! summed up at the end. `cargo nextest` numbers its runs; under `cargo test` one process is all
//! there is of a test binary, and it numbers itself.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

/// The directory called `label` of this run. What an earlier run left in it is gone.
pub(crate) fn shared_directory(label: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(label);
    let _lock = lock(label);
    let owner = path.join("run-id");
    if fs::read_to_string(&owner).is_ok_and(|id| id == run_id()) {
        return path;
    }
    let _absent = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fs::write(owner, run_id()).expect("a file in a new directory");
    path
}

/// Keeps the other test processes out of what they must not do at once, until it is dropped.
pub(crate) fn lock(label: &str) -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{label}.lock"));
    let file = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file
}

fn run_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| {
            let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            format!("{}-{}", process::id(), age.as_nanos())
        })
    })
}
