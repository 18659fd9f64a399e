//! Floor 1: the ledger's bytes.
//!
//! A ledger is a file that a tracked process maps and writes as it runs, so that a reader sees it
//! live and nothing is lost when the process is killed. [`layout`] says where what lies, for the
//! writer (`track`) and the reader alike; [`snapshot`] is what a reader gets: plain data.
//! `docs/ledger.md` describes the same for readers in other languages.

pub(crate) mod layout;
pub mod snapshot;
