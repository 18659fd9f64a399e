//! Floor 1: the ledger's bytes.
//!
//! A ledger is a file that a tracked process maps and writes as it runs, so that a reader sees it
//! live and nothing is lost when the process is killed. [`layout`] says where what lies, for the
//! writer (`track`) and the reader alike. The reader, [`read`], makes of it a [`snapshot`]: plain
//! data, which viewers show. Both are ordinary Rust; `layout` is all that a tracked process needs.
//! `docs/ledger.md` describes the same for readers in other languages.

pub(crate) mod check;
pub(crate) mod layout;
pub(crate) mod read;
pub(crate) mod request;
pub(crate) mod sites;
pub(crate) mod snapshot;
#[doc(hidden)]
pub mod testing;
