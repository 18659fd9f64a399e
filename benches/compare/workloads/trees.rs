//! Trees of boxes, built and dropped: many short-lived ones beside one that stays.
//!
//! usage: trees PERCENT

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

fn main() {
    let percent = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(100_u64);
    let kept = grow(17);
    let mut total = 0;
    for height in (6..=16_u32).step_by(2) {
        let turns = (percent * 10) << (16 - height) >> 4;
        for _ in 0..turns.max(1) {
            total += count(&grow(height));
        }
    }
    println!("{total} {}", count(&kept));
}
