//! The memory around a mistake: bytes that should be others are in brackets, a bar is an edge of
//! the block.

use super::finding::Finding;
use crate::os::memory;
use core::fmt::{Result, Write};
use core::ops::Range;
use core::ptr;

/// Bytes before and behind what is damaged, and of that.
const AROUND: usize = 8;
const SHOWN: usize = 24;

pub(super) fn write(finding: &Finding, line: &mut dyn Write) -> Result {
    let (edge, damage) = match finding {
        Finding::Overflow { block, damage, .. } => {
            let end = block.start + block.size;
            (end, end + damage.start..end + damage.end)
        }
        Finding::Underflow { block, damage, .. } => {
            (block.start, block.start - damage.end..block.start - damage.start)
        }
        Finding::Buried { grave, damage } => {
            let start = grave.start as usize;
            (start, start + damage.start..start + damage.end)
        }
        _ => return Ok(()),
    };
    strip(edge, damage, line)
}

fn strip(edge: usize, damage: Range<usize>, line: &mut dyn Write) -> Result {
    let last = damage.end.min(damage.start + SHOWN);
    let from = damage.start - AROUND;
    write!(line, "  memory from {from:#x} on:")?;
    for at in from..last + AROUND {
        if at == edge {
            write!(line, " |")?;
        }
        if !memory::is_readable(at & !(size_of::<u64>() - 1)) {
            continue;
        }
        // SAFETY: it is memory, as the kernel has just said.
        let byte = unsafe { ptr::with_exposed_provenance::<u8>(at).read_volatile() };
        if damage.contains(&at) {
            write!(line, " [{byte:02x}]")?;
        } else {
            write!(line, " {byte:02x}")?;
        }
    }
    writeln!(line)
}
