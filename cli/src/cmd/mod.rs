//! The subcommands, one a file.

pub(crate) mod options;
pub(crate) mod run;
