//! A bounded queue of batches between one sender and one receiver, which itself never allocates.
//!
//! The measured blocks are the only ones that cross it, so the queue adds the same few atomic
//! stores a batch to every allocator.
//!
//! ```text
//! sent - received <= CELLS        the cells in that window belong to the receiver
//! ```

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::heap::Block;

/// Blocks that cross at once.
pub const BATCH: usize = 100;
/// Batches that can wait.
const CELLS: usize = 32;
/// Polls before a waiting thread lets another one run.
const POLLS: u32 = 200;

/// The queue; its sender and its receiver are one thread each.
pub struct Queue {
    cells: Vec<[AtomicPtr<u8>; BATCH]>,
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Queue {
    /// An empty queue.
    pub fn new() -> Self {
        let cells = (0..CELLS).map(|_| [const { AtomicPtr::new(null_mut()) }; BATCH]).collect();
        Self { cells, sent: AtomicUsize::new(0), received: AtomicUsize::new(0) }
    }

    /// Whether [`Queue::send`] would find room.
    pub fn has_room(&self) -> bool {
        // Acquire: pairs with the Release in `receive`; the cells it emptied are ours again.
        self.sent.load(Ordering::Relaxed) - self.received.load(Ordering::Acquire) < CELLS
    }

    /// Sends one batch; the caller has seen `has_room`.
    pub fn send(&self, mut next: impl FnMut() -> Block) {
        let sent = self.sent.load(Ordering::Relaxed);
        for place in &self.cells[sent % CELLS] {
            place.store(next().into_raw(), Ordering::Relaxed);
        }
        // Release: pairs with the Acquire in `receive`.
        self.sent.store(sent + 1, Ordering::Release);
    }

    /// Takes one batch and gives each block to `take`; false when none is waiting.
    pub fn receive(&self, mut take: impl FnMut(Block)) -> bool {
        let received = self.received.load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `send`.
        if self.sent.load(Ordering::Acquire) == received {
            return false;
        }
        for place in &self.cells[received % CELLS] {
            take(Block::from_raw(place.load(Ordering::Relaxed)));
        }
        // Release: pairs with the Acquire in `has_room`.
        self.received.store(received + 1, Ordering::Release);
        true
    }
}

/// Polls until `ready`, giving the processor away once in a while.
pub fn wait(mut ready: impl FnMut() -> bool) {
    let mut polls = 0;
    while !ready() {
        polls += 1;
        if polls % POLLS == 0 {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}
