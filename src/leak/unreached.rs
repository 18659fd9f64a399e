//! What is lost, and by what: the blocks that the roots do not reach.
//!
//! A block that no other one points to is *lost*. What lost blocks reach is *indirect*: it would be
//! freed by whoever frees them. What is left then is held by blocks that reach each other and that
//! nothing else reaches, the *cycles*, and these are few: only for them the search for components
//! is needed, which costs ten times as much as marking.

use super::classes::{Components, Edge, Graph, Kind};
use super::edges::Edges;
use super::mark::{Found, Marker};
use super::marks::Marks;
use super::scratch::{Bits, NoMemory, Vector};
use super::spans::Place;
use crate::mem::scan::WORD;
use crate::track::SiteId;

/// Finds out how the unreached blocks were lost. From then on the cell of an indirect one is its
/// holder, that of a lost one zero, and that of one in a cycle says which.
///
/// # Safety
/// The blocks in use are mapped.
#[inline(never)]
pub(super) unsafe fn classify(marks: &mut Marks, edges: Option<&Edges>) -> Result<(), NoMemory> {
    marks.end_roots();
    // SAFETY: the caller's.
    let mut beginnings = unsafe { unpointed(marks)? };
    // SAFETY: the caller's.
    unsafe { flood(marks, edges, &mut beginnings)? };
    // SAFETY: the caller's.
    let mut beginnings = unsafe { cycles(marks)? };
    // SAFETY: the caller's.
    unsafe { flood(marks, edges, &mut beginnings) }
}

/// A block where a loss began.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    site: SiteId,
    block: Found,
}

impl Beginning {
    fn new(marks: &Marks, place: Place, cell: usize) -> Self {
        let site = marks.record(place).map_or(SiteId::UNKNOWN, |record| record.site);
        Self { site, block: Found { number: place.number, holder: cell } }
    }
}

/// Marks all that the beginnings reach, site by site.
///
/// # Safety
/// As [`classify`].
unsafe fn flood(
    marks: &mut Marks,
    edges: Option<&Edges>,
    beginnings: &mut [Beginning],
) -> Result<(), NoMemory> {
    // None of them hangs on another one.
    beginnings.iter().for_each(|beginning| marks.set_reached(beginning.block.number));
    beginnings.sort_unstable_by_key(|Beginning { site, block }| (*site, block.number));
    let mut nowhere = ();
    let mut marker = Marker::new(marks, edges, &mut nowhere, false);
    for of_site in beginnings.chunk_by(|one, other| one.site == other.site) {
        let blocks = of_site.iter().map(|beginning| beginning.block);
        // SAFETY: the caller's.
        of_site.first().map_or(Ok(()), |first| unsafe { marker.flood(first.site, blocks) })?;
    }
    Ok(())
}

/// The unreached blocks that no other one points to.
///
/// # Safety
/// As [`classify`].
unsafe fn unpointed(marks: &Marks) -> Result<Vector<Beginning>, NoMemory> {
    let mut pointed = marks.no_bits()?;
    for_each_unreached(marks, |place| {
        for word in 0..marks.cell(place.number) / WORD {
            // SAFETY: a word of a block in use.
            let value = unsafe { marks.word(place.start + word * WORD) };
            point(marks, &mut pointed, place, value);
        }
        Ok(())
    })?;
    let mut beginnings = Vector::new();
    for_each_unreached(marks, |place| {
        if pointed.is_set(place.number) {
            return Ok(());
        }
        beginnings.push(Beginning::new(marks, place, 0))
    })?;
    Ok(beginnings)
}

/// Notes that a word of the block at `from` points to another one.
#[inline(always)]
fn point(marks: &Marks, pointed: &mut Bits, from: Place, value: usize) {
    if !marks.range().contains(value) {
        return;
    }
    if let Some(to) = marks.find(value)
        && to.number != from.number
        && marks.is_unreached(to.number)
        && (to.offset == 0 || to.offset < marks.cell(to.number))
    {
        pointed.set(to.number);
    }
}

/// An unreached block.
#[derive(Clone, Copy, Debug)]
struct Node {
    place: Place,
    size: usize,
}

/// The unreached blocks as a graph. The cell of each is its place in `nodes`.
#[derive(Debug)]
struct Unreached<'m> {
    marks: &'m Marks,
    nodes: Vector<Node>,
}

/// The blocks in cycles that nothing else points into.
///
/// # Safety
/// As [`classify`].
unsafe fn cycles(marks: &mut Marks) -> Result<Vector<Beginning>, NoMemory> {
    let mut nodes = Vector::new();
    for_each_unreached(marks, |place| nodes.push(Node { place, size: marks.cell(place.number) }))?;
    u32::try_from(nodes.len()).ok().filter(|count| *count < u32::MAX).ok_or(NoMemory)?;
    for (number, node) in nodes.iter().enumerate() {
        marks.set_cell(node.place.number, number);
    }
    let graph = Unreached { marks, nodes };
    let components = Components::of(&graph)?;
    let mut beginnings = Vector::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        let cell = match components.kind(number as u32) {
            Kind::Held => continue,
            Kind::Single => 0,
            Kind::Cycle => (components.component(number as u32) as usize) << 2 | Marks::CYCLE,
        };
        beginnings.push(Beginning::new(graph.marks, node.place, cell))?;
    }
    for node in graph.nodes.iter() {
        marks.set_cell(node.place.number, node.size);
    }
    Ok(beginnings)
}

impl Graph for Unreached<'_> {
    fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    fn edge(&self, node: u32, from: usize) -> Option<Edge> {
        let Node { place, size } = self.nodes[node as usize];
        let range = self.marks.range();
        (from..size / WORD).find_map(|word| {
            // SAFETY: a word of a block in use, which `classify`'s caller says is mapped.
            let value = unsafe { self.marks.word(place.start + word * WORD) };
            let target = if range.contains(value) { self.target(value)? } else { return None };
            Some(Edge { target, word })
        })
    }
}

impl Unreached<'_> {
    /// The unreached block that a word points to.
    fn target(&self, value: usize) -> Option<u32> {
        let place = self.marks.find(value)?;
        if !self.marks.is_unreached(place.number) {
            return None;
        }
        let target = self.marks.cell(place.number);
        let counts = place.offset == 0 || place.offset < self.nodes[target].size;
        counts.then_some(target as u32)
    }
}

/// Visits the unreached blocks, ascending.
fn for_each_unreached(
    marks: &Marks,
    mut visit: impl FnMut(Place) -> Result<(), NoMemory>,
) -> Result<(), NoMemory> {
    for (number, span) in marks.spans().iter().enumerate() {
        for index in marks.unreached_of(span) {
            visit(span.place(number as u32, index))?;
        }
    }
    Ok(())
}
