//! The unreached blocks as a graph: their words are its edges.

use super::classes::{Edge, Graph, Loss, Losses};
use super::mark::read;
use super::marks::{Marks, Place};
use super::scratch::{NoMemory, Vector};
use crate::mem::scan::WORD;

/// An unreached block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    start: usize,
    size: usize,
    number: usize,
}

/// The graph. The cell of each block is its place in it.
#[derive(Debug)]
pub(crate) struct Unreached<'m> {
    marks: &'m Marks,
    nodes: Vector<Node>,
}

/// Gives each unreached block its place in the graph.
fn nodes_of(marks: &mut Marks) -> Result<Vector<Node>, NoMemory> {
    let mut nodes = Vector::new();
    for span in marks.spans() {
        for index in marks.unreached_of(span) {
            let number = span.first + index as usize;
            let size = marks.cell(number);
            nodes.push(Node { start: span.block(index), size, number })?;
        }
    }
    u32::try_from(nodes.len()).ok().filter(|count| *count < u32::MAX).ok_or(NoMemory)?;
    for (place, node) in nodes.iter().enumerate() {
        marks.set_cell(node.number, place);
    }
    Ok(nodes)
}

/// The unreached blocks, in the order of their numbers, and what they are.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) losses: Losses,
    nodes: Vector<Node>,
}

impl Lost {
    /// Where a node is.
    pub(crate) fn place(&self, marks: &Marks, node: u32) -> Option<Place> {
        marks.find(self.nodes.get(node as usize)?.start)
    }
}

/// Finds out how the unreached blocks were lost. The cell of an indirect one is its holder from
/// there on, that of a beginning zero.
///
/// # Safety
/// The blocks in use are mapped.
pub(crate) unsafe fn classify(marks: &mut Marks) -> Result<Lost, NoMemory> {
    let nodes = nodes_of(marks)?;
    let graph = Unreached { marks, nodes };
    let losses = Losses::of(&graph)?;
    let nodes = graph.nodes;
    for (place, node) in nodes.iter().enumerate() {
        let holder = match losses.loss(place as u32) {
            Loss::Lost | Loss::Cycle => 0,
            Loss::Indirect => {
                let tie = losses.tie(place as u32);
                nodes[tie.holder as usize].start + tie.word * WORD
            }
        };
        marks.set_cell(node.number, holder);
    }
    Ok(Lost { losses, nodes })
}

impl Graph for Unreached<'_> {
    fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    fn edge(&self, node: u32, from: usize) -> Option<Edge> {
        let Node { start, size, .. } = self.nodes[node as usize];
        let range = self.marks.range();
        (from..size / WORD).find_map(|word| {
            // SAFETY: a word of a block in use, which `classify`'s caller says is mapped.
            let value = unsafe { read(start + word * WORD) };
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
