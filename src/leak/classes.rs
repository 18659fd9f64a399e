//! Cycles: which blocks of a graph reach each other, and does another one reach them?
//!
//! Blocks that reach each other belong together (a strongly connected component). Tarjan's
//! algorithm (1972), without recursion. The graph is asked for its edges, which are stored nowhere.

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

/// What a node's component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No other component points to it, and it has several nodes.
    Cycle,
    /// No other component points to it, and it is the node alone.
    Single,
    /// Another component points to it.
    Held,
}

/// The components of a graph.
#[derive(Debug)]
pub(crate) struct Components {
    /// For each node its component.
    components: Vector<u32>,
    /// For each component what it is.
    kinds: Vector<u8>,
}

const NONE: u32 = u32::MAX;

/// Bits of a component's kind.
const HELD: u8 = 1;
const MANY: u8 = 2;

impl Components {
    pub(crate) fn of(graph: &impl Graph) -> Result<Self, NoMemory> {
        let (components, kinds) = Search::components_of(graph)?;
        Ok(Self { components, kinds })
    }

    pub(crate) fn kind(&self, node: u32) -> Kind {
        match self.kinds[self.component(node) as usize] {
            0 => Kind::Single,
            MANY => Kind::Cycle,
            _ => Kind::Held,
        }
    }

    /// Nodes that reach each other have the same component.
    pub(crate) fn component(&self, node: u32) -> u32 {
        self.components[node as usize]
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

    /// For each node which ones it reaches.
    fn reach(graph: &[Vec<u32>]) -> Vec<Vec<bool>> {
        (0..graph.len())
            .map(|start| {
                let mut reached = vec![false; graph.len()];
                let mut stack = vec![start];
                while let Some(node) = stack.pop() {
                    if !core::mem::replace(&mut reached[node], true) {
                        stack.extend(graph[node].iter().map(|target| *target as usize));
                    }
                }
                reached
            })
            .collect()
    }

    fn naive_kind(reach: &[Vec<bool>], node: usize) -> Kind {
        let others: Vec<_> = (0..reach.len()).filter(|other| *other != node).collect();
        let reaches = |a: usize, b: usize| reach[a][b];
        if others.iter().any(|other| reaches(*other, node) && !reaches(node, *other)) {
            Kind::Held
        } else if others.iter().any(|other| reaches(*other, node)) {
            Kind::Cycle
        } else {
            Kind::Single
        }
    }

    proptest! {
        #[test]
        fn components_are_what_the_definition_says(graph in graph()) {
            let (found, reach) = (Components::of(&graph).unwrap(), reach(&graph));
            for node in 0..graph.len() {
                prop_assert_eq!(found.kind(node as u32), naive_kind(&reach, node), "{}", node);
                for (other, reached) in reach.iter().enumerate() {
                    let is_one = found.component(node as u32) == found.component(other as u32);
                    prop_assert_eq!(is_one, reach[node][other] && reached[node]);
                }
            }
        }
    }

    #[test]
    fn a_long_list_needs_no_deep_stack() {
        let graph: Vec<Vec<u32>> =
            (0..300_000u32).map(|node| if node == 0 { vec![] } else { vec![node - 1] }).collect();
        let found = Components::of(&graph).unwrap();
        assert_eq!((found.kind(299_999), found.kind(0)), (Kind::Single, Kind::Held));
    }
}
