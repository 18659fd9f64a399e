//! The sentence that names a mistake, and the one that says what to do next.

use super::copies::Access;
use super::finding::{Fault, Finding, Known, Moment, Victim};
use super::stacks::Names;
use crate::heap::locate::{Misuse, MisuseKind};
use crate::runtime::misuse::Call;
use core::ffi::CStr;
use core::fmt::{Display, Formatter, Result, Write};

/// The sentence, in a line.
pub(super) fn write(finding: &Finding, names: &Names, line: &mut dyn Write) -> Result {
    let kind = kind(finding).to_str().unwrap_or_default();
    write!(line, "heapsight: {kind}: ")?;
    let from = From(names.block.as_deref());
    match finding {
        Finding::Bad { call, misuse } => bad(*call, *misuse, names, line)?,
        Finding::Overflow { block, damage, found } => {
            let bytes = Bytes(damage.len());
            write!(line, "{bytes} written past a {}-byte block{from}", block.size)?;
            if damage.start > 0 {
                write!(line, ", {} behind its end", Bytes(damage.start))?;
            }
            write!(line, "; found {}", when(*found))?;
        }
        Finding::Underflow { block, damage, found } => {
            let bytes = Bytes(damage.len());
            write!(line, "{bytes} written before a {}-byte block{from}", block.size)?;
            if damage.start > 0 {
                write!(line, ", up to {} before its start", Bytes(damage.start))?;
            }
            write!(line, "; found {}", when(*found))?;
        }
        Finding::Buried { grave, damage } => {
            let (bytes, at) = (Bytes(damage.len()), damage.start);
            write!(line, "{bytes} written at offset {at} of a {}-byte block{from}", grave.size)?;
            write!(line, " after it was freed{}", By(names.freer.as_deref()))?;
        }
        Finding::Size { call, block, named, family, is_exact } => {
            let function = match call {
                Call::Free => family.deallocator(),
                Call::Realloc => "realloc",
            };
            match is_exact {
                true => write!(line, "{function} of a {}-byte block{from}", block.size)?,
                false => write!(line, "{function} of a block that holds {}", Bytes(block.size))?,
            }
            if named.is_aligned(block.start) {
                write!(line, " names {}", Bytes(named.size))?;
            } else {
                write!(line, " names an alignment of {}", Bytes(named.align))?;
            }
        }
        Finding::Family { block, family } => {
            let (made, freed) = (block.family.allocator(), family.deallocator());
            write!(line, "{freed} of a {}-byte block{from}, which {made} made", block.size)?;
        }
        Finding::FreeList { address } => {
            write!(line, "the free block at {address:#x} was written to")?;
        }
        Finding::Copy { routine, block, at, len, access } => {
            let access = match access {
                Access::Read => "reads",
                Access::Write => "writes",
            };
            let offset = at.wrapping_sub(block.start).cast_signed();
            write!(line, "{routine} {access} {} at offset {offset}", Bytes(*len))?;
            write!(line, " of a {}-byte block{from}", block.size)?;
        }
        Finding::Overlap { routine, to, from: source, len } => {
            write!(line, "{routine} copies {} to {to:#x}, ", Bytes(*len))?;
            let side = if to < source { "before" } else { "behind" };
            write!(line, "{} {side} where they come from", Bytes(to.abs_diff(*source)))?;
            if let Some(size) = names.size {
                write!(line, ", in a {size}-byte block{from}")?;
            }
        }
        Finding::Fault(fault) => faulted(fault, names, line)?,
    }
    writeln!(line, ".")
}

fn bad(call: Call, misuse: Misuse, names: &Names, line: &mut dyn Write) -> Result {
    let caller = match call {
        Call::Free => "free",
        Call::Realloc => "realloc",
    };
    let from = From(names.block.as_deref());
    write!(line, "{caller}({:p}) of ", misuse.address)?;
    let size = names.size.or(misuse.block.map(|(_, size)| size)).unwrap_or(0);
    match (misuse.kind, misuse.block) {
        (MisuseKind::DoubleFree, _) => {
            let by = By(names.freer.as_deref());
            write!(line, "a {size}-byte block{from} that was freed before{by}")
        }
        (MisuseKind::NotBlockStart, Some((start, _))) => {
            let inside = (misuse.address as usize).wrapping_sub(start as usize);
            if inside <= isize::MAX as usize {
                write!(line, "an address {} into a {size}-byte block{from}", Bytes(inside))
            } else {
                let before = Bytes(inside.wrapping_neg());
                write!(line, "an address {before} before a {size}-byte block{from}")
            }
        }
        (MisuseKind::Foreign, _) => write!(line, "memory that this heap has not allocated"),
        _ => write!(line, "heap memory that holds no block in use"),
    }
}

fn faulted(fault: &Fault, names: &Names, line: &mut dyn Write) -> Result {
    let access = match fault.is_write {
        Some(true) => "a write",
        Some(false) => "a read",
        None => "an access",
    };
    let from = From(names.block.as_deref());
    match fault.victim {
        Victim::Guard(Known { start, size, .. }) if fault.address >= start => {
            match fault.address.saturating_sub(start + size) {
                0 => write!(line, "{access} right past a {size}-byte block{from}"),
                more => write!(line, "{access} {} past a {size}-byte block{from}", Bytes(more)),
            }
        }
        Victim::Guard(Known { start, size, .. }) => {
            let distance = Bytes(start - fault.address);
            write!(line, "{access} {distance} before a {size}-byte block{from}")
        }
        Victim::Freed(grave) => {
            let offset = fault.address.wrapping_sub(grave.start as usize).cast_signed();
            let by = By(names.freer.as_deref());
            write!(line, "{access} at offset {offset} of a {}-byte block{from}", grave.size)?;
            write!(line, " after it was freed{by}")
        }
        Victim::Pattern { is_poison: true } => {
            write!(line, "{access} through a pointer that was read from a freed block")
        }
        Victim::Pattern { is_poison: false } => {
            write!(
                line,
                "{access} through a pointer that was read from a block before anything \
                          was written there"
            )
        }
        Victim::Own => {
            write!(line, "{access} at {:#x}, by Heapsight itself, whose data was ", fault.address)?;
            write!(line, "overwritten")
        }
    }
}

/// What a finding is called, for programs too.
pub(super) const fn kind(finding: &Finding) -> &'static CStr {
    match finding {
        Finding::Bad { misuse: Misuse { kind, .. }, .. } => match kind {
            MisuseKind::DoubleFree => c"double free",
            MisuseKind::NotBlockStart | MisuseKind::NotAllocated => c"invalid free",
            MisuseKind::Foreign => c"foreign free",
        },
        Finding::Overflow { .. } => c"heap buffer overflow",
        Finding::Underflow { .. } => c"heap buffer underflow",
        Finding::Buried { .. } => c"write after free",
        Finding::Size { .. } => c"size mismatch",
        Finding::Family { .. } => c"allocation family mismatch",
        Finding::FreeList { .. } => c"heap corruption",
        Finding::Copy { block: Known { start, .. }, at, .. } if *at < *start => {
            c"heap buffer underflow"
        }
        Finding::Copy { .. } => c"heap buffer overflow",
        Finding::Overlap { .. } => c"overlapping copy",
        Finding::Fault(Fault { address, victim, .. }) => match victim {
            Victim::Guard(Known { start, .. }) if *address >= *start => c"heap buffer overflow",
            Victim::Guard(_) => c"heap buffer underflow",
            Victim::Freed(_) | Victim::Pattern { is_poison: true } => c"use after free",
            Victim::Pattern { is_poison: false } => c"use of uninitialised memory",
            Victim::Own => c"heap corruption",
        },
    }
}

/// The address that a finding is about.
pub(super) fn address(finding: &Finding) -> usize {
    match finding {
        Finding::Bad { misuse, .. } => misuse.address as usize,
        Finding::Overflow { block, damage, .. } => block.start + block.size + damage.start,
        Finding::Underflow { block, damage, .. } => block.start - damage.end,
        Finding::Buried { grave, damage } => grave.start as usize + damage.start,
        Finding::Size { block, .. } | Finding::Family { block, .. } => block.start,
        Finding::Copy { at, .. } => *at,
        Finding::Overlap { to, .. } => *to,
        Finding::FreeList { address } | Finding::Fault(Fault { address, .. }) => *address,
    }
}

/// What to do next. `is_watched`: this is found with `safety=full` or `safety=guard`.
pub(super) const fn advice(finding: &Finding, is_watched: bool) -> &'static str {
    match finding {
        Finding::Bad { misuse, .. } => match misuse.kind {
            MisuseKind::Foreign => {
                "Look for a stack, static or mmap address, or another allocator's block."
            }
            MisuseKind::NotBlockStart => "Only the address that malloc returned can be freed.",
            _ if is_watched => "It has no owner by now: look for a second owner of it.",
            _ => "To see who allocated it and who freed it first, run with safety=full.",
        },
        Finding::Overflow { .. } => {
            "To stop at the write itself, run with safety=guard, and guard_side=exact where the \
             block's size is odd."
        }
        Finding::Underflow { .. } => {
            "To stop at the write itself, run with safety=guard,guard_side=left."
        }
        Finding::Buried { .. } => {
            "The write came between the free and now: to stop at it, run with safety=guard."
        }
        Finding::Size { is_exact: false, .. } => {
            "To see who allocated it, run with safety=full. Look for a class without a virtual \
             destructor, a wrong layout, or a wrong cast."
        }
        Finding::Size { .. } => {
            "Look for a class without a virtual destructor, a wrong layout, or a wrong cast."
        }
        Finding::Family { block, .. } => match block.family {
            crate::harden::family::Family::C => "Free it with free.",
            crate::harden::family::Family::New => "Free it with delete.",
            crate::harden::family::Family::NewArray => "Free it with delete[].",
            crate::harden::family::Family::Rust => "Give it back to Rust's allocator.",
        },
        Finding::FreeList { .. } => {
            "Something wrote to a block after its end, or far over the edge of another: to stop at \
             it, run with safety=guard."
        }
        Finding::Copy { .. } => "Nothing was copied yet: the first stack is where the mistake is.",
        Finding::Overlap { .. } => "Use memmove where source and target may overlap.",
        Finding::Fault(Fault { victim, .. }) => match victim {
            Victim::Guard(_) | Victim::Freed(_) => "The first stack is where the mistake is.",
            Victim::Pattern { .. } => {
                "To stop where the block itself is used, run with safety=guard."
            }
            Victim::Own => "To stop at the write that did it, run with safety=guard.",
        },
    }
}

const fn when(found: Moment) -> &'static str {
    match found {
        Moment::Free => "when it was freed",
        Moment::Realloc => "when it was resized",
        Moment::Neighbour => "when the block behind it was freed",
        Moment::Check => "by a check of the heap",
    }
}

/// `1 byte`, `2 bytes`.
struct Bytes(usize);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "byte" } else { "bytes" })
    }
}

/// ` from `function``, if it is known.
struct From<'a>(Option<&'a str>);

impl Display for From<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.map_or(Ok(()), |name| write!(f, " from `{name}`"))
    }
}

/// ` by `function``, if it is known.
struct By<'a>(Option<&'a str>);

impl Display for By<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.map_or(Ok(()), |name| write!(f, " by `{name}`"))
    }
}
