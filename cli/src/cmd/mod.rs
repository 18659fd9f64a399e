//! The subcommands, one a file.

pub(crate) mod attach;
pub(crate) mod diff;
pub(crate) mod export;
pub(crate) mod leaks;
pub(crate) mod options;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod top;
pub(crate) mod why;
