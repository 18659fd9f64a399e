//! The unwinder against the platform's: every stack that these tests come by is captured in three
//! ways, and all of them have to find the same frames.
//!
//! Caches are never cleared between captures, so that what is stale would show.
#![cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]

mod churn;
mod hook;
mod objects;
mod oracle;
mod shapes;
mod stepping;
#[path = "../support/mod.rs"]
mod support;
