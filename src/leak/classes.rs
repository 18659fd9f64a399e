//! What is lost, and by what: the unreached blocks as a graph.
//!
//! Blocks that reach each other belong together (a strongly connected component). A component that
//! no other one points into is where a loss began: a single block is *lost*, several are a *cycle*.
//! All else is *indirect*: it would be freed by whoever frees the block it hangs on.
//!
//! Tarjan's algorithm (1972), without recursion, then one search from all beginnings at once. The
//! graph is what it is asked for its edges, twice; they are stored nowhere.

use super::scratch::{NoMemory, Vector};

/// A graph whose nodes are numbers.
pub(crate) trait Graph {
    /// How many nodes there are.
    fn len(&self) -> u32;

    /// The first edge of `node` at or behind its word `from`.
    fn edge(&self, node: u32, from: usize) -> Option<Edge>;
}

/// A pointer from a node to another one, or to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) target: u32,
    /// Which word of the node it is.
    pub(crate) word: usize,
}

/// Why a node was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing that is lost points to it, but perhaps itself.
    Lost,
    /// It is in a cycle that nothing else points into.
    Cycle,
    /// Something lost points to it.
    Indirect,
}

/// The losses of a graph.
#[derive(Debug)]
pub(crate) struct Losses {
    /// For each node its component.
    components: Vector<u32>,
    /// For each component what it is.
    kinds: Vector<u8>,
    /// For each node where it hangs.
    ties: Vector<Tie>,
}

/// Where a node hangs: on which other node, by which word of it, and on which beginning in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tie {
    pub(crate) holder: u32,
    pub(crate) beginning: u32,
    pub(crate) word: usize,
}

const NONE: u32 = u32::MAX;

/// Bits of a component's kind.
const HELD: u8 = 1;
const MANY: u8 = 2;

impl Losses {
    pub(crate) fn of(graph: &impl Graph) -> Result<Self, NoMemory> {
        let (components, kinds) = Search::components_of(graph)?;
        let mut losses = Self { components, kinds, ties: Vector::new() };
        losses.find_ties(graph)?;
        Ok(losses)
    }

    pub(crate) fn loss(&self, node: u32) -> Loss {
        match self.kinds[self.component(node) as usize] {
            0 => Loss::Lost,
            MANY => Loss::Cycle,
            _ => Loss::Indirect,
        }
    }

    /// Nodes of one cycle have the same component.
    pub(crate) fn component(&self, node: u32) -> u32 {
        self.components[node as usize]
    }

    /// Where an indirect node hangs; a beginning hangs on itself.
    pub(crate) fn tie(&self, node: u32) -> Tie {
        self.ties[node as usize]
    }

    /// Searches from all beginnings at once, each step a pointer longer.
    fn find_ties(&mut self, graph: &impl Graph) -> Result<(), NoMemory> {
        let nodes = graph.len();
        let mut queue = Vector::new();
        for node in 0..nodes {
            let is_beginning = self.loss(node) != Loss::Indirect;
            let beginning = if is_beginning { node } else { NONE };
            self.ties.push(Tie { holder: node, beginning, word: 0 })?;
            if is_beginning {
                queue.push(node)?;
            }
        }
        let mut at = 0;
        while let Some(node) = queue.get(at).copied() {
            at += 1;
            let beginning = self.ties[node as usize].beginning;
            let mut from = 0;
            while let Some(edge) = graph.edge(node, from) {
                from = edge.word + 1;
                let tie = &mut self.ties[edge.target as usize];
                if tie.beginning == NONE {
                    *tie = Tie { holder: node, beginning, word: edge.word };
                    queue.push(edge.target)?;
                }
            }
        }
        Ok(())
    }
}

/// Tarjan's search.
#[derive(Debug)]
struct Search<'g, G> {
    graph: &'g G,
    /// For each node when it was found, counted from one; zero: not yet.
    order: Vector<u32>,
    /// For each node the earliest found that it reaches; of a finished one its component.
    low: Vector<u32>,
    components: Vector<u32>,
    kinds: Vector<u8>,
    /// Nodes whose component is not known yet.
    open: Vector<u32>,
    /// The path of the search.
    path: Vector<Step>,
    found: u32,
}

/// A node on the path, and the word to go on from.
#[derive(Clone, Copy, Debug)]
struct Step {
    node: u32,
    from: usize,
}

impl<'g, G: Graph> Search<'g, G> {
    /// For each node its component, and for each component its kind.
    fn components_of(graph: &'g G) -> Result<(Vector<u32>, Vector<u8>), NoMemory> {
        let nodes = graph.len() as usize;
        let mut components = Vector::zeroed(nodes)?;
        components.fill(NONE);
        let mut search = Self {
            graph,
            order: Vector::zeroed(nodes)?,
            low: Vector::zeroed(nodes)?,
            components,
            kinds: Vector::new(),
            open: Vector::new(),
            path: Vector::new(),
            found: 0,
        };
        for node in 0..graph.len() {
            if search.order[node as usize] == 0 {
                search.from(node)?;
            }
        }
        Ok((search.components, search.kinds))
    }

    fn from(&mut self, node: u32) -> Result<(), NoMemory> {
        self.enter(node)?;
        while let Some(Step { node, from }) = self.path.last().copied() {
            match self.graph.edge(node, from) {
                Some(edge) => {
                    if let Some(step) = self.path.last_mut() {
                        step.from = edge.word + 1;
                    }
                    self.follow(node, edge.target)?;
                }
                None => self.leave(node)?,
            }
        }
        Ok(())
    }

    fn enter(&mut self, node: u32) -> Result<(), NoMemory> {
        self.found += 1;
        self.order[node as usize] = self.found;
        self.low[node as usize] = self.found;
        self.open.push(node)?;
        self.path.push(Step { node, from: 0 })
    }

    fn follow(&mut self, node: u32, target: u32) -> Result<(), NoMemory> {
        if self.order[target as usize] == 0 {
            return self.enter(target);
        }
        match self.components[target as usize] {
            NONE => self.lower(node, self.order[target as usize]),
            component => self.kinds[component as usize] |= HELD,
        }
        Ok(())
    }

    fn lower(&mut self, node: u32, order: u32) {
        let low = &mut self.low[node as usize];
        *low = (*low).min(order);
    }

    /// All edges of the node were followed.
    fn leave(&mut self, node: u32) -> Result<(), NoMemory> {
        self.path.pop();
        let parent = self.path.last().map(|step| step.node);
        if self.low[node as usize] != self.order[node as usize] {
            if let Some(parent) = parent {
                self.lower(parent, self.low[node as usize]);
            }
            return Ok(());
        }
        // The node is the first of its component that was found, and the others lie above it.
        let component = self.kinds.len() as u32;
        let mut members = 0;
        while let Some(member) = self.open.pop() {
            self.components[member as usize] = component;
            members += 1;
            if member == node {
                break;
            }
        }
        let many = if members > 1 { MANY } else { 0 };
        let held = if parent.is_some() { HELD } else { 0 };
        self.kinds.push(many | held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::vec;
    use std::vec::Vec;

    impl Graph for Vec<Vec<u32>> {
        fn len(&self) -> u32 {
            self.as_slice().len() as u32
        }

        /// Word `2n + 1` is edge `n`.
        fn edge(&self, node: u32, from: usize) -> Option<Edge> {
            let place = from.saturating_sub(1).div_ceil(2);
            let target = *self[node as usize].get(place)?;
            Some(Edge { target, word: 2 * place + 1 })
        }
    }

    fn graph() -> impl Strategy<Value = Vec<Vec<u32>>> {
        (1usize..24, 0usize..4).prop_flat_map(|(nodes, most)| {
            let edges = proptest::collection::vec(0..nodes as u32, 0..=most);
            proptest::collection::vec(edges, nodes)
        })
    }

    /// For each node how far every other one is.
    fn distances(graph: &[Vec<u32>]) -> Vec<Vec<Option<usize>>> {
        (0..graph.len())
            .map(|start| {
                let mut reached = vec![None; graph.len()];
                reached[start] = Some(0);
                let mut queue = VecDeque::from([start]);
                while let Some(node) = queue.pop_front() {
                    for target in graph[node].iter().map(|target| *target as usize) {
                        if reached[target].is_none() {
                            reached[target] = reached[node].map(|steps: usize| steps + 1);
                            queue.push_back(target);
                        }
                    }
                }
                reached
            })
            .collect()
    }

    fn naive_loss(reach: &[Vec<Option<usize>>], node: usize) -> Loss {
        let others: Vec<_> = (0..reach.len()).filter(|other| *other != node).collect();
        let reaches = |a: usize, b: usize| reach[a][b].is_some();
        if others.iter().any(|other| reaches(*other, node) && !reaches(node, *other)) {
            Loss::Indirect
        } else if others.iter().any(|other| reaches(*other, node)) {
            Loss::Cycle
        } else {
            Loss::Lost
        }
    }

    proptest! {
        #[test]
        fn losses_are_what_the_definition_says(graph in graph()) {
            let (losses, reach) = (Losses::of(&graph).unwrap(), distances(&graph));
            for node in 0..graph.len() {
                prop_assert_eq!(losses.loss(node as u32), naive_loss(&reach, node), "{}", node);
                for other in 0..graph.len() {
                    let is_one = losses.component(node as u32) == losses.component(other as u32);
                    let are_mutual = reach[node][other].is_some() && reach[other][node].is_some();
                    prop_assert_eq!(is_one, are_mutual);
                }
            }
        }

        #[test]
        fn ties_are_shortest_paths_to_a_beginning(graph in graph()) {
            let (losses, reach) = (Losses::of(&graph).unwrap(), distances(&graph));
            let is_beginning = |node: usize| losses.loss(node as u32) != Loss::Indirect;
            for node in 0..graph.len() {
                let mut at = node as u32;
                let mut steps = 0;
                while !is_beginning(at as usize) {
                    let tie = losses.tie(at);
                    let edge = graph.edge(tie.holder, tie.word).unwrap();
                    prop_assert_eq!((edge.target, edge.word), (at, tie.word));
                    (at, steps) = (tie.holder, steps + 1);
                }
                prop_assert_eq!(losses.tie(node as u32).beginning, at);
                let shortest = (0..graph.len())
                    .filter(|start| is_beginning(*start))
                    .filter_map(|start| reach[start][node])
                    .min();
                prop_assert_eq!(Some(steps), shortest);
            }
        }
    }

    #[test]
    fn a_long_list_needs_no_deep_stack() {
        let graph: Vec<Vec<u32>> =
            (0..300_000u32).map(|node| if node == 0 { vec![] } else { vec![node - 1] }).collect();
        let losses = Losses::of(&graph).unwrap();
        assert_eq!(losses.loss(299_999), Loss::Lost);
        assert_eq!((losses.loss(0), losses.tie(0).beginning), (Loss::Indirect, 299_999));
    }
}
