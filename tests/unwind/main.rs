//! The unwinder against the platform's: every stack that these tests come by is captured in three
//! ways, and all of them have to find the same frames.
//!
//! Caches are never cleared between captures, so that what is stale would show.
#![cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]

mod churn;
mod hook;
mod objects;
mod oracle;
mod reentry;
mod shapes;
mod stepping;
#[path = "../support/mod.rs"]
mod support;

/// Says how much has been compared so far; the last test to end says it all.
fn say_counts(test: &str) {
    let read =
        |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    println!(
        "after {test}: {} stacks of {} frames, {} interrupted; {} re-entered; {} nodes",
        read(&hook::COMPARED),
        read(&hook::FRAMES),
        read(&hook::EXACT),
        read(&hook::REENTERED),
        hook::trial().len(),
    );
}
