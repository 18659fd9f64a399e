//! Who called whom: calls merged into a tree, from the roots down or from the allocating functions
//! up.
//!
//! A node stands for a path of functions, so a call stack counts once in each node it passes, and
//! recursion makes the tree deeper, not its sums larger.

use std::collections::HashMap;

/// What is added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) value: u64,
    pub(crate) blocks: u64,
}

impl Share {
    pub(crate) fn add(&mut self, other: Self) {
        self.value = self.value.saturating_add(other.value);
        self.blocks = self.blocks.saturating_add(other.blocks);
    }
}

/// Numbers for names.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Labels {
    /// The number of a name.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.into(), number);
        self.names.push(name.into());
        number
    }

    pub(crate) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name)
    }
}

/// Call paths, merged. Node 0 is the root, of no function.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) label: u32,
    /// Of the paths that end here.
    pub(crate) own: Share,
    /// Of the paths through here.
    pub(crate) inclusive: Share,
    /// The largest first.
    pub(crate) children: Vec<usize>,
}

impl Tree {
    /// Merges paths, each from the tree's root on.
    pub(crate) fn of<P: IntoIterator<Item = u32>>(
        paths: impl IntoIterator<Item = (P, Share)>,
    ) -> Self {
        let mut nodes = vec![Node::default()];
        let mut edges = HashMap::<(usize, u32), usize>::new();
        for (path, share) in paths {
            let mut place = 0;
            nodes[0].inclusive.add(share);
            for label in path {
                let parent = place;
                place = *edges.entry((parent, label)).or_insert_with(|| {
                    nodes.push(Node { label, ..Node::default() });
                    let child = nodes.len() - 1;
                    nodes[parent].children.push(child);
                    child
                });
                nodes[place].inclusive.add(share);
            }
            nodes[place].own.add(share);
        }
        let mut tree = Self { nodes };
        for place in 0..tree.nodes.len() {
            let mut children = std::mem::take(&mut tree.nodes[place].children);
            children.sort_by_key(|child| std::cmp::Reverse(tree.nodes[*child].inclusive.value));
            tree.nodes[place].children = children;
        }
        tree
    }

    /// The children of a node that have at least `least`, and the sum of the others.
    pub(crate) fn large_children(&self, node: usize, least: u64) -> (&[usize], Share) {
        let children = &self.nodes[node].children;
        let value = |child: &usize| self.nodes[*child].inclusive.value;
        let end = children.partition_point(|child| value(child) >= least);
        let mut rest = Share::default();
        children[end..].iter().for_each(|child| rest.add(self.nodes[*child].inclusive));
        (&children[..end], rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn share(value: u64) -> Share {
        Share { value, blocks: 1 }
    }

    #[test]
    fn recursion_deepens_the_tree_and_counts_once() {
        let tree = Tree::of([(vec![0, 1, 1, 2], share(10)), (vec![0, 1], share(5))]);
        let values: Vec<_> = tree.nodes.iter().map(|node| node.inclusive.value).collect();
        assert_eq!(values, [15, 15, 15, 10, 10]);
        assert_eq!(tree.nodes[2].own, share(5));
        let (children, rest) = tree.large_children(2, 11);
        assert_eq!((children.len(), rest.value), (0, 10));
    }

    proptest! {
        #[test]
        fn own_shares_add_up_and_none_exceeds_its_inclusive(
            paths in vec((vec(0u32..5, 0..8), 0u64..1000), 0..50)
        ) {
            let total: u64 = paths.iter().map(|(_, value)| value).sum();
            let tree = Tree::of(paths.iter().map(|(path, value)| (path.clone(), share(*value))));
            prop_assert_eq!(tree.nodes.iter().map(|node| node.own.value).sum::<u64>(), total);
            prop_assert_eq!(tree.nodes[0].inclusive.value, total);
            for node in &tree.nodes {
                let below = node.children.iter().map(|child| tree.nodes[*child].inclusive.value);
                prop_assert_eq!(node.inclusive.value, node.own.value + below.sum::<u64>());
                let children = node.children.iter();
                let sizes: Vec<_> = children.map(|it| tree.nodes[*it].inclusive.value).collect();
                prop_assert!(sizes.is_sorted_by(|a, b| a >= b));
            }
        }
    }
}
