//! Floor 6: questions about the tracked heap. What was never freed: is it lost, and if not, who
//! holds it?
//!
//! ```text
//!   roots ──▶ mark ──▶ unreached, classes ──▶ collect ──▶ findings
//!            (marks)   (a graph of losses)   (paths)      (ordinary data)
//! ```
//!
//! Up to [`collect`] the heap is frozen and the world is stopped, and all memory comes from
//! [`scratch`].

pub(crate) mod births;
mod classes;
mod collect;
pub(crate) mod findings;
pub(crate) mod layout;
pub(crate) mod mark;
mod marks;
mod order;
mod paths;
pub(crate) mod roots;
pub(crate) mod scratch;
pub(crate) mod snapshot;
mod table;
#[cfg(test)]
mod tests;
mod unreached;
pub(crate) mod world;

use crate::heap::frozen::Frozen;
use crate::track::Tracker;
use crate::track::columns::Record;
use collect::Collected;
use findings::{Checked, RawHop};
use mark::{Elsewhere, Interior, Marker};
use marks::Marks;
use roots::{Origin, Root};
use scratch::{NoMemory, Vector};

/// What is wanted of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<F> {
    pub(crate) interior: Interior,
    /// Which blocks.
    pub(crate) is_wanted: F,
    /// And the one that holds this address, if any.
    pub(crate) asked: Option<usize>,
}

/// Finds out how those living blocks stand that are wanted. `roots` visits all roots.
///
/// # Safety
/// Roots are whole words that can be read, and so is what `elsewhere` finds. Nobody uses the heap
/// meanwhile.
pub(crate) unsafe fn check(
    heap: &Frozen<'_, Tracker>,
    roots: impl FnOnce(&mut dyn FnMut(Root)),
    elsewhere: &mut impl Elsewhere,
    wanted: Wanted<impl Fn(Record) -> bool>,
) -> Result<Checked, NoMemory> {
    let Wanted { interior, is_wanted, asked } = wanted;
    let mut marks = Marks::take(heap)?;
    let mut marker = Marker::new(&mut marks, elsewhere);
    let (mut all, mut failed) = (Vector::new(), None);
    roots(&mut |root| {
        let is_trusted = matches!(root.origin, Origin::Control { .. });
        // SAFETY: the caller's.
        let scanned = unsafe { marker.root(root.start, root.end, is_trusted) };
        failed = failed.or(scanned.and_then(|()| all.push(root)).err());
    });
    if let Some(error) = failed {
        return Err(error);
    }
    // SAFETY: the heap is frozen; the rest is the caller's.
    let pieces = unsafe { marker.finish()? };
    for piece in pieces.iter() {
        all.push(Root { start: piece.from, end: piece.to, origin: Origin::Mapping })?;
    }
    // SAFETY: the heap is frozen.
    unsafe { unreached::classify(&mut marks)? };
    let asked = asked.and_then(|address| marks.find(address));
    let living = asked.filter(|place| marks.is_live(*place));
    let collected = Collected::of(&marks, &heap.engine.observer, interior, is_wanted, living)?;
    let mut hops = Vector::new();
    for place in collected.hops.iter() {
        hops.push(RawHop::of(&marks, *place))?;
    }
    let asked = asked.map(|place| (place.start, marks.usable(place)));
    Ok(Checked { collected, hops, roots: all, asked })
}
