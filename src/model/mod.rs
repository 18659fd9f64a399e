//! Models of the concurrent protocols, for loom: every interleaving of a few threads.
//!
//! Run by `RUSTFLAGS="--cfg loom" cargo test --release --lib`. The inbox and the lock are the
//! product's own source; blocks, slabs and heaps are reduced to what the protocol is about.

#[path = "../heap/remote.rs"]
mod remote;
mod rules;

use crate::base::sync::{AtomicUsize, Ordering};
use crate::os::lock::Lock;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use remote::{Chain, Inbox, Outbox, Parcel};
use std::boxed::Box;
use std::vec::Vec;

/// A freed block. Its link is a loom cell: two threads that touch it unordered are a failure.
struct Node {
    number: usize,
    next: UnsafeCell<*mut Node>,
}

impl Node {
    fn new(number: usize) -> *mut Self {
        Box::into_raw(Box::new(Self { number, next: UnsafeCell::new(core::ptr::null_mut()) }))
    }
}

impl Chain for Node {
    unsafe fn set_next(node: *mut Self, next: *mut Self) {
        // SAFETY: the caller owns the node.
        unsafe { (*node).next.with_mut(|slot| *slot = next) }
    }
}

/// Takes everything out of an inbox; the numbers found.
fn drain(inbox: &Inbox<Node>) -> Vec<usize> {
    let mut numbers = Vec::new();
    let mut node = inbox.take_all();
    while !node.is_null() {
        // SAFETY: the chain is ours; each node was made by `Node::new` and is dropped once.
        let owned = unsafe { Box::from_raw(node) };
        numbers.push(owned.number);
        // SAFETY: the node is ours.
        node = owned.next.with(|next| unsafe { *next });
    }
    numbers
}

#[test]
fn every_remotely_freed_block_comes_home_once() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let freers = [1, 2].map(|first| {
            let inbox = Arc::clone(&inbox);
            thread::spawn(move || {
                // SAFETY: the nodes are fresh and given up.
                unsafe {
                    inbox.push(Node::new(first * 10));
                    inbox.push(Node::new(first * 10 + 1));
                }
            })
        });
        let mut home = drain(&inbox);
        for freer in freers {
            freer.join().unwrap();
        }
        home.extend(drain(&inbox));
        home.sort_unstable();
        assert_eq!(home, [10, 11, 20, 21]);
    });
}

#[test]
fn what_was_gathered_comes_home_once() {
    loom::model(|| {
        let inboxes = Arc::new([Inbox::new(), Inbox::new()]);
        let freers = [1, 2].map(|first| {
            let inboxes = Arc::clone(&inboxes);
            thread::spawn(move || {
                let outbox = Outbox::new();
                let send = |parcel: Option<Parcel<Node>>| {
                    if let Some(Parcel { to, first, last }) = parcel {
                        // SAFETY: the outbox has given its nodes up.
                        unsafe { inboxes[to].push_chain(first, last) };
                    }
                };
                // The third goes elsewhere, and so sends the two before it.
                for (number, to) in [(0, 0), (1, 0), (2, 1)] {
                    // SAFETY: the node is fresh and given up.
                    send(unsafe { outbox.put(to, Node::new(first * 10 + number)) });
                }
                send(outbox.take());
                assert!(outbox.take().is_none());
            })
        });
        let mut home = drain(&inboxes[0]);
        for freer in freers {
            freer.join().unwrap();
        }
        home.extend(drain(&inboxes[0]));
        home.sort_unstable();
        assert_eq!(home, [10, 11, 20, 21]);
        let mut other = drain(&inboxes[1]);
        other.sort_unstable();
        assert_eq!(other, [12, 22]);
    });
}

#[test]
fn the_lock_excludes_and_knows_its_owner() {
    loom::model(|| {
        let shared = Arc::new((Lock::new(), UnsafeCell::new(0)));
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let guard = shared.0.acquire().expect("not held by this thread");
                assert!(shared.0.acquire().is_none(), "a second time by the holder");
                // SAFETY: the lock is held.
                shared.1.with_mut(|count| unsafe { *count += 1 });
                drop(guard);
            })
        });
        for other in others {
            other.join().unwrap();
        }
        assert!(!shared.0.is_mine());
        // SAFETY: the others have ended.
        assert_eq!(shared.1.with(|count| unsafe { *count }), 2);
    });
}

/// Two heaps and a slab: what abandoning and adopting are about.
struct World {
    inboxes: [Inbox<Node>; 2],
    /// Which heap owns the slab.
    owner: AtomicUsize,
    orphans: Lock,
    /// Whether heap 0 is an orphan. Guarded by the lock.
    is_orphan: UnsafeCell<bool>,
    /// Blocks back in the slab; only the slab's owner, or who holds the orphans' lock, adds.
    home: UnsafeCell<Vec<usize>>,
}

impl World {
    /// As `Engine::drain`: what belongs to another heap is sent on.
    fn drain(&self, heap: usize) {
        for number in drain(&self.inboxes[heap]) {
            match self.owner.load(Ordering::Relaxed) {
                // SAFETY: this heap owns the slab, and the caller uses the heap.
                owner if owner == heap => {
                    self.home.with_mut(|home| unsafe { (*home).push(number) })
                }
                // SAFETY: the node is fresh and given up.
                owner => unsafe { self.inboxes[owner].push(Node::new(number)) },
            }
        }
    }
}

#[test]
fn a_slab_adopted_amid_remote_frees_gets_every_block() {
    loom::model(|| {
        let world = Arc::new(World {
            inboxes: [Inbox::new(), Inbox::new()],
            owner: AtomicUsize::new(0),
            orphans: Lock::new(),
            is_orphan: UnsafeCell::new(false),
            home: UnsafeCell::new(Vec::new()),
        });
        let freer = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let owner = world.owner.load(Ordering::Relaxed);
                // SAFETY: the node is fresh and given up.
                unsafe { world.inboxes[owner].push(Node::new(7)) };
            })
        };
        let ending = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.drain(0);
                let _lock = world.orphans.acquire();
                // SAFETY: the lock is held.
                world.is_orphan.with_mut(|orphan| unsafe { *orphan = true });
            })
        };
        // This thread is heap 1 and wants a slab.
        let adopted = {
            let _lock = world.orphans.acquire();
            // SAFETY: the lock is held.
            let is_orphan = world.is_orphan.with(|orphan| unsafe { *orphan });
            if is_orphan {
                world.drain(0);
                world.owner.store(1, Ordering::Relaxed);
            }
            is_orphan
        };
        freer.join().unwrap();
        ending.join().unwrap();
        // Whoever looks next, in either order, finds the block.
        world.drain(0);
        if adopted {
            world.drain(1);
        }
        // SAFETY: the others have ended.
        world.home.with(|home| assert_eq!(unsafe { &*home }, &[7]));
    });
}
