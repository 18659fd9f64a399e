//! A list of what is mapped that a check can look through at leisure.
//!
//! The system tells in steps what is mapped, and whoever maps memory between two of them may be
//! told of what is no longer there. So the room for the list is made before, and everything else
//! that a check needs is mapped once the list is whole, and so is not on it.

use super::layout::Extents;
use super::scratch::{NoMemory, Vector};
use crate::os::maps::{self, Mapping};

/// A mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) shared: bool,
    pub(super) usage: Usage,
}

/// What a mapping is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// Nothing, at present.
    Unreadable,
    /// The stack of the process's first thread.
    FirstStack,
    /// Memory that is in no file.
    Memory,
    /// Memory that several processes share, by a file that is there for that.
    SharedMemory,
    /// A file that somebody may cut short, or a device.
    File,
}

/// Mappings that the list itself may bring, or split.
const OWN: usize = 8;

/// All mappings, ascending, but for those that can be read and not written. Adds to the extents
/// where the list and they themselves are, and leaves them sorted.
pub(super) fn list(extents: &mut Extents) -> Result<Vector<Piece>, NoMemory> {
    extents.reserve(2)?;
    let pieces = list_in_room_made_before()?;
    for place in [pieces.place(), extents.place()] {
        extents.push(place)?;
    }
    extents.sort_unstable();
    Ok(pieces)
}

fn list_in_room_made_before() -> Result<Vector<Piece>, NoMemory> {
    loop {
        let mut count = OWN;
        maps::for_each(|_| count += 1);
        let mut pieces = Vector::with_room(count)?;
        let (mut seen, mut failed) = (0, None);
        maps::for_each(|mapping| {
            seen += 1;
            if seen <= count
                && let Some(usage) = usage(&mapping)
            {
                let Mapping { start, end, shared, .. } = mapping;
                failed = failed.or(pieces.push(Piece { start, end, shared, usage }).err());
            }
        });
        if seen <= count {
            return failed.map_or(Ok(pieces), Err);
        }
        // A thread that could not be stopped maps memory: once more.
    }
}

fn usage(mapping: &Mapping<'_>) -> Option<Usage> {
    const SHARED: [&[u8]; 3] = [b"/dev/zero", b"/memfd:", b"/SYSV"];
    let is_for_sharing = SHARED.iter().any(|name| mapping.name.starts_with(name));
    match *mapping {
        Mapping { readable: false, .. } => Some(Usage::Unreadable),
        Mapping { writable: false, .. } => None,
        Mapping { name: b"[stack]", .. } => Some(Usage::FirstStack),
        Mapping { shared: false, inode: 0, .. } => Some(Usage::Memory),
        Mapping { shared: true, .. } if is_for_sharing => Some(Usage::SharedMemory),
        _ => Some(Usage::File),
    }
}
