//! What the end-to-end tests share: the built artifacts, programs run under them with a deadline,
//! directories that clean up after themselves, the JSON report as data, and tools that a machine
//! may lack.
//!
//! A test includes this folder as a module; each test binary uses its own part of it, which is why
//! unused items are not warned about here.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of this module")]

mod artifact;
mod report;
mod run;
mod shared;
mod temp;
mod tools;

pub(crate) use artifact::{artifact, artifacts, source_root};
pub(crate) use report::{Frame, Leak, Report};
pub(crate) use run::{Outcome, Run};
pub(crate) use shared::{lock, shared_directory};
pub(crate) use temp::TempDir;
pub(crate) use tools::{
    Need, find_command, install, install_package, may_install, missing, with_system_path,
};
