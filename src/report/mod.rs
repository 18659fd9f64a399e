//! Floor 7: reports, from plain data to text and JSON.
//!
//! ```text
//!   return addresses ── symbols ──▶ frames ── keepers ──▶ groups ──▶ LeakReport ──▶ json, sarif
//!       (RawLeak)      (modules)    (explain)                         (model)   └─▶ text (fold),
//!                                                                      (form)     markdown, lsan
//! ```
//!
//! [`reader`] is the same for viewers, which look at other processes.
//!
//! Nothing here knows the heap: a report can be made of any list of stacks.

mod asked;
mod assertion;
mod explain;
mod fold;
mod form;
mod holder;
mod image;
mod imports;
mod json;
mod keepers;
mod lsan;
mod markdown;
mod model;
mod modules;
mod operators;
mod raw;
pub mod reader;
mod sarif;
mod separate;
mod stack;
pub(crate) mod suppress;
mod symbols;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use asked::Asked;
pub use assertion::CallSite;
pub(crate) use assertion::{
    RawCallSite, call_sites, cut_below_runner, leaked, write_call_sites, write_leaks,
};
pub(crate) use explain::leak_report;
pub(crate) use form::{Form, write_stats};
pub use holder::{Holder, Hop, Member, Root, RootKind};
pub(crate) use json::write_json;
pub(crate) use lsan::LsanForm;
pub use model::{Block, Frame, Leak, LeakClass, LeakReport, MemoryStats, Suppression};
pub(crate) use modules::Modules;
pub(crate) use raw::{RawAsked, RawHop, RawLeak, RawMember, RawPath, RawReport, RawRoot};
pub(crate) use stack::StackWriter;
pub(crate) use table::address_of_function;
pub(crate) use text::{Style, write_text};
