//! The Rust face, in a program that has Heapsight as its global allocator.
//!
//! One test function: statistics are those of the whole process, and tests of one binary share it.

use heapsight::options::Track;
use heapsight::{Config, Heapsight, LeakClass};
use std::alloc::{GlobalAlloc, Layout};
use std::hint::black_box;
use std::thread;

#[global_allocator]
static HEAP: Heapsight = Heapsight::new();

#[inline(never)]
fn forget_three_boxes() {
    for _ in 0..3 {
        std::mem::forget(black_box(Box::new([7u8; 1234])));
    }
}

fn layouts_are_honoured() {
    for size in [1, 8, 24, 25, 100, 4096, 70_000, 600_000, 5_000_000] {
        for align_log in 0..=21 {
            let layout = Layout::from_size_align(size, 1 << align_log).expect("a layout");
            // SAFETY: the layout is not empty, and each block is freed with its own layout.
            unsafe {
                let block = HEAP.alloc_zeroed(layout);
                assert!(
                    !block.is_null() && (block as usize).is_multiple_of(layout.align()),
                    "{layout:?}"
                );
                assert!((0..size).step_by(97).all(|at| block.add(at).read() == 0), "{layout:?}");
                block.write_bytes(0x5a, size);
                let grown = HEAP.realloc(block, layout, size * 2);
                assert!(
                    !grown.is_null() && (grown as usize).is_multiple_of(layout.align()),
                    "{layout:?}"
                );
                assert!((0..size).step_by(97).all(|at| grown.add(at).read() == 0x5a));
                HEAP.dealloc(grown, Layout::from_size_align(size * 2, layout.align()).expect("it"));
            }
        }
    }
}

fn statistics_are_exact() {
    let before = heapsight::stats();
    let block = black_box(vec![1u8; 1000]);
    let held = heapsight::stats();
    assert_eq!(held.total_allocations - before.total_allocations, 1);
    assert_eq!(held.current_bytes - before.current_bytes, 1000);
    assert!(held.peak_bytes >= held.current_bytes);
    drop(block);
    let after = heapsight::stats();
    assert_eq!(after.current_bytes, before.current_bytes);
    assert_eq!(after.total_deallocations - before.total_deallocations, 1);
    assert_eq!(after.bytes_deallocated - before.bytes_deallocated, 1000);
}

fn leaks_are_named() {
    // On a stack of its own: what functions leave behind on this one might still point to them.
    thread::spawn(forget_three_boxes).join().expect("it only forgets");
    let report = heapsight::check_for_leaks();
    let leak = report
        .of_class(LeakClass::Lost)
        .find(|leak| leak.bytes == 3 * 1234)
        .unwrap_or_else(|| panic!("the boxes in {report:#?}"));
    assert_eq!(leak.blocks, 3);
    let named = leak.frames.iter().any(|frame| {
        frame.function.as_deref().is_some_and(|name| name.ends_with("forget_three_boxes"))
    });
    assert!(named, "{leak:#?}");
    let first = leak.frames.first().and_then(|frame| frame.function.as_deref()).unwrap_or("");
    assert!(!first.contains("heapsight"), "own frames are folded away: {leak:#?}");
}

fn threads_hand_blocks_over() {
    let before = heapsight::stats().current_allocations;
    for _ in 0..8 {
        let made = thread::spawn(|| (0..500).map(|n| vec![n as u8; n]).collect::<Vec<_>>());
        let made = made.join().expect("the maker");
        thread::spawn(move || assert!(made.iter().all(|v| v.iter().all(|b| *b == v.len() as u8))))
            .join()
            .expect("the reader");
    }
    let after = heapsight::stats().current_allocations;
    assert!(after.abs_diff(before) < 16, "{before} → {after}");
}

fn modes_change_while_it_runs() {
    let counted = || {
        let before = heapsight::stats().total_allocations;
        drop(black_box(vec![1u8; 1000]));
        heapsight::stats().total_allocations - before
    };
    for (track, expected) in [(Track::Stats, 1), (Track::Off, 0), (Track::Full, 1)] {
        heapsight::set_tracking(track).expect("a way to track");
        assert_eq!((heapsight::tracking(), counted()), (track, expected));
    }
    let never = heapsight::set_tracking(Track::Sample { bytes: 0 }).expect_err("no distance");
    assert!(never.to_string().contains("'sample:0'"), "{never}");
    assert_eq!((heapsight::tracking(), counted()), (Track::Full, 1));
    heapsight::set_tracking(Track::Sample { bytes: 1 }).expect("a way to track");
    assert_eq!(counted(), 1, "each byte is a sample");
    heapsight::set_tracking(Track::Full).expect("a way to track");
}

/// What was counted in `task`: allocations, deallocations, bytes in use more than before.
fn counted(task: impl FnOnce()) -> (u64, u64, i64) {
    let before = heapsight::stats();
    task();
    let after = heapsight::stats();
    (
        after.total_allocations - before.total_allocations,
        after.total_deallocations - before.total_deallocations,
        after.current_bytes as i64 - before.current_bytes as i64,
    )
}

fn blocks_have_types_and_owners() {
    let heap = heapsight::allocator();
    assert_eq!(counted(|| drop(heap.alloc_one_init([7u64; 4]))), (1, 1, 0));
    assert_eq!(counted(|| std::mem::forget(heap.alloc_slice::<u16>(10))), (1, 0, 20));
    let zeros = heap.alloc_zero::<u64>(100_000).expect("memory");
    // SAFETY: zeros are numbers.
    assert!(zeros.iter().all(|word| unsafe { word.assume_init() } == 0));
    let mut one = heap.alloc_one::<String>().expect("memory");
    drop(std::mem::take(one.write("shop".to_owned())));

    let mut numbers = heap.dupe(&[1u32, 2, 3]).expect("memory");
    for len in [3, 4, 2, 5, 100_000, 3] {
        let kept: Vec<_> = numbers.iter().copied().take(len).collect();
        heap.realloc_slice(&mut numbers, len, 9).expect("memory");
        assert_eq!(numbers[..kept.len()], kept);
        assert!(numbers[kept.len()..].iter().all(|number| *number == 9) && numbers.len() == len);
    }
    heap.realloc_shrink(&mut numbers, 1);
    assert_eq!(*numbers, [1]);
    heap.realloc_slice(&mut numbers, usize::MAX / 4, 9).expect_err("there is no such room");
    assert_eq!(*numbers, [1], "a block that could not grow is as it was");
    assert_eq!(counted(|| heap.free(numbers)), (0, 1, -4));

    let text = heap.dupe_string_limited("grün", 5).expect("memory");
    assert_eq!(&*text, "grün");
    assert_eq!(
        heap.dupe_string_limited("grün", 4).expect_err("it is longer").to_string(),
        "a string of 5 bytes is longer than the 4 that are allowed"
    );
}

fn whatever_serves_is_counted() {
    use heapsight::allocator_api2::alloc::Allocator;
    use heapsight::allocator_api2::vec::Vec;
    let heap = heapsight::Tracked::new(heapsight::allocator());
    let mut names = Vec::new_in(&heap);
    (0..1000u64).for_each(|number| names.push(number));
    let held = heap.stats();
    assert_eq!(held.current_allocations, 1);
    assert_eq!(held.current_bytes, names.capacity() as u64 * 8);
    assert_eq!(held.total_allocations, held.total_deallocations + 1);
    heap.reset_stats();
    assert_eq!(heap.stats().peak_bytes, held.current_bytes);
    assert!(heap.is_anything_in_use());
    drop(names);
    let after = heap.stats();
    assert_eq!((after.total_allocations, after.total_deallocations), (0, 1));
    assert_eq!((after.current_bytes, after.bytes_deallocated), (0, held.current_bytes));
    let empty = heap.allocate(Layout::new::<[u64; 0]>()).expect("nothing");
    assert_eq!((empty.cast::<u64>().as_ptr() as usize) % 8, 0);
    // SAFETY: it was allocated with this layout.
    unsafe { heap.deallocate(empty.cast(), Layout::new::<[u64; 0]>()) };
    thread::scope(|scope| {
        for size in 1..=4 {
            let heap = &heap;
            scope.spawn(move || {
                (0..1000).for_each(|_| drop(Vec::<u8, _>::with_capacity_in(size, heap)))
            });
        }
    });
    assert_eq!(heap.stats().total_allocations, 1 + 4000);
    assert!(!heap.is_anything_in_use());
}

#[test]
fn a_rust_program_is_served_counted_and_told_of_its_leaks() {
    layouts_are_honoured();
    let config = Config::builder().track(Track::Full).build().expect("a configuration");
    heapsight::init(config);
    statistics_are_exact();
    blocks_have_types_and_owners();
    whatever_serves_is_counted();
    threads_hand_blocks_over();
    modes_change_while_it_runs();
    leaks_are_named();
    layouts_are_honoured();
    assert!(!heapsight::deinit(), "leaks=off: nothing is reported");
    assert_eq!(heapsight::check_heap(), 0);
}
