//! The unwinder against others: every stack that these tests come by is captured in three ways, by
//! the platform's unwinder and by libunwind, and all of them have to find the same frames. Whole
//! programs are stopped by a debugger, whose opinion is the third.
//!
//! Caches are never cleared between captures, so that what is stale would show.
#![cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]

mod budget;
mod churn;
mod debugger;
mod described;
mod hook;
mod libunwind;
mod objects;
mod oracle;
mod reentry;
mod shapes;
mod stepping;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;

/// Says something that is seen without `--nocapture` too.
fn say(text: &str) {
    let _unseen = writeln!(std::io::stderr(), "{text}");
}

/// Says how much has been compared so far; the last test to end says it all.
fn say_counts(test: &str) {
    let read =
        |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    let counts = format!(
        "after {test}: {} stacks of {} frames compared, {} of them with libunwind too; \
         {} frames interrupted; {} captures re-entered; {} nodes",
        read(&hook::COMPARED),
        read(&hook::FRAMES),
        read(&hook::SECONDED),
        read(&hook::EXACT),
        read(&hook::REENTERED),
        hook::trial().len(),
    );
    say(&counts);
}
