//! What is said of a mistake: a sentence that names it, the block and its neighbours, the bytes, and
//! the stacks; then the process ends.
//!
//! The sentence is written before anything else is tried, without allocating, so that it is there
//! even if the process is too broken for the stacks that follow.

use super::super::inspect;
use crate::base::sync::{AtomicBool, Ordering};
use crate::base::text::Text;
use crate::format::layout::event;
use crate::harden::family::Family;
use crate::harden::quarantine::Grave;
use crate::os::process;
use crate::runtime::ENGINE;
use crate::track::SiteId;
use crate::track::columns::Record;
use core::fmt::Write;
use core::ops::Range;

/// When a mistake was found that had been made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Free,
    Realloc,
    Check,
}

/// A mistake.
#[derive(Clone, Debug)]
pub(super) enum Finding {
    /// Bytes behind a block have been written, `damage` counted from its end.
    Overflow { block: *mut u8, record: Record, damage: Range<usize>, found: Moment },
    /// Bytes between two blocks have been written, `damage` counted from the end of the first; the
    /// second begins `len` bytes behind it.
    Between {
        before: *mut u8,
        its: Record,
        block: *mut u8,
        record: Record,
        damage: Range<usize>,
        len: usize,
        found: Moment,
    },
    /// A freed block has been written to.
    Buried { grave: Grave, damage: Range<usize> },
    /// The program names another size for a block that it frees.
    Size { block: *mut u8, record: Record, named: usize, family: Family },
    /// A block is freed by another family's function.
    Family { block: *mut u8, record: Record, allocated: Family, family: Family },
}

/// Bytes of memory that are shown.
const SHOWN: usize = 16;
const STDERR: i32 = 2;

static IS_REPORTING: AtomicBool = AtomicBool::new(false);

/// Says what was found, and ends the process.
#[cold]
pub(super) fn report(finding: Finding) {
    let mut line = Text::<512>::new();
    let _cut = sentence(&finding, &mut line);
    process::write(STDERR, line.as_bytes());
    ENGINE.observer.ledger.note(event::MISUSE, 0, line.as_bytes().trim_ascii_end());
    // A second thread with a mistake, or a mistake of the report itself, only aborts.
    if !IS_REPORTING.swap(true, Ordering::Relaxed) {
        let mut strip = Text::<512>::new();
        let _cut = bytes(&finding, &mut strip);
        process::write(STDERR, strip.as_bytes());
        stacks(&finding);
        process::write(STDERR, advice(&finding).as_bytes());
    }
    process::abort();
}

fn sentence(finding: &Finding, line: &mut Text<512>) -> core::fmt::Result {
    write!(line, "heapsight: ")?;
    match finding {
        Finding::Overflow { block, record, damage, found } => writeln!(
            line,
            "heap buffer overflow: {}written behind the {}-byte block at {block:p}; found {}.",
            Written(damage, "its end"),
            record.size,
            when(*found)
        ),
        Finding::Between { before, its, block, record, damage, len, found } => {
            // What begins at the end of the one came from there, what ends at the other from that.
            let is_underflow = damage.start > 0 && damage.end == *len;
            if is_underflow {
                writeln!(
                    line,
                    "heap buffer underflow: {} bytes before the {}-byte block at {block:p} were \
                     written; found {}.",
                    damage.len(),
                    record.size,
                    when(*found)
                )
            } else {
                writeln!(
                    line,
                    "heap buffer overflow: {}written behind the {}-byte block at {before:p}; found \
                     {} of the block behind it, at {block:p}.",
                    Written(damage, "its end"),
                    its.size,
                    when(*found)
                )
            }
        }
        Finding::Buried { grave, damage } => writeln!(
            line,
            "write after free: {} bytes were written {} bytes into the {}-byte block at {:p} after \
             it had been freed.",
            damage.len(),
            damage.start,
            grave.size,
            grave.start
        ),
        Finding::Size { block, record, named, family } => writeln!(
            line,
            "size mismatch: {} of the {}-byte block at {block:p} names {named} bytes.",
            family.deallocator(),
            record.size
        ),
        Finding::Family { block, record, allocated, family } => writeln!(
            line,
            "allocation family mismatch: {} of the {}-byte block at {block:p}, which {} made; free \
             it with {}.",
            family.deallocator(),
            record.size,
            allocated.allocator(),
            allocated.deallocator()
        ),
    }
}

/// `3 bytes, the first of them 2 behind its end, were `
struct Written<'a>(&'a Range<usize>, &'static str);

impl core::fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self(Range { start, end }, from) = self;
        let (count, verb) = (end - start, if end - start == 1 { "was" } else { "were" });
        let unit = if count == 1 { "byte" } else { "bytes" };
        match start {
            0 => write!(f, "{count} {unit} {verb} "),
            _ => write!(f, "{count} {unit}, from {start} bytes behind {from} on, {verb} "),
        }
    }
}

const fn when(found: Moment) -> &'static str {
    match found {
        Moment::Free => "at the free",
        Moment::Realloc => "at the realloc",
        Moment::Check => "by a check of the heap",
    }
}

/// The memory around the mistake: bytes that should be others are in brackets.
fn bytes(finding: &Finding, strip: &mut Text<512>) -> core::fmt::Result {
    let (from, damage) = match finding {
        Finding::Overflow { block, record, damage, .. } => {
            (block.wrapping_add(record.size), damage)
        }
        Finding::Between { before, its, damage, .. } => (before.wrapping_add(its.size), damage),
        Finding::Buried { grave, damage } => (grave.start, damage),
        Finding::Size { .. } | Finding::Family { .. } => return Ok(()),
    };
    let first = from.wrapping_add(damage.start);
    write!(strip, "  memory from {first:p} on:")?;
    for at in 0..damage.len().min(SHOWN) {
        // SAFETY: bytes of the heap, which were looked at just now.
        let byte = unsafe { first.wrapping_add(at).read_volatile() };
        write!(strip, " [{byte:02x}]")?;
    }
    writeln!(strip, "{}", if damage.len() > SHOWN { " ..." } else { "" })
}

fn stacks(finding: &Finding) {
    let mut printer = inspect::StackPrinter::begin();
    let owned = |printer: &mut inspect::StackPrinter, what: &str, record: &Record| {
        let thread = ENGINE.observer.thread_id(*record);
        printer.site(what, record.size, thread, record.site);
    };
    match finding {
        Finding::Overflow { record, .. } => {
            printer.here("found in this call");
            owned(&mut printer, "the block", record);
        }
        Finding::Between { its, record, .. } => {
            printer.here("found in this call");
            owned(&mut printer, "the block before", its);
            owned(&mut printer, "the block behind", record);
        }
        Finding::Size { record, .. } | Finding::Family { record, .. } => {
            printer.here("in this call");
            owned(&mut printer, "the block", record);
        }
        Finding::Buried { grave, .. } => print_buried(&mut printer, grave),
    }
}

fn print_buried(printer: &mut inspect::StackPrinter, grave: &Grave) {
    if let Some(site) = SiteId::from_number(grave.allocated) {
        printer.site("the block", grave.size, grave.allocator, site);
    }
    printer.stack("freed", grave.freer, grave.freed);
}

/// Prints who allocated a block and who freed it.
pub(super) fn print_grave(grave: &Grave) {
    print_buried(&mut inspect::StackPrinter::begin(), grave);
}

const fn advice(finding: &Finding) -> &'static str {
    match finding {
        Finding::Overflow { .. } | Finding::Between { .. } => {
            "  To stop at the write itself, set a watchpoint on that memory in a debugger, with \
             addresses that do not change (setarch -R).\n"
        }
        Finding::Buried { .. } => {
            "  The write came between the free and now. To stop at it, set a watchpoint on that \
             memory in a debugger, with addresses that do not change (setarch -R).\n"
        }
        Finding::Size { .. } => {
            "  Look for a class without a virtual destructor, a wrong layout, or a wrong cast.\n"
        }
        Finding::Family { .. } => {
            "  Mixing them works with some allocators and corrupts the heap of others.\n"
        }
    }
}
