//! The heapsight command: runs any program on the Heapsight allocator, without rebuilding it.
//!
//! | module | answers |
//! |---|---|
//! | [`args`] | what can be typed? |
//! | [`cmd`] | what does each subcommand do? |
//! | [`settings`] | which options does the program get? |
//! | [`program`], [`image`] | which file is the program, and can a library be preloaded into it? |
//! | [`ask`] | how is a running process asked for a report? |
//! | [`library`] | where is `libheapsight.so`? |
//! | [`report`] | can the report be written? |
//! | [`view`] | what does a ledger say? |
//! | [`page`] | how is it printed? |
//! | [`export`] | what do other viewers read? |
//! | [`top`] | what is to be seen, live? |
//! | [`failure`] | what went wrong, and which exit code says so? |

mod args;
mod ask;
mod cmd;
mod export;
mod failure;
mod image;
mod ledger;
mod library;
mod page;
mod place;
mod program;
mod report;
mod settings;
mod suppressions;
mod top;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Leaks(args) => return end(cmd::leaks::leaks(&args)),
        Command::Why(args) => return end(cmd::why::why(&args)),
        Command::Run(args) => cmd::run::run(&args),
        Command::Options(args) => cmd::options::options(&args),
        Command::Report(args) => cmd::report::report(&args),
        Command::Diff(args) => cmd::diff::diff(&args),
        Command::Export(args) => cmd::export::export(&args),
        Command::Top(args) => cmd::top::top(&args),
        Command::Attach(args) => cmd::attach::attach(&args),
    };
    end(done.map(|()| ExitCode::SUCCESS))
}

fn end(outcome: Result<ExitCode, Failure>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let bold = args::STYLES.get_error();
            anstream::eprintln!("{bold}heapsight:{bold:#} {failure}");
            failure.exit_code()
        }
    }
}
