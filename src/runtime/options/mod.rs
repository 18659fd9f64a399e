//! The options of Heapsight: one table, and everything that is made from it.
//!
//! ```text
//! HEAPSIGHT = item , item , ...        item = name=value
//! ```
//!
//! Spaces around items, names and values do not count, nor do empty items. A value may contain
//! `=`. In a path a backslash takes the next byte literally, so `a\,b` names the file `a,b`. When
//! an option is given twice the later item wins. An item that makes no sense is handed to the
//! caller as a one-line [`OptionError`] and changes nothing; the rest still counts.
//!
//! | module | answers |
//! |---|---|
//! | `rows`, `safety`, `table` | which options are there, what may each be, what does each mean? |
//! | `config`, `builder`, `values` | what do they amount to? |
//! | `parse` | how does text become settings? |
//! | `path` | where does the report go? |
//! | `error`, `suggest` | what was wrong, and what was probably meant? |
//!
//! **Invariant:** this module runs inside the first `malloc` of a process it was loaded into. It
//! names nothing but `core`, allocates nothing, locks nothing and cannot panic.

mod builder;
mod config;
mod error;
mod parse;
mod path;
mod rows;
mod safety;
mod size;
mod suggest;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use builder::ConfigBuilder;
pub use config::Config;
pub use error::{OptionError, Reason};
pub use parse::{Setting, Settings, escape, settings};
pub use path::{PathError, ReportPath};
pub use rows::TABLE;
pub use table::{Choice, Number, OptionRow, PathSlot, Shown, Size, Values, row};
pub use values::{
    GuardSide, Interior, ReportFormat, Safety, SafetyAction, Simd, ToggleSignal, Track,
};
