//! Standard error, without the lock of std's: in the child of a fork it may be held by a thread
//! that the child does not have.

use crate::os::process;
use crate::report::Style;
use std::env;
use std::io::{self, BufWriter, IsTerminal, Write};

/// Writes by system call, and never fails: there is nowhere else to say so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stderr;

const STDERR: i32 = 2;

impl Stderr {
    /// For texts of many pieces; to be flushed.
    pub(super) fn buffered() -> BufWriter<Self> {
        BufWriter::new(Self)
    }

    pub(super) fn style() -> Style {
        Style { colour: io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none() }
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        process::write(STDERR, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
