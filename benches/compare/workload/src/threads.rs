//! Blocks and threads: heaps side by side, blocks freed by a thread that did not allocate them,
//! and threads that end while their blocks live on.

use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::Measured;
use crate::heap::Block;
use crate::queue::{BATCH, Queue, wait};
use crate::random::Random;
use crate::replace::{SLOTS, replace_slots};

/// The most threads of a workload; beyond it the machine is measured, not the allocator.
const THREADS_MAX: usize = 8;
/// Blocks that a line of larson's threads passes on.
const LARSON_SLOTS: usize = 1_000;
/// Replacements one of larson's threads makes before it hands over.
const LARSON_STEPS: u64 = 20_000;

/// One thread a processor, but at least two: one alone frees nothing remotely.
fn thread_count() -> usize {
    thread::available_parallelism().map_or(2, |count| count.get().clamp(2, THREADS_MAX))
}

/// A population of small blocks in every thread, none shared.
pub fn churn(operations: u64) -> Measured {
    let threads = thread_count();
    let share = operations.div_ceil(threads as u64);
    let start = Instant::now();
    thread::scope(|scope| {
        for seed in 0..threads {
            scope.spawn(move || {
                let allocate = |random: &mut Random| Block::allocate(random.size(3, 9));
                let mut random = Random::new(seed as u64 + 1);
                let mut slots: Vec<Block> = (0..SLOTS).map(|_| allocate(&mut random)).collect();
                replace_slots(&mut slots, share, &mut random, allocate);
                slots.into_iter().for_each(Block::release);
            });
        }
    });
    Measured { operations: share * threads as u64, elapsed: start.elapsed() }
}

/// One thread allocates every block, another frees every block.
pub fn handoff(operations: u64) -> Measured {
    let batches = operations.div_ceil(BATCH as u64);
    let queue = Queue::new();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random::new(3);
            for _ in 0..batches {
                wait(|| queue.has_room());
                queue.send(|| Block::allocate(random.size(4, 10)));
            }
        });
        for _ in 0..batches {
            wait(|| queue.receive(Block::release));
        }
    });
    Measured { operations: batches * BATCH as u64, elapsed: start.elapsed() }
}

/// Threads in a ring: each allocates for the next one and frees what the one before allocated.
pub fn exchange(operations: u64) -> Measured {
    let threads = thread_count();
    let share = operations.div_ceil((threads * BATCH) as u64);
    let queues: Vec<Queue> = (0..threads).map(|_| Queue::new()).collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for index in 0..threads {
            let inbox = &queues[index];
            let outbox = &queues[(index + 1) % threads];
            scope.spawn(move || exchange_batches(share, index as u64, inbox, outbox));
        }
    });
    Measured { operations: share * (threads * BATCH) as u64, elapsed: start.elapsed() }
}

/// Sends and receives `batches` each way. Waiting for room it keeps receiving, so a full ring
/// cannot stand still.
fn exchange_batches(batches: u64, seed: u64, inbox: &Queue, outbox: &Queue) {
    let mut random = Random::new(seed + 4);
    let mut received = 0;
    for _ in 0..batches {
        wait(|| {
            received += u64::from(inbox.receive(Block::release));
            outbox.has_room()
        });
        outbox.send(|| Block::allocate(random.size(4, 10)));
    }
    while received < batches {
        wait(|| inbox.receive(Block::release));
        received += 1;
    }
}

/// The next thread of a line, if the line goes on.
struct Successor(Option<JoinHandle<Successor>>);

/// Lines of threads: each thread replaces random blocks of a population, starts its successor
/// with that population and ends, so most blocks are freed by a later thread than their own.
pub fn larson(operations: u64) -> Measured {
    let lines = thread_count();
    let generations = operations.div_ceil(LARSON_STEPS * lines as u64);
    let start = Instant::now();
    let mut line_ends: Vec<Successor> = (0..lines)
        .map(|line| {
            let mut random = Random::new(line as u64 + 5);
            let slots = (0..LARSON_SLOTS).map(|_| larson_block(&mut random)).collect();
            Successor(Some(thread::spawn(move || generation(slots, random, generations))))
        })
        .collect();
    for end in &mut line_ends {
        while let Some(thread) = end.0.take() {
            match thread.join() {
                Ok(successor) => *end = successor,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    }
    let steps = generations * LARSON_STEPS * lines as u64;
    Measured { operations: steps, elapsed: start.elapsed() }
}

fn larson_block(random: &mut Random) -> Block {
    Block::allocate(random.size(3, 10))
}

fn generation(mut slots: Vec<Block>, mut random: Random, left: u64) -> Successor {
    replace_slots(&mut slots, LARSON_STEPS, &mut random, larson_block);
    if left > 1 {
        return Successor(Some(thread::spawn(move || generation(slots, random, left - 1))));
    }
    slots.into_iter().for_each(Block::release);
    Successor(None)
}
