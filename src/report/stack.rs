//! Call stacks one by one, for what is said while a process is at its end: each is written at once,
//! and what was read of the modules for one serves the next.

use super::modules::Modules;
use super::symbols::{Detail, Symbolizer};
use super::text::{Style, own_frame, printable, write_frames};
use std::io::{self, Write};
use std::string::String;

/// Writes stacks of one process.
pub(crate) struct StackWriter<'a> {
    symbolizer: Symbolizer<'a>,
    style: Style,
}

impl<'a> StackWriter<'a> {
    pub(crate) fn new(modules: &'a Modules, style: Style) -> Self {
        Self { symbolizer: Symbolizer::new(modules), style }
    }

    /// A title, and the frames of a stack below it, without Heapsight's own.
    pub(crate) fn write(
        &mut self,
        title: &str,
        stack: &[u64],
        sink: &mut dyn Write,
    ) -> io::Result<()> {
        let stack = self.symbolizer.without_own(stack);
        let frames = self.symbolizer.frames(stack, Detail::Lines);
        writeln!(sink, "  {title}:")?;
        write_frames(&frames, sink, self.style)?;
        sink.flush()
    }

    /// The name of the innermost function of a stack that a reader cares for.
    pub(crate) fn function(&mut self, stack: &[u64]) -> Option<String> {
        let stack = self.symbolizer.without_own(stack);
        let frames = self.symbolizer.frames(stack, Detail::Lines);
        let name = own_frame(&frames)?.function.as_deref()?;
        Some(printable(name))
    }
}
