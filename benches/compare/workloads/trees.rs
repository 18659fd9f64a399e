//! Trees of boxes, built and dropped: many short-lived ones beside one that stays.
//!
//! usage: trees PERCENT [HEIGHT]

struct Tree {
    sides: Option<(Box<Tree>, Box<Tree>)>,
}

fn grow(height: u32) -> Tree {
    let sides = (height > 0).then(|| (Box::new(grow(height - 1)), Box::new(grow(height - 1))));
    Tree { sides }
}

fn count(tree: &Tree) -> u64 {
    tree.sides.as_ref().map_or(1, |(left, right)| 1 + count(left) + count(right))
}

pub fn main() {
    let percent = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(100_u64);
    // A higher one has more call stacks: two for each of its nodes.
    let height = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(17_u32);
    let kept = grow(height);
    let mut total = 0;
    for height in (6..height).step_by(2) {
        let turns = (percent * 10) << (16 - height) >> 4;
        for _ in 0..turns.max(1) {
            total += count(&grow(height));
        }
    }
    println!("{total} {}", count(&kept));
}
