//! What the viewing commands show, as values: nothing here prints.
//!
//! ```text
//!   PID or path ─ source ─▶ Snapshot ─▶ sites, tree, flat, diff ─▶ cmd, export, top
//!                               └─ names ─▶ stacks ──┘
//! ```
//!
//! | module | answers |
//! |---|---|
//! | [`source`] | which ledger is meant? |
//! | [`metric`] | by which number is ranked, and how are counters added? |
//! | [`names`] | what are the frames called? |
//! | [`stacks`] | which calls does a reader see of a call stack? |
//! | [`sites`] | which call stacks matter? |
//! | [`weight`], [`tree`], [`flat`] | who called whom, and what is each function's share? |
//! | [`growth`] | what grows from look to look? |
//! | [`diff`] | what changed between two ledgers? |
//! | [`verdict`] | what is to be said in one sentence, and what qualifies it? |
//! | [`numbers`], [`plot`] | how do numbers look? |

pub(crate) mod diff;
pub(crate) mod flat;
pub(crate) mod growth;
pub(crate) mod metric;
pub(crate) mod names;
pub(crate) mod numbers;
pub(crate) mod plot;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod sites;
pub(crate) mod source;
pub(crate) mod stacks;
pub(crate) mod tree;
pub(crate) mod verdict;
pub(crate) mod weight;
