//! Ledgers, from end to end: a program runs on the preloaded library, and what `heapsight report`
//! says of its ledger is what the program did.
//!
//! The programs are in `programs/`; each knows, or logs, its own numbers.

mod attaching;
mod ending;
mod forking;
mod program;
mod replay;
mod report;
mod room;
mod sampling;
#[path = "../support/mod.rs"]
mod support;
mod switching;
