//! The process's memory by what it is to a check: variables, stacks, and the rest.
//!
//! Nobody tells which mapping is a thread's stack, but glibc puts a thread's control block at the
//! very end of it, and a control block begins with its own address: so stacks are recognised, also
//! those that it keeps of threads that have ended, whose words mean nothing any more.

use super::pieces::{Piece, Usage, list};
use super::scratch::{NoMemory, Vector};
use super::world::Library;
use crate::os::memory::PAGE;
use crate::os::object;
use core::ptr;

/// Readable and writable memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: Kind,
}

/// What memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Variables of a module.
    Global,
    /// The stack of the process's first thread.
    FirstStack,
    /// A stack of a thread, of a living one or not.
    Stack,
    /// The program's own.
    Other,
    /// The other kind, and something points to it.
    Visited,
}

/// All of it, ascending, but for Heapsight's.
#[derive(Debug)]
pub(crate) struct Layout {
    areas: Vector<Area>,
    /// Thread pointers of living and of ended threads.
    pointers: Vector<usize>,
    /// Where the heap and Heapsight's own memory cannot be read: start and end, ascending. A
    /// program may protect a page in the middle of a block.
    holes: Vector<(usize, usize)>,
}

/// Addresses of the heap, and of Heapsight's own memory, which are no areas: start and end,
/// ascending.
pub(crate) type Extents = Vector<(usize, usize)>;

/// Longer mappings are looked at for control blocks at their end only.
const SEARCHED: usize = 256 << 20;

impl Layout {
    /// Takes stock of the memory. An error: there is none left for the lists.
    pub(crate) fn take(mut extents: Extents, library: &Library) -> Result<Self, NoMemory> {
        let mut layout =
            Self { areas: Vector::new(), pointers: Vector::new(), holes: Vector::new() };
        for piece in list(&mut extents)?.iter() {
            if piece.usage == Usage::Unreadable {
                layout.add_holes(&extents, piece)?;
            } else {
                // The kernel joins neighbours: ours and the program's may be one mapping.
                for_each_between(&extents, piece.start, piece.end, |start, end| {
                    layout.add(&Piece { start, end, ..*piece }, library)
                })?;
            }
        }
        Ok(layout)
    }

    fn add(&mut self, piece: &Piece, library: &Library) -> Result<(), NoMemory> {
        let (start, end) = (piece.start, piece.end);
        if piece.usage == Usage::FirstStack {
            return self.areas.push(Area { start, end, kind: Kind::FirstStack });
        }
        let mut rest = start;
        if let Some(object) = object::find(start).filter(|_| !piece.shared) {
            rest = object.end.clamp(start, end).next_multiple_of(PAGE).min(end);
            self.areas.push(Area { start, end: rest, kind: Kind::Global })?;
        }
        if rest == end || piece.usage == Usage::File {
            return Ok(());
        }
        // The kernel joins neighbours: behind a stack, memory of the program may begin.
        if piece.usage == Usage::Memory {
            rest = self.add_stacks(rest, end, library)?;
        }
        if rest == end {
            Ok(())
        } else {
            self.areas.push(Area { start: rest, end, kind: Kind::Other })
        }
    }

    fn add_holes(&mut self, extents: &Extents, piece: &Piece) -> Result<(), NoMemory> {
        let (start, end) = (piece.start, piece.end);
        let first = extents.partition_point(|extent| extent.1 <= start);
        for extent in extents[first..].iter().take_while(|extent| extent.0 < end) {
            self.holes.push((start.max(extent.0), end.min(extent.1)))?;
        }
        Ok(())
    }

    /// Where the heap cannot be read.
    pub(crate) fn holes(&self) -> &[(usize, usize)] {
        &self.holes
    }

    /// Adds what ends with a thread's control block: each is at the end of a page, or nearly, and
    /// points to itself. Where the rest begins.
    fn add_stacks(
        &mut self,
        start: usize,
        end: usize,
        library: &Library,
    ) -> Result<usize, NoMemory> {
        let mut rest = start;
        if library.control == 0 {
            return Ok(rest);
        }
        let first = if end - start > SEARCHED { end } else { start + PAGE };
        for page_end in (first..=end).step_by(PAGE) {
            let pointer = (page_end - library.control) & !(POINTER_ALIGN - 1);
            // SAFETY: both words are in a page of the mapping, which is readable and stays.
            let (itself, again) = unsafe { (word(pointer), word(pointer + SELF_AGAIN)) };
            if itself == pointer && again == pointer {
                self.pointers.push(pointer)?;
                self.areas.push(Area { start: rest, end: page_end, kind: Kind::Stack })?;
                rest = page_end;
            }
        }
        Ok(rest)
    }

    /// The area that holds an address.
    pub(crate) fn find(&self, address: usize) -> Option<Area> {
        self.position(address).map(|at| self.areas[at])
    }

    fn position(&self, address: usize) -> Option<usize> {
        let at = self.areas.partition_point(|area| area.end <= address);
        self.areas.get(at).filter(|area| area.start <= address).map(|_| at)
    }

    /// The areas that have a part of these addresses.
    pub(crate) fn between(&self, start: usize, end: usize) -> impl Iterator<Item = Area> {
        let first = self.areas.partition_point(|area| area.end <= start);
        self.areas.iter().skip(first).take_while(move |area| area.start < end).copied()
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = Area> {
        self.areas.iter().filter(move |area| area.kind == kind).copied()
    }

    /// The thread pointer of the living thread with this id.
    pub(crate) fn pointer_of(&self, id: u32, library: &Library) -> Option<usize> {
        let has_id = |pointer: &&usize| id_in(**pointer, library) == id;
        self.pointers.iter().find(has_id).copied().filter(|_| library.id_offset != 0)
    }

    /// Where threads that have ended have left their results, for whoever joins them. The kernel
    /// clears the id in the control block; whoever joins a thread writes another one.
    pub(crate) fn results(&self, library: &Library) -> impl Iterator<Item = usize> {
        let is_known = library.id_offset != 0 && library.result != 0;
        let ended = self.pointers.iter().filter(move |at| is_known && id_in(**at, library) == 0);
        ended.map(|pointer| pointer + library.result)
    }

    /// The program's own memory around `address`, the first time it is asked for.
    pub(crate) fn visit(&mut self, address: usize) -> Option<(usize, usize)> {
        let at = self.position(address).filter(|at| self.areas[*at].kind == Kind::Other)?;
        self.areas[at].kind = Kind::Visited;
        Some((self.areas[at].start, self.areas[at].end))
    }

    /// Where all of the program's own memory lies.
    pub(crate) fn bounds(&self) -> Option<(usize, usize)> {
        let mut others = self.areas.iter().filter(|area| area.kind == Kind::Other);
        let first = others.next()?;
        Some((first.start, others.next_back().unwrap_or(first).end))
    }
}

/// Thread pointers are aligned at least so.
const POINTER_ALIGN: usize = 64;
/// glibc's control block has its own address at its start and here.
const SELF_AGAIN: usize = 16;

/// The kernel's id in a control block that was found.
fn id_in(pointer: usize, library: &Library) -> u32 {
    let at = pointer + library.id_offset;
    // SAFETY: inside the control block, which was found to be there.
    let word = unsafe { word(at & !7) };
    (word >> (8 * (at & 7))) as u32
}

/// Visits what of `start..end` lies in none of the extents, which are sorted and disjoint.
fn for_each_between(
    extents: &[(usize, usize)],
    start: usize,
    end: usize,
    mut visit: impl FnMut(usize, usize) -> Result<(), NoMemory>,
) -> Result<(), NoMemory> {
    let first = extents.partition_point(|extent| extent.1 <= start);
    let mut from = start;
    for extent in extents[first..].iter().take_while(|extent| extent.0 < end) {
        if from < extent.0 {
            visit(from, extent.0)?;
        }
        from = extent.1;
    }
    if from < end { visit(from, end) } else { Ok(()) }
}

/// # Safety
/// The word can be read.
unsafe fn word(address: usize) -> usize {
    // SAFETY: the caller's. Volatile: it is memory of others.
    unsafe { ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn what_lies_between_extents_is_what_none_of_them_holds() {
        let extents = [(10, 20), (20, 30), (50, 60)];
        let between = |start, end| {
            let mut found = Vec::new();
            let visit = |from, to| {
                found.push((from, to));
                Ok(())
            };
            for_each_between(&extents, start, end, visit).unwrap();
            found
        };
        assert_eq!(between(0, 10), [(0, 10)]);
        assert_eq!(between(5, 55), [(5, 10), (30, 50)]);
        assert_eq!(between(12, 28), []);
        assert_eq!(between(15, 100), [(30, 50), (60, 100)]);
        assert_eq!(between(55, 58), []);
    }
}
