//! The engine against a naive model: random programs, the whole-heap checker after each.

use super::alloc::Request;
use super::class::ClassId;
use super::engine::Engine;
use super::free::Freed;
use super::local::LocalHeap;
use super::locate::{MisuseKind, Place};
use crate::unwind::Registers;
use core::ptr::NonNull;
use proptest::prelude::*;
use std::boxed::Box;
use std::vec::Vec;

/// A request as by `malloc`.
fn plain(size: usize) -> Request {
    Request::plain(size, Registers::NOWHERE)
}

/// One step of a random program. Indices pick among what lives, modulo its number.
#[derive(Clone, Debug)]
enum Op {
    Allocate { size: usize, align_log: u32, zero: bool },
    Free(usize),
    FreeElsewhere(usize),
    Resize(usize, usize),
    Collect,
    EndThread,
    Trim,
}

/// Sizes as programs ask for them: mostly small, a few beyond every class.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0usize..=512,
        4 => 0usize..=9000,
        2 => 0usize..=300_000,
        1 => 0usize..=3_000_000,
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let align = prop_oneof![6 => 0u32..=4, 2 => 5u32..=12, 1 => 13u32..=20];
    prop_oneof![
        8 => (size(), align, any::<bool>())
            .prop_map(|(size, align_log, zero)| Op::Allocate { size, align_log, zero }),
        4 => any::<usize>().prop_map(Op::Free),
        3 => any::<usize>().prop_map(Op::FreeElsewhere),
        3 => (any::<usize>(), size()).prop_map(|(index, size)| Op::Resize(index, size)),
        1 => Just(Op::Collect),
        1 => Just(Op::EndThread),
        1 => Just(Op::Trim),
    ]
}

/// A block as the naive model knows it: who it is by its fill byte.
struct Held {
    address: *mut u8,
    size: usize,
    fill: u8,
}

/// The engine, two of its heaps, and the model.
struct World {
    engine: Box<Engine<()>>,
    held: Vec<Held>,
    fills: u8,
}

impl World {
    fn new() -> Self {
        Self { engine: Box::new(Engine::new(())), held: Vec::new(), fills: 0 }
    }

    fn hold(&mut self, address: *mut u8, size: usize) {
        self.fills = self.fills.wrapping_add(1);
        // SAFETY: the engine says the block is ours and that long.
        unsafe { address.write_bytes(self.fills, size) };
        self.held.push(Held { address, size, fill: self.fills });
        let usable = self.engine.usable_size(address);
        assert!(
            usable >= size && self.engine.usable_size_fast(address).unwrap_or(usable) == usable
        );
    }

    fn pick(&mut self, index: usize) -> Option<Held> {
        let count = self.held.len();
        (count > 0).then(|| self.held.swap_remove(index % count))
    }

    fn run(&mut self, mine: &LocalHeap, other: &LocalHeap, op: &Op) {
        match *op {
            Op::Allocate { size, align_log, zero } => {
                let align = 1 << align_log;
                let request = Request::new(size, align, Registers::NOWHERE);
                let address = allocate(&self.engine, mine, Request { zero, ..request });
                assert!(!address.is_null(), "{op:?}");
                assert_eq!(address as usize % align, 0, "{op:?}");
                if zero {
                    // SAFETY: as in `hold`.
                    let bytes = unsafe { core::slice::from_raw_parts(address, size) };
                    assert!(bytes.iter().all(|byte| *byte == 0), "{op:?}");
                }
                self.hold(address, size);
            }
            Op::Free(index) | Op::FreeElsewhere(index) => {
                let heap = if matches!(op, Op::Free(_)) { mine } else { other };
                let Some(block) = self.pick(index) else { return };
                verify(&block);
                free(&self.engine, heap, block.address);
                let again = self.engine.locate(block.address);
                assert!(matches!(again, Place::Misused(_) | Place::Foreign), "{again:?}");
                assert_eq!(self.engine.usable_size_fast(block.address), None);
            }
            Op::Resize(index, size) => {
                let Some(block) = self.pick(index) else { return };
                verify(&block);
                let request = plain(size);
                let address = self.engine.reallocate(mine, block.address, request).expect("in use");
                let kept = Held { address, size: size.min(block.size), fill: block.fill };
                verify(&kept);
                self.hold(address, size);
            }
            Op::Collect => self.engine.collect(mine),
            Op::Trim => {
                self.engine.trim(mine);
            }
            Op::EndThread => unreachable!("the caller changes heaps"),
        }
    }
}

/// Serves a request on the paths that the faces take.
fn allocate(engine: &Engine<()>, heap: &LocalHeap, request: Request) -> *mut u8 {
    let class = ClassId::for_layout(request.size, request.align);
    let block = class.and_then(|class| match request.zero {
        true => engine.allocate_plain_zeroed(heap, class, request.size),
        false => engine.allocate_plain(heap, class),
    });
    block.map_or_else(|| engine.allocate(heap, request), NonNull::as_ptr)
}

/// Frees a block in use on the paths that the faces take.
fn free(engine: &Engine<()>, heap: &LocalHeap, address: *mut u8) {
    // SAFETY: the heap is this thread's.
    match unsafe { engine.free_fast(heap, address) } {
        Freed::Done => {}
        Freed::Emptied(slab) => engine.retire(heap, slab),
        Freed::Undecided(_) if engine.free_plain(heap, address, |_| true) => {}
        Freed::Undecided(_) => engine.free(heap, address).expect("a block in use"),
    }
}

fn verify(block: &Held) {
    // SAFETY: the block is ours and that long.
    let bytes = unsafe { core::slice::from_raw_parts(block.address, block.size) };
    assert!(bytes.iter().all(|byte| *byte == block.fill), "content of {:p}", block.address);
}

const CASES: u32 = if cfg!(miri) { 4 } else { 96 };
const STEPS: usize = if cfg!(miri) { 40 } else { 300 };

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..Default::default()
    })]
    #[test]
    fn random_programs_keep_their_contents_and_the_heap_whole(
        program in proptest::collection::vec(op(), 1..STEPS),
    ) {
        let mut world = World::new();
        let engine: *const Engine<()> = &raw const *world.engine;
        // SAFETY: the engine is boxed and outlives its heaps.
        let engine = unsafe { &*engine };
        let (mut mine, mut other) = (engine.attach().unwrap(), engine.attach().unwrap());
        for op in &program {
            if matches!(op, Op::EndThread) {
                engine.detach(mine);
                mine = engine.attach().unwrap();
                core::mem::swap(&mut mine, &mut other);
            } else {
                world.run(mine, other, op);
            }
            prop_assert_eq!(engine.check(), 0, "after {:?}", op);
        }
        while let Some(block) = world.pick(0) {
            verify(&block);
            engine.free(mine, block.address).expect("in use");
        }
        prop_assert_eq!(engine.check(), 0);
        engine.collect(other);
        engine.collect(mine);
        engine.collect(other);
        let census = engine.census(mine);
        prop_assert_eq!((census.blocks, census.large_blocks), (0, 0));
        engine.space.release_for_test();
    }
}

fn with_heap(test: impl FnOnce(&Engine<()>, &LocalHeap)) {
    let engine = Box::new(Engine::new(()));
    test(&engine, engine.attach().expect("memory"));
    engine.space.release_for_test();
}

#[test]
fn misuse_is_told_apart() {
    with_heap(|engine, heap| {
        let block = engine.allocate(heap, plain(100));
        let kind = |address| engine.free(heap, address).expect_err("misuse").kind;
        assert_eq!(kind(block.wrapping_add(16)), MisuseKind::NotBlockStart);
        assert_eq!(kind(block.wrapping_add(1)), MisuseKind::NotBlockStart);
        // Where a block would start, had it been cut: of this heap, and to another.
        let beyond = block.wrapping_add(112 * 500);
        assert_eq!(kind(beyond), MisuseKind::NotAllocated);
        // SAFETY: the heap is this thread's.
        let freed = |address| unsafe { engine.free_fast(heap, address) };
        assert!(matches!(freed(beyond), Freed::Undecided(_)));
        assert!(matches!(freed(block.wrapping_add(16)), Freed::Undecided(_)));
        let other = engine.attach().expect("memory");
        assert!(!engine.free_plain(other, beyond, |_| true));
        assert!(!engine.free_plain(other, block.wrapping_add(16), |_| true));
        let mut local = 0u8;
        assert_eq!(kind(&raw mut local), MisuseKind::Foreign);
        engine.free(heap, block).expect("in use");
        assert_eq!(kind(block), MisuseKind::DoubleFree);
        assert!(!engine.free_plain(other, block, |_| true));
        let large = engine.allocate(heap, plain(2 << 20));
        assert_eq!(kind(large.wrapping_add(4096)), MisuseKind::NotBlockStart);
        engine.free(heap, large).expect("in use");
        assert!(matches!(kind(large), MisuseKind::NotAllocated | MisuseKind::Foreign));
    });
}

#[test]
fn a_block_freed_twice_by_two_threads_is_told_once() {
    with_heap(|engine, heap| {
        let other = engine.attach().expect("memory");
        let block = engine.allocate(heap, plain(64));
        engine.free(other, block).expect("in use");
        let again = engine.free(heap, block).expect_err("in the inbox");
        assert_eq!(again.kind, MisuseKind::DoubleFree);
    });
}

#[test]
fn orphans_slabs_are_reused_before_fresh_ones() {
    with_heap(|engine, heap| {
        let other = engine.attach().expect("memory");
        let blocks: Vec<_> = (0..4096).map(|_| engine.allocate(other, plain(1024))).collect();
        let carved = engine.space.footprint().carved;
        engine.detach(other);
        for block in &blocks {
            engine.free(heap, *block).expect("in use");
        }
        for _ in 0..4096 {
            assert!(!engine.allocate(heap, plain(1024)).is_null());
        }
        assert_eq!(engine.check(), 0);
        assert!(engine.space.footprint().carved <= carved + (1 << 20));
    });
}

#[test]
fn requests_and_frees_in_turns_leave_the_cold_paths() {
    with_heap(|engine, heap| {
        let class = ClassId::for_layout(1024, 16).expect("small");
        let blocks: Vec<_> = (0..4096).map(|_| engine.allocate(heap, plain(1024))).collect();
        while !heap.first_ready(class).is_null() {
            engine.allocate(heap, plain(1024));
        }
        // One slab has room, and then a block comes back to another, which is full.
        blocks[..20].iter().for_each(|block| free(engine, heap, *block));
        let (mut block, mut cold) = (blocks[2000], 0);
        for _ in 0..100 {
            // SAFETY: the heap is this thread's.
            if !matches!(unsafe { engine.free_fast(heap, block) }, Freed::Done) {
                cold += 1;
                assert!(engine.free_plain(heap, block, |_| true));
            }
            block = allocate(engine, heap, plain(1024));
        }
        // Once a list has run out, and not each time.
        assert!(cold <= 20, "{cold} of 100");
    });
}

#[test]
fn large_blocks_grow_in_place_when_they_can() {
    with_heap(|engine, heap| {
        let block = engine.allocate(heap, plain(1 << 20));
        let grown = engine.reallocate(heap, block, plain(3 << 20)).expect("in use");
        assert_eq!(grown, block);
        let shrunk = engine.reallocate(heap, grown, plain(1 << 20)).expect("in use");
        assert_eq!((shrunk, engine.usable_size(shrunk)), (block, 1 << 20));
        assert_eq!(engine.check(), 0);
    });
}

#[test]
fn unreasonable_requests_fail_softly() {
    with_heap(|engine, heap| {
        for size in [isize::MAX as usize, usize::MAX - 4096, 1 << 60] {
            assert!(engine.allocate(heap, plain(size)).is_null());
        }
        assert_eq!(engine.check(), 0);
    });
}
