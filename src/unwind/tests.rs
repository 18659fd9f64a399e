//! The walk and the cache against the platform's unwinder, on stacks of this process.

use super::names::Walk;
use super::platform::capture;
use super::*;
use std::collections::HashMap;
use std::sync::Mutex;
use std::vec::Vec;

/// Numbers of frames and stacks, naively.
#[derive(Default)]
pub(super) struct Names(Mutex<Tree>);

#[derive(Default)]
struct Tree {
    frames: Vec<usize>,
    numbers: HashMap<(u32, u32), u32>,
    /// Parent and frame of each stack.
    nodes: Vec<(u32, u32)>,
}

impl StackNames for &Names {
    fn frame(&self, pc: usize, _exact: bool) -> u32 {
        let mut tree = self.0.lock().unwrap();
        tree.frames.push(pc);
        tree.frames.len() as u32
    }

    fn ending(&self, end: End) -> u32 {
        panic!("ended by {end:?}")
    }

    fn child(&self, parent: u32, frame: u32) -> u32 {
        let Tree { numbers, nodes, .. } = &mut *self.0.lock().unwrap();
        *numbers.entry((parent, frame)).or_insert_with(|| {
            nodes.push((parent, frame));
            nodes.len() as u32
        })
    }

    fn child_at_hand(&self, parent: u32, frame: u32) -> u32 {
        self.0.lock().unwrap().numbers.get(&(parent, frame)).copied().unwrap_or(0)
    }
}

impl Names {
    /// The program counters of a stack, innermost first.
    pub(super) fn path(&self, mut node: u32) -> Vec<usize> {
        let tree = self.0.lock().unwrap();
        let mut path = Vec::new();
        while node != 0 {
            let (parent, frame) = tree.nodes[node as usize - 1];
            path.push(tree.frames[frame as usize - 1]);
            node = parent;
        }
        path
    }
}

struct World {
    rules: Rules,
    names: Names,
    cache: StackCache,
}

impl World {
    fn new() -> Self {
        Self { rules: Rules::new(), names: Names::default(), cache: StackCache::new() }
    }

    /// Compares all three ways to the callers of the caller.
    #[inline(never)]
    fn compare(&self) -> usize {
        let mut expected = [0; 512];
        let oracle = capture(&mut expected);
        let here = State::here();
        let mut frames = [Frame::NONE; 512];
        let found = walk(&self.rules, here, &mut frames);
        let node = self.cache.capture_from(&self.rules, &self.names, here).unwrap();
        assert_eq!((found.end, oracle.end), (End::Root, End::Root));
        let found: Vec<_> = frames[..found.len].iter().map(|frame| frame.pc()).collect();
        assert_eq!(self.names.path(node), found);
        // The innermost frame is this one, elsewhere.
        let skipped = oracle.len - found.len();
        assert_eq!(found[1..], expected[skipped + 1..oracle.len]);
        found.len()
    }
}

#[inline(never)]
fn nested(depth: usize, world: &World) -> usize {
    if depth == 0 { world.compare() } else { core::hint::black_box(nested(depth - 1, world)) }
}

#[test]
fn deeper_calls_have_more_frames_and_the_same_root() {
    let world = World::new();
    let shallow = nested(1, &world);
    assert_eq!(nested(6, &world), shallow + 5);
    assert_eq!(nested(6, &world), shallow + 5, "from the cache");
    assert_eq!(nested(1, &world), shallow);
}

#[inline(never)]
fn tree(depth: usize, seed: &mut u64, world: &World) {
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    let choice = *seed >> 60;
    if choice < 4 || depth == 0 {
        world.compare();
    }
    if depth > 0 {
        for _ in 0..choice % 3 {
            tree(depth - 1, seed, world);
            let mut list = [3, 1, 2];
            list.sort_by(|a: &i32, b| {
                if *a == 3 && depth > 2 {
                    tree(depth - 3, seed, world);
                }
                a.cmp(b)
            });
        }
    }
}

#[test]
fn random_recursion_is_captured_exactly() {
    let world = World::new();
    let mut seed = 1;
    for _ in 0..100 {
        tree(9, &mut seed, &world);
    }
    let before = nested(3, &world);
    world.rules.invalidate();
    assert_eq!(nested(3, &world), before, "with rules learnt anew");
}

#[test]
fn a_full_buffer_says_so() {
    let world = World::new();
    let mut frames = [Frame::NONE; 2];
    let walk = walk(&world.rules, State::here(), &mut frames);
    assert_eq!(walk, Walk { len: 2, end: End::Truncated });
}
