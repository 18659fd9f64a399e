//! A random heap, checked, against a naive search of the same graph.

mod graph;

use super::check;
use super::elsewhere::Elsewhere;
use super::findings::{Class, Findings, Holder};
use super::roots::{Origin, Root};
use super::terms::{Interior, Terms};
use crate::heap::alloc::Request;
use crate::heap::engine::Engine;
use crate::track::ledger::LEN_MIN;
use crate::track::{Recorded, Tracker};
use crate::unwind::Registers;
use proptest::prelude::*;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

/// What one of the blocks of a random heap is like.
#[derive(Clone, Debug)]
struct Plan {
    words: usize,
    is_tracked: bool,
    is_freed: bool,
    /// Word, target block, and how many words into it, modulo what there is.
    edges: Vec<(usize, usize, usize)>,
}

fn plan(blocks: usize) -> impl Strategy<Value = Plan> {
    let words = prop_oneof![6 => 0usize..12, 2 => 12usize..600, 1 => 70_000usize..90_000];
    let into = prop_oneof![3 => Just(0usize), 1 => 0usize..700];
    let edges = proptest::collection::vec((any::<usize>(), 0..blocks, into), 0..3);
    (words, proptest::bool::weighted(0.8), proptest::bool::weighted(0.2), edges).prop_map(
        |(words, is_tracked, is_freed, edges)| Plan { words, is_tracked, is_freed, edges },
    )
}

fn plans() -> impl Strategy<Value = (Vec<Plan>, Vec<(usize, usize)>)> {
    (1usize..40).prop_flat_map(|blocks| {
        let roots = proptest::collection::vec((0..blocks, 0usize..20), 0..4);
        (proptest::collection::vec(plan(blocks), blocks), roots)
    })
}

/// A heap whose blocks point to each other as planned.
struct Planted {
    engine: &'static Engine<Tracker>,
    addresses: Vec<*mut u8>,
}

impl Planted {
    fn new(plans: &[Plan]) -> Self {
        // Heaps and ledgers are never unmapped, so neither is what refers to them.
        let engine: &'static Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
        engine.observer.open_ledger(LEN_MIN);
        let heap = engine.attach().expect("memory");
        let mut addresses = vec![core::ptr::null_mut(); plans.len()];
        for is_tracked in [false, true] {
            if is_tracked {
                engine.observer.record(Recorded::Sums);
                engine.follow_observer(heap);
            }
            for (plan, address) in plans.iter().zip(&mut addresses) {
                if plan.is_tracked == is_tracked {
                    let size = plan.words * 8;
                    *address = engine.allocate(heap, Request::plain(size, Registers::NOWHERE));
                    assert!(!address.is_null());
                    // What is not tracked is searched whole, and may hold a link of the heap's.
                    let size = if is_tracked { size } else { engine.usable_size(*address) };
                    // SAFETY: the block is that long.
                    unsafe { address.write_bytes(0, size) };
                }
            }
        }
        let planted = Self { engine, addresses };
        for node in 0..plans.len() {
            let address = planted.addresses[node].cast::<usize>();
            for (word, target) in words_of(plans, node) {
                // SAFETY: a word of the block.
                unsafe { address.add(word).write(planted.address(plans, target)) };
            }
        }
        for (plan, address) in plans.iter().zip(&planted.addresses) {
            if plan.is_freed {
                planted.engine.free(heap, *address).expect("a block in use");
            }
        }
        planted
    }

    fn address(&self, plans: &[Plan], (target, into): (usize, usize)) -> usize {
        self.addresses[target].expose_provenance() + inside(plans, target, into) * 8
    }

    fn check(&self, roots: &[usize], elsewhere: &mut impl Elsewhere, terms: Terms<'_>) -> Findings {
        let range = roots.as_ptr_range();
        let root = Root {
            start: range.start.expose_provenance(),
            end: range.end.addr(),
            origin: Origin::Global,
        };
        let frozen = self.engine.freeze();
        // SAFETY: the root is the slice, and nobody else knows the heap.
        let checked = unsafe { check(&frozen, |visit| visit(root), elsewhere, &terms) };
        let checked = checked.expect("memory");
        drop(frozen);
        checked.findings(|_, _| None)
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        // A terabyte of addresses a case is more than there are.
        self.engine.space.release_for_test();
    }
}

/// The usual terms; `gathers`: the pointers of all blocks are gathered first.
fn terms(gathers: bool) -> Terms<'static> {
    Terms { worth: if gathers { 0 } else { usize::MAX }, ..Terms::USUAL }
}

/// Which word of a block a pointer points to.
fn inside(plans: &[Plan], target: usize, into: usize) -> usize {
    into % plans[target].words.max(1)
}

/// The pointers of a block: word, target and word of the target. A later one replaces an earlier.
fn words_of(plans: &[Plan], node: usize) -> BTreeMap<usize, (usize, usize)> {
    let plan = &plans[node];
    let edges = plan.edges.iter().filter(|_| plan.words > 0);
    edges.map(|(word, target, into)| (word % plan.words, (*target, *into))).collect()
}

/// What can be reached from some pointers.
fn reach(
    plans: &[Plan],
    from: impl IntoIterator<Item = (usize, usize)>,
    follows: impl Fn((usize, usize)) -> bool,
) -> Vec<bool> {
    let mut reached = vec![false; plans.len()];
    let mut stack: Vec<_> = from.into_iter().collect();
    while let Some((node, into)) = stack.pop() {
        let is_followed = follows((node, inside(plans, node, into)));
        if !plans[node].is_freed && is_followed && !reached[node] {
            reached[node] = true;
            stack.extend(words_of(plans, node).into_values());
        }
    }
    reached
}

/// The class of every block, by the definitions.
fn classes(plans: &[Plan], roots: &[(usize, usize)], interior: Interior) -> Vec<Option<Class>> {
    let exact = reach(plans, roots.iter().copied(), |(_, into)| into == 0);
    let any = reach(plans, roots.iter().copied(), |_| true);
    let unreached = |node: usize| !plans[node].is_freed && !any[node];
    let from: Vec<_> = (0..plans.len())
        .map(|node| reach(plans, words_of(plans, node).into_values(), |_| true))
        .collect();
    (0..plans.len())
        .map(|node| {
            if plans[node].is_freed {
                return None;
            }
            if any[node] {
                let is_possible = interior == Interior::Possible && !exact[node];
                return Some(if is_possible { Class::Possible } else { Class::Reachable });
            }
            let mut others = (0..plans.len())
                .filter(|other| unreached(*other) && *other != node && from[*other][node]);
            let is_held = others.clone().any(|other| !from[node][other]);
            let in_cycle = others.next().is_some();
            Some(match (is_held, in_cycle) {
                (true, _) => Class::Indirect,
                (false, true) => Class::Cycle,
                (false, false) => Class::Lost,
            })
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_block_is_what_the_definitions_say(
        (plans, roots) in plans(),
        is_strict in any::<bool>(),
        gathers in any::<bool>(),
    ) {
        let interior = if is_strict { Interior::Possible } else { Interior::Reaches };
        check_all(&plans, &roots, Terms { interior, ..terms(gathers) })?;
    }

    #[test]
    fn interior_is_what_no_pointers_to_starts_lead_to(
        (plans, roots) in plans(),
        gathers in any::<bool>(),
    ) {
        let planted = Planted::new(&plans);
        let pointers: Vec<_> = roots.iter().map(|root| planted.address(&plans, *root)).collect();
        let findings = planted.check(&pointers, &mut (), terms(gathers));
        let any = reach(&plans, roots.iter().copied(), |_| true);
        let exact = reach(&plans, roots.iter().copied(), |(_, into)| into == 0);
        let expected = (0..plans.len())
            .filter(|node| any[*node] && !exact[*node] && plans[*node].is_tracked)
            .count() as u64;
        let interior = findings.groups.iter().filter(|group| group.is_interior);
        prop_assert_eq!(interior.map(|group| group.blocks).sum::<u64>(), expected);
    }
}

/// Every block has the class that the definitions say, and its path is one.
fn check_all(
    plans: &[Plan],
    roots: &[(usize, usize)],
    terms: Terms<'_>,
) -> Result<(), TestCaseError> {
    let planted = Planted::new(plans);
    let pointers: Vec<_> = roots.iter().map(|root| planted.address(plans, *root)).collect();
    let findings = planted.check(&pointers, &mut (), terms);

    let mut expected = BTreeMap::<Class, (u64, u64)>::new();
    let classes = classes(plans, roots, terms.interior);
    for (plan, class) in plans.iter().zip(&classes) {
        if let Some(class) = class.filter(|_| plan.is_tracked) {
            let sum = expected.entry(class).or_default();
            *sum = (sum.0 + 1, sum.1 + plan.words as u64 * 8);
        }
    }
    let mut found = BTreeMap::<Class, (u64, u64)>::new();
    for group in &findings.groups {
        let sum = found.entry(group.class).or_default();
        *sum = (sum.0 + group.blocks, sum.1 + group.bytes);
    }
    prop_assert_eq!(found, expected);
    check_paths(&planted, plans, &pointers, &findings)
}

/// Every path begins where it says, and each of its steps is a pointer to the next block.
fn check_paths(
    planted: &Planted,
    plans: &[Plan],
    roots: &[usize],
    findings: &Findings,
) -> Result<(), TestCaseError> {
    let node_at = |address: u64| {
        planted.addresses.iter().zip(plans).position(|(start, plan)| {
            let offset = (address as usize).wrapping_sub(start.addr());
            !plan.is_freed && (offset < plan.words * 8 || offset == 0)
        })
    };
    for group in &findings.groups {
        let Some(path) = &group.path else {
            prop_assert!(matches!(group.class, Class::Lost | Class::Cycle));
            continue;
        };
        prop_assert!(!matches!(group.class, Class::Lost | Class::Cycle));
        let mut at = match path.root {
            Holder::Root { origin, address, pc } => {
                prop_assert_eq!((origin, pc), (Origin::Global, None));
                let place = address as usize - roots.as_ptr().addr();
                node_at(roots[place / 8] as u64)
            }
            Holder::Lost(_) => node_at(path.hops[0].address),
            Holder::Unknown => None,
        };
        prop_assert_eq!(group.class == Class::Indirect, matches!(path.root, Holder::Lost(_)));
        prop_assert_eq!(path.omitted, 0);
        for hop in &path.hops {
            prop_assert_eq!(at, node_at(hop.address));
            let edges = words_of(plans, at.expect("a block in use"));
            let (target, into) = edges[&(hop.offset as usize / 8)];
            at = node_at(planted.address(plans, (target, into)) as u64);
        }
        prop_assert!(at.is_some_and(|node| plans[node].is_tracked));
    }
    Ok(())
}

/// Memory of the program's own, in which a pointer lies.
struct Arena {
    words: Vec<usize>,
    is_found: bool,
}

impl Elsewhere for Arena {
    fn bounds(&self) -> Option<(usize, usize)> {
        let range = self.words.as_ptr_range();
        Some((range.start.expose_provenance(), range.end.addr()))
    }

    fn holds(&self, address: usize) -> bool {
        self.bounds().is_some_and(|(low, end)| (low..end).contains(&address)) && !self.is_found
    }

    fn find(&mut self, address: usize) -> Option<(usize, usize)> {
        let (low, end) = self.bounds()?;
        let is_new = (low..end).contains(&address) && !self.is_found;
        self.is_found |= is_new;
        is_new.then_some((low, end))
    }
}

#[test]
fn memory_elsewhere_counts_once_something_points_to_it() {
    let leaf = Plan { words: 4, is_tracked: true, is_freed: false, edges: vec![] };
    let planted = Planted::new(&[leaf]);
    let block = planted.addresses[0].expose_provenance();
    let mut arena = Arena { words: vec![0, 0, block, 0], is_found: false };
    let lost = planted.check(&[], &mut arena, Terms::USUAL);
    assert_eq!(lost.groups[0].class, Class::Lost);

    let pointer = arena.bounds().unwrap().0 + 8;
    let held = planted.check(&[pointer], &mut arena, Terms::USUAL);
    assert_eq!(held.groups[0].class, Class::Reachable);
    let root = held.groups[0].path.as_ref().unwrap().root;
    let address = pointer as u64 + 8;
    assert_eq!(root, Holder::Root { origin: Origin::Mapping, address, pc: None });
}

/// Blocks that are free, side by side, are linked. In use, they do not hold each other.
#[test]
fn fresh_blocks_hold_nothing() {
    let engine: &'static Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
    engine.observer.open_ledger(LEN_MIN);
    let heap = engine.attach().expect("memory");
    engine.observer.record(Recorded::Sums);
    engine.follow_observer(heap);
    let allocate = || engine.allocate(heap, Request::plain(100, Registers::NOWHERE));
    let first: Vec<_> = (0..50).map(|_| allocate()).collect();
    first.into_iter().for_each(|block| engine.free(heap, block).expect("a block in use"));
    let addresses: Vec<_> = (0..80).map(|_| allocate()).collect();
    let planted = Planted { engine, addresses };
    let found = planted.check(&[], &mut (), Terms::USUAL);
    let groups: Vec<_> = found.groups.iter().map(|group| (group.class, group.blocks)).collect();
    assert_eq!(groups, [(Class::Lost, 80)]);
}

/// Blocks of Heapsight's own, and such as were allocated before tracking began, are full of
/// pointers when their memory comes to be tracked.
#[test]
fn fresh_slabs_hold_nothing() {
    for is_private in [true, false] {
        let engine: &'static Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
        engine.observer.open_ledger(LEN_MIN);
        let heap = engine.attach().expect("memory");
        let request = Request::plain(1000, Registers::NOWHERE);
        let allocate = |is_private| match is_private {
            true => engine.allocate_private(request),
            false => engine.allocate(heap, request),
        };
        let before: Vec<_> = (0..400).map(|_| allocate(is_private)).collect();
        for (block, next) in before.iter().zip(before.iter().cycle().skip(1)) {
            // SAFETY: a thousand bytes.
            unsafe { block.cast::<[usize; 125]>().write([next.expose_provenance(); 125]) };
        }
        engine.observer.record(Recorded::Sums);
        engine.follow_observer(heap);
        before.into_iter().for_each(|block| engine.free(heap, block).expect("a block in use"));
        let inbox_is_drained = engine.allocate_private(request);
        let addresses: Vec<_> = (0..400).map(|_| allocate(false)).collect();
        let planted = Planted { engine, addresses };
        let found = planted.check(&[], &mut (), Terms::USUAL);
        let groups: Vec<_> = found.groups.iter().map(|group| (group.class, group.blocks)).collect();
        assert_eq!(groups, [(Class::Lost, 400)], "private: {is_private}");
        assert!(!inbox_is_drained.is_null());
    }
}

#[test]
fn a_pointer_behind_what_was_asked_for_holds_nothing() {
    let plan = Plan { words: 0, is_tracked: true, is_freed: false, edges: vec![] };
    let planted = Planted::new(&[plan]);
    let address = planted.addresses[0].expose_provenance();
    let class = |pointer| planted.check(&[pointer], &mut (), Terms::USUAL).groups[0].class;
    assert_eq!(class(address), Class::Reachable);
    assert_eq!(class(address + 1), Class::Lost);
}
