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
mod chain;
mod classes;
mod collect;
mod edges;
pub(crate) mod elsewhere;
pub(crate) mod findings;
mod hints;
mod holes;
pub(crate) mod layout;
mod level;
mod live;
pub(crate) mod mark;
mod marks;
mod order;
mod parts;
mod paths;
mod pieces;
pub(crate) mod roots;
mod scan;
pub(crate) mod scratch;
pub(crate) mod snapshot;
mod spans;
mod table;
pub(crate) mod terms;
#[cfg(test)]
mod tests;
mod totals;
mod unreached;
mod wide;
pub(crate) mod world;

use crate::heap::frozen::Frozen;
use crate::track::Tracker;
use collect::Collected;
use edges::Edges;
use elsewhere::Elsewhere;
use findings::{Checked, RawHop};
use mark::Marker;
use marks::Marks;
use roots::{Origin, Root};
use scratch::{NoMemory, Vector};
use terms::{Kept, Terms};

/// Finds out how those living blocks stand that are asked about. `roots` visits all roots.
///
/// # Safety
/// Roots are whole words that can be read, and so is what `elsewhere` finds. Nobody uses the heap
/// meanwhile.
pub(crate) unsafe fn check(
    heap: &Frozen<'_, Tracker>,
    roots: impl Fn(&mut dyn FnMut(Root)),
    elsewhere: &mut impl Elsewhere,
    terms: &Terms<'_>,
) -> Result<Checked, NoMemory> {
    let mut marks = Marks::take(heap, elsewhere.holes())?;
    let is_worth_it = marks.count() >= terms.worth && !terms.is_unaligned;
    let range = elsewhere.with_bounds(marks.range());
    // SAFETY: the heap is frozen; what cannot be read of it is among the holes.
    let edges = is_worth_it.then(|| unsafe { Edges::of(&marks, elsewhere, range) }).flatten();
    let mut marker = Marker::new(&mut marks, edges.as_ref(), elsewhere, terms.is_unaligned);
    // Before anything points there.
    roots(&mut |root| {
        if !terms.sources.count(root.origin) {
            marker.pass_over(root.start);
        }
    });
    let (mut all, mut failed) = (Vector::new(), None);
    roots(&mut |root| {
        if !terms.sources.count(root.origin) {
            return;
        }
        let is_trusted = matches!(root.origin, Origin::Control { .. });
        // SAFETY: the caller's.
        let scanned = unsafe { marker.root(root.start, root.end, is_trusted) };
        failed = failed.or(scanned.and_then(|()| all.push(root)).err());
    });
    if let Some(error) = failed {
        return Err(error);
    }
    // SAFETY: the heap is frozen; the rest is the caller's.
    let pieces = unsafe { marker.finish(|record| terms.kept(record))? };
    for piece in pieces.iter() {
        all.push(Root { start: piece.from, end: piece.to, origin: Origin::Mapping })?;
    }
    for kept in Kept::ALL {
        all.push(kept.root())?;
    }
    // SAFETY: the heap is frozen.
    unsafe { unreached::classify(&mut marks, edges.as_ref())? };
    let asked = terms.asked.and_then(|address| marks.find(address));
    let living = asked.filter(|place| marks.is_live(*place));
    // SAFETY: as above.
    let collected = unsafe { Collected::of(&marks, &heap.engine.observer, terms, living)? };
    let mut hops = Vector::new();
    for place in collected.hops.iter() {
        hops.push(RawHop::of(&marks, *place))?;
    }
    let asked = asked.map(|place| (place.start, marks.usable(place)));
    Ok(Checked { collected, hops, roots: all, asked })
}
