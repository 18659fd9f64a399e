//! Floor 8: the only home of statics. Options, the life of the process and its threads, and the
//! wiring of engine, tracker and reports.
//!
//! | module | answers |
//! |---|---|
//! | [`options`] | what can be configured, and how is it read? |
//! | [`tls`] | which heap is the calling thread's? |
//! | [`caller`] | from where is a call's stack unwound? |
//! | [`entry`] | the way into the engine for every face |
//! | [`limit`] | how large may an allocation be? |
//! | [`thread`] | how does a thread get a heap and leave it? |
//! | [`start`], [`fork`], [`exit`] | what happens when the process starts, forks and ends? |
//! | [`ledger`] | how is the ledger's file made, and a forked child's? |
//! | [`loaded`] | which modules are loaded, also in a child of a fork? |
//! | [`place`] | where do this process's report and ledger go? |
//! | [`park`] | how are all other threads stopped for a moment? |
//! | [`regions`] | which memory does the program call a root? |
//! | [`stderr`](mod@stderr) | how is something said on standard error? |
//! | [`toggle`] | which signal switches recording off and on? |
//! | [`ask`] | what does another process want to know of this one? |
//! | [`inspect`] | statistics, misuse stacks, the whole-heap check |
//! | [`leaks`], [`search`] | what is lost, and who holds the rest? |
//! | [`rules`] | by which rules, and which leaks are known? |
//! | [`lsan`] | what do programs say that are annotated for LeakSanitizer? |
//! | [`raw`](mod@raw) | how do findings become a report? |
//! | [`safety`] | how are blocks watched, and what is said of a mistake? |
//! | [`scope`] | what does a set of threads allocate while it is told to count? |
//! | [`simd`] | whose memory routines serve? |
//! | [`next`] | which allocator is behind this one? |
//! | [`misuse`] | what happens when the program frees what it must not? |

mod ask;
pub(crate) mod caller;
pub(crate) mod entry;
pub(crate) mod exit;
pub(crate) mod foreign;
mod fork;
pub(crate) mod inspect;
mod leaks;
mod ledger;
mod limit;
mod loaded;
pub(crate) mod lsan;
pub(crate) mod misuse;
pub(crate) mod next;
pub mod options;
pub(crate) mod park;
mod place;
mod raw;
pub(crate) mod regions;
mod rules;
pub(crate) mod safety;
pub(crate) mod scope;
mod search;
pub(crate) mod simd;
pub(crate) mod start;
mod stderr;
mod thread;
pub(crate) mod tls;
mod toggle;

use crate::heap::engine::Engine;
use crate::track::Tracker;

/// The engine of the process.
pub(crate) static ENGINE: Engine<Tracker> = Engine::new(Tracker::new());
