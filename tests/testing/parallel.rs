//! Many tests at once: allocating, leaking, freeing each other's blocks.

use super::panic_of;
use heapsight::testing::Scope;
use heapsight::{assert_allocations, assert_no_leaks};
use std::hint::black_box;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

/// As many tests as this run at once, so many times.
const THREADS: usize = 16;
const ROUNDS: usize = 40;

/// So many blocks are leaked at a time. A search that takes whatever looks like a pointer for one
/// may miss a block, when another test has left the address of its predecessor somewhere; which
/// others do all the time here. It does not miss all, and what it finds it finds exactly.
const LEAKED: usize = 6;

#[inline(never)]
fn leak(size: usize) {
    for _ in 0..LEAKED {
        std::mem::forget(black_box(vec![0u8; size]));
    }
}

#[test]
fn every_thread_has_its_own_count_and_verdict() {
    let barrier = Arc::new(Barrier::new(THREADS));
    let threads = (0..THREADS).map(|number| {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || {
            barrier.wait();
            for round in 0..ROUNDS {
                let blocks = (number * 31 + round * 7) as u64 % 50;
                assert_allocations!(
                    allocations == blocks,
                    frees == blocks,
                    bytes == blocks * 48,
                    {
                        (0..blocks).for_each(|_| drop(black_box(vec![1u8; 48])));
                    }
                );
                // Every other thread leaks, the others never do.
                if number % 2 == 0 {
                    assert_no_leaks!({ drop(black_box(vec![0u8; 64])) });
                } else if round == number && number < 4 {
                    let scope = Scope::new();
                    scope.run(|| leak(1000 + number));
                    let leaks = scope.leaks();
                    let [leak] = &leaks[..] else { panic!("one call stack: {leaks:#?}") };
                    assert!((1..=LEAKED as u64).contains(&leak.blocks), "{leak:#?}");
                    assert_eq!(leak.bytes, leak.blocks * (1000 + number as u64));
                }
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a thread"));
}

#[test]
fn blocks_that_another_thread_frees_are_freed() {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let thread = thread::spawn(move || receiver.into_iter().count());
    let scope = Scope::new();
    let entered = scope.enter();
    for size in 1..=100 {
        sender.send(black_box(vec![0; size])).expect("it listens");
    }
    drop((entered, sender));
    assert_eq!(thread.join().expect("a thread"), 100);
    assert_eq!(scope.leaks(), []);
}

#[test]
fn a_test_fails_for_its_own_leak_while_others_run() {
    let noise = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let others: Vec<_> = (0..4)
        .map(|_| {
            let noise = Arc::clone(&noise);
            thread::spawn(move || {
                while noise.load(std::sync::atomic::Ordering::Relaxed) {
                    drop(black_box(vec![0u8; 777]));
                }
            })
        })
        .collect();
    let message = panic_of(|| assert_no_leaks!({ leak(555) }));
    assert_no_leaks!({ drop(black_box(vec![0u8; 555])) });
    noise.store(false, std::sync::atomic::Ordering::Relaxed);
    others.into_iter().for_each(|thread| thread.join().expect("a thread"));
    let mut counts = (1..=LEAKED).map(|found| format!(" in {found} block"));
    assert!(counts.any(|count| message.contains(&count)), "{message}");
    assert!(message.contains("parallel::leak"), "{message}");
}
