//! Many small blocks: what is gathered of their pointers, and whether marking by it finds the same.

use super::{Plan, Planted, check_all, inside, plan, terms, words_of};
use crate::leak::edges::Edges;
use crate::leak::hints::{AHEAD, Hints};
use crate::leak::marks::Marks;
use proptest::prelude::*;
use std::vec::Vec;

/// A heap with levels wide enough to be treated as such.
fn crowd() -> impl Strategy<Value = (Vec<Plan>, Vec<(usize, usize)>)> {
    (60usize..200).prop_flat_map(|blocks| {
        let into = prop_oneof![4 => Just(0usize), 1 => 0usize..40];
        let edges = proptest::collection::vec((any::<usize>(), 0..blocks, into), 0..9);
        let small = (1usize..12, proptest::bool::weighted(0.1), edges);
        let plan = small.prop_map(|(words, is_freed, edges)| Plan {
            words,
            is_tracked: true,
            is_freed,
            edges,
        });
        let roots = proptest::collection::vec((0..blocks, Just(0usize)), 0..30);
        (proptest::collection::vec(plan, blocks), roots)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn many_small_blocks_are_what_the_definitions_say(
        (plans, roots) in crowd(),
        gathers in proptest::bool::weighted(0.8),
    ) {
        check_all(&plans, &roots, terms(gathers))?;
    }

    #[test]
    fn edges_are_the_pointers_of_a_block(plans in proptest::collection::vec(plan(20), 20)) {
        let planted = Planted::new(&plans);
        let frozen = planted.engine.freeze();
        let marks = Marks::take(&frozen, &[]).expect("memory");
        // SAFETY: all blocks are mapped, and nobody else knows the heap.
        let edges = unsafe { Edges::of(&marks, &(), marks.range()) }.expect("memory");
        let place_of = |node: usize| marks.find(planted.addresses[node].addr()).expect("a block");
        for (node, plan) in plans.iter().enumerate().filter(|(_, plan)| !plan.is_freed) {
            let place = place_of(node);
            let Some(list) = edges.from(place.number) else {
                prop_assert!(plan.words > 16, "{} words", plan.words);
                continue;
            };
            let found: Vec<_> = list
                .map(|edge| (edge.target(), edge.is_interior()))
                .filter(|(target, _)| marks.is_unreached(*target))
                .collect();
            let pointers = words_of(&plans, node).into_values();
            let expected: Vec<_> = pointers
                .filter(|(target, _)| *target != node && !plans[*target].is_freed)
                .map(|(target, into)| {
                    (place_of(target).number, inside(&plans, target, into) != 0)
                })
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn hints_tell_what_is_ahead_in_a_list(
        order in Just((0..400usize).collect::<Vec<_>>()).prop_shuffle(),
        is_double in any::<bool>(),
    ) {
        let mut plans = Vec::from_iter(order.iter().map(|_| Plan {
            words: 4,
            is_tracked: true,
            is_freed: false,
            edges: Vec::new(),
        }));
        for pair in order.windows(2) {
            plans[pair[0]].edges.push((1, pair[1], 0));
            if is_double {
                plans[pair[1]].edges.push((0, pair[0], 0));
            }
        }
        let planted = Planted::new(&plans);
        let frozen = planted.engine.freeze();
        let marks = Marks::take(&frozen, &[]).expect("memory");
        // SAFETY: as above.
        let edges = unsafe { Edges::of(&marks, &(), marks.range()) }.expect("memory");
        let hints = Hints::of(&edges, &marks).expect("memory");
        let place_of = |node: &usize| marks.find(planted.addresses[*node].addr()).expect("a block");
        let list: Vec<_> = order.iter().map(|node| place_of(node).number as u32).collect();
        let mut count = 0;
        for (at, number) in list.iter().enumerate() {
            let near = [at.checked_sub(AHEAD), Some(at + AHEAD)];
            let near = near.map(|at| at.and_then(|at| list.get(at)).copied());
            for hint in hints.around(*number as usize) {
                count += usize::from(near.contains(&Some(hint as u32)));
            }
        }
        // Where a trail ends, what is noted behind it is of another one.
        prop_assert!(count > list.len() / 2, "{} of {}", count, 2 * list.len());
    }
}
