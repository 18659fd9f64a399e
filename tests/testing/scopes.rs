//! What a scope counts: its own threads, all of it, once.

use heapsight::testing::{Counts, Scope};
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

fn counts(allocations: u64, bytes: u64, frees: u64, freed_bytes: u64) -> Counts {
    Counts { allocations, bytes, frees, freed_bytes }
}

#[test]
fn every_block_and_byte_is_counted() {
    // Tracking begins with the first scope: what it has not seen is not counted when it is freed.
    let (scope, earlier) = (Scope::new(), Scope::new());
    let before = earlier.run(|| black_box(vec![0u8; 50]));
    let kept = scope.run(|| {
        drop(before);
        drop(black_box(vec![1u8; 100]));
        (0..1000u64).map(|n| vec![0u8; n as usize + 1]).collect::<Vec<_>>()
    });
    let in_vectors = 1000 * 1001 / 2;
    let outer = 1000 * size_of::<Vec<u8>>() as u64;
    let expected = counts(1002, 100 + in_vectors + outer, 2, 150);
    assert_eq!(scope.counts(), expected);
    drop(kept);
    assert_eq!(scope.counts(), expected, "outside of the scope");
}

#[test]
fn resizing_counts_as_a_new_block_and_the_end_of_the_old_one() {
    let scope = Scope::new();
    scope.run(|| {
        let mut bytes = Vec::<u8>::with_capacity(100);
        bytes.reserve_exact(10_000);
        bytes.reserve_exact(3_000_000);
        black_box(&mut bytes).shrink_to(64);
    });
    let bytes = 100 + 10_000 + 3_000_000 + 64;
    assert_eq!(scope.counts(), counts(4, bytes, 4, bytes));
}

#[test]
fn nested_scopes_count_the_same_block_each_and_a_scope_entered_twice_once() {
    let (outer, inner) = (Scope::new(), Scope::new());
    outer.run(|| {
        drop(black_box(Box::new(1u64)));
        inner.run(|| outer.run(|| inner.run(|| drop(black_box(Box::new(2u32))))));
        drop(black_box(Box::new(3u64)));
    });
    assert_eq!(inner.counts(), counts(1, 4, 1, 4));
    assert_eq!(outer.counts(), counts(3, 20, 3, 20));
}

#[test]
fn guards_go_in_any_order() {
    let (first, second) = (Scope::new(), Scope::new());
    let in_first = first.enter();
    let in_second = second.enter();
    drop(black_box(Box::new(1u64)));
    drop(in_first);
    drop(black_box(Box::new(2u32)));
    drop(in_second);
    drop(black_box(Box::new(3u16)));
    assert_eq!(first.counts(), counts(1, 8, 1, 8));
    assert_eq!(second.counts(), counts(2, 12, 2, 12));
}

#[test]
fn a_scope_of_several_threads_sums_them_and_leaves_others_out() {
    const THREADS: u64 = 8;
    let scope = Scope::new();
    let threads: Vec<_> = (0..2 * THREADS)
        .map(|number| {
            let scope = (number % 2 == 0).then(|| scope.clone());
            thread::spawn(move || {
                let _entered = scope.as_ref().map(Scope::enter);
                for size in 1..=500usize {
                    drop(black_box(vec![0u8; size]));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a thread"));
    let (blocks, bytes) = (THREADS * 500, THREADS * 500 * 501 / 2);
    assert_eq!(scope.counts(), counts(blocks, bytes, blocks, bytes));
    let sites = scope.call_sites();
    assert_eq!(sites.iter().map(|site| site.allocations).sum::<u64>(), blocks);
    assert_eq!(sites.iter().map(|site| site.bytes).sum::<u64>(), bytes);
    assert!(!scope.is_partial());
}

#[test]
fn threads_that_are_still_inside_are_counted_so_far() {
    let scope = Scope::new();
    let (to_us, from_thread) = mpsc::channel();
    let (to_thread, from_us) = mpsc::channel::<()>();
    let inside = scope.clone();
    let thread = thread::spawn(move || {
        let entered = inside.enter();
        let block = black_box(vec![0u8; 4000]);
        to_us.send(block).expect("we listen");
        from_us.recv().expect("we speak");
        std::mem::forget(entered);
    });
    let block = from_thread.recv().expect("a block");
    // The channel allocates, too.
    assert!(scope.counts().allocations >= 1 && scope.counts().bytes >= 4000);
    let freed = scope.counts().freed_bytes;
    drop(block);
    assert_eq!(scope.counts().freed_bytes, freed, "freed by a thread that is not in it");
    to_thread.send(()).expect("it listens");
    thread.join().expect("a thread");
    // It never left, and its heap goes on to the next thread.
    let ended = scope.counts();
    thread::spawn(|| drop(black_box(vec![0u8; 123]))).join().expect("a thread");
    assert_eq!(scope.counts(), ended);
}

#[test]
fn the_innermost_scope_is_the_current_one() {
    assert!(Scope::current().is_none());
    let (outer, inner) = (Scope::new(), Scope::new());
    outer.run(|| {
        let in_inner = inner.enter();
        let helper = Scope::current().expect("the inner one");
        thread::spawn(move || helper.run(|| drop(black_box(Box::new(1u8)))))
            .join()
            .expect("a thread");
        drop(in_inner);
        let _entered = Scope::current().expect("the outer one").enter();
    });
    // What starting a thread allocates in this one is the inner one's as well.
    let sites = inner.call_sites();
    assert!(sites.iter().any(|site| (site.allocations, site.bytes) == (1, 1)), "{sites:#?}");
    assert!(Scope::current().is_none());
}

/// Allocates a block each time it is polled, and is ready the third time.
struct Thrice(Vec<Vec<u64>>);

impl Future for Thrice {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
        let blocks = &mut self.0;
        blocks.push(black_box(vec![7]));
        if blocks.len() == 3 { Poll::Ready(3) } else { Poll::Pending }
    }
}

#[test]
fn a_future_is_in_the_scope_whoever_polls_it() {
    let scope = Scope::new();
    let mut future = Box::pin(scope.future(Thrice(Vec::with_capacity(3))));
    for polled in 1..=3 {
        future = thread::spawn(move || {
            let ready = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(ready.is_ready(), polled == 3);
            future
        })
        .join()
        .expect("a thread");
    }
    assert_eq!(scope.counts(), counts(3, 24, 0, 0));
    assert_eq!(scope.leaks(), [], "the future still has them");
    drop(future);
}

#[test]
fn a_panic_leaves_the_scope() {
    let scope = Scope::new();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scope.run(|| std::panic::resume_unwind(black_box(Box::new(5u64))));
    }));
    assert!(caught.is_err() && Scope::current().is_none());
    let counted = scope.counts();
    drop(black_box(vec![0u8; 100]));
    assert_eq!(scope.counts(), counted);
}

#[test]
fn reports_are_not_the_scopes_own() {
    let (outer, inner) = (Scope::new(), Scope::new());
    outer.run(|| {
        let kept = inner.run(|| black_box(vec![0u8; 1000]));
        for _ in 0..3 {
            assert!(inner.call_sites().len() == 1 && inner.counts().allocations == 1);
            assert_eq!(inner.clone().counts(), inner.counts());
        }
        drop(kept);
    });
    let frees = outer.counts().frees;
    let in_results = outer.counts().allocations - 1;
    assert_eq!((frees, in_results), (1, 0), "{:?}", outer.call_sites());
}
