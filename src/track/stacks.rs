//! Call stacks as numbers: a tree of frames, in which equal stacks are one node.
//!
//! A program counter becomes a frame, a frame called from a stack becomes a node, and a node that
//! allocates becomes a site. All three only grow, live in the ledger, and keep their meaning for
//! ever: when a library is unloaded and another one takes its addresses, its program counters are
//! new frames. Looking up is lock-free; adding takes the ledger's lock.

use super::SiteId;
use super::ledger::Ledger;
use super::modules::Modules;
use super::numbers::{Numbers, mix};
use crate::base::sync::{AtomicU64, Ordering};
use crate::format::layout::{Frame, Node, ending};
use crate::unwind::{End, StackNames};

/// The tables that find frames and nodes by content.
#[derive(Debug)]
pub(crate) struct Stacks {
    frames: Numbers,
    nodes: Numbers,
    pub(crate) modules: Modules,
    /// Captures that found no number for their stack.
    refused: AtomicU64,
}

/// The tree with the ledger it lives in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) stacks: &'a Stacks,
}

/// The empty stack.
pub(crate) const ROOT: u32 = 0;

impl Stacks {
    pub(crate) const fn new() -> Self {
        Self {
            frames: Numbers::new(),
            nodes: Numbers::new(),
            modules: Modules::new(),
            refused: AtomicU64::new(0),
        }
    }

    /// Captures whose stack could not be kept.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

fn frame_hash(address: u64, module: u32, flags: u32) -> u64 {
    mix(address, u64::from(module) << 8 | u64::from(flags))
}

fn node_hash(parent: u32, frame: u32) -> u64 {
    mix(u64::from(parent) << 32 | u64::from(frame), 0)
}

impl Tree<'_> {
    /// The site of a stack, new or known. `None`: no room.
    #[inline(always)]
    pub(crate) fn site(&self, node: u32) -> Option<SiteId> {
        let record = self.ledger.nodes.get(node)?;
        match SiteId::from_number(record.site.load(Ordering::Acquire)) {
            Some(site) => Some(site),
            None => self.new_site(node, record),
        }
    }

    #[cold]
    #[inline(never)]
    fn new_site(&self, node: u32, record: &Node) -> Option<SiteId> {
        if node == ROOT {
            return None;
        }
        let _lock = self.ledger.lock().acquire()?;
        if let Some(site) = SiteId::from_number(record.site.load(Ordering::Acquire)) {
            return Some(site);
        }
        let append = |site: &crate::format::layout::Site| site.node.store(node, Ordering::Relaxed);
        let Some(number) = self.ledger.sites.append(append) else {
            self.refuse();
            return None;
        };
        record.site.store(number, Ordering::Release);
        SiteId::from_number(number)
    }

    fn refuse(&self) {
        self.stacks.refused.fetch_add(1, Ordering::Relaxed);
        if let Some(header) = self.ledger.header() {
            header.refused_stacks.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn frame_of(&self, address: u64, module: u32, flags: u32) -> u32 {
        let hash = frame_hash(address, module, flags);
        let is_wanted = |number: u32| {
            self.ledger.frames.get(number).is_some_and(|frame| {
                frame.address.load(Ordering::Relaxed) == address
                    && frame.module.load(Ordering::Relaxed) == module
                    && frame.flags.load(Ordering::Relaxed) == flags
            })
        };
        if let Some(number) = self.stacks.frames.find(hash, is_wanted) {
            return number;
        }
        self.new_frame(hash, is_wanted, |frame| {
            frame.address.store(address, Ordering::Relaxed);
            frame.module.store(module, Ordering::Relaxed);
            frame.flags.store(flags, Ordering::Relaxed);
        })
    }

    #[cold]
    fn new_frame(
        &self,
        hash: u64,
        is_wanted: impl Fn(u32) -> bool,
        fill: impl FnOnce(&Frame),
    ) -> u32 {
        let Some(_lock) = self.ledger.lock().acquire() else { return 0 };
        let frames = &self.stacks.frames;
        if let Some(number) = frames.find(hash, is_wanted) {
            return number;
        }
        let hash_of = |number| {
            let frame = self.ledger.frames.get(number);
            frame.map_or(0, |frame| {
                let address = frame.address.load(Ordering::Relaxed);
                let module = frame.module.load(Ordering::Relaxed);
                frame_hash(address, module, frame.flags.load(Ordering::Relaxed))
            })
        };
        if !frames.reserve(self.ledger.frames.len(), hash_of) {
            return 0;
        }
        let Some(number) = self.ledger.frames.append(fill) else { return 0 };
        frames.put(hash, number);
        number
    }

    #[cold]
    fn new_node(&self, parent: u32, frame: u32) -> u32 {
        let Some(_lock) = self.ledger.lock().acquire() else { return 0 };
        let (hash, nodes) = (node_hash(parent, frame), &self.stacks.nodes);
        if let Some(number) = nodes.find(hash, |number| self.is_node(number, parent, frame)) {
            return number;
        }
        let hash_of = |number| {
            let node = self.ledger.nodes.get(number);
            node.map_or(0, |node| {
                node_hash(node.parent.load(Ordering::Relaxed), node.frame.load(Ordering::Relaxed))
            })
        };
        if !nodes.reserve(self.ledger.nodes.len(), hash_of) {
            return 0;
        }
        let above = self.ledger.nodes.get(parent);
        let depth = above.map_or(0, |node| node.depth.load(Ordering::Relaxed)) + 1;
        let appended = self.ledger.nodes.append(|node| {
            node.parent.store(parent, Ordering::Relaxed);
            node.frame.store(frame, Ordering::Relaxed);
            node.depth.store(depth, Ordering::Relaxed);
        });
        let Some(number) = appended else { return 0 };
        nodes.put(hash, number);
        number
    }

    #[inline]
    fn is_node(&self, number: u32, parent: u32, frame: u32) -> bool {
        self.ledger.nodes.get(number).is_some_and(|node| {
            node.parent.load(Ordering::Relaxed) == parent
                && node.frame.load(Ordering::Relaxed) == frame
        })
    }

    /// The frames of a site's stack, innermost first.
    pub(crate) fn frames(&self, site: SiteId) -> impl Iterator<Item = &Frame> {
        let record = self.ledger.sites.get(site.number());
        let mut next = record.map_or(ROOT, |site| site.node.load(Ordering::Relaxed));
        core::iter::from_fn(move || {
            let node = self.ledger.nodes.get(next).filter(|_| next != ROOT)?;
            next = node.parent.load(Ordering::Relaxed);
            self.ledger.frames.get(node.frame.load(Ordering::Relaxed))
        })
    }
}

impl StackNames for Tree<'_> {
    fn frame(&self, pc: usize, exact: bool) -> u32 {
        let module = self.stacks.modules.number_of(self.ledger, pc - usize::from(!exact));
        self.frame_of(pc as u64, module, if exact { Frame::EXACT } else { 0 })
    }

    fn ending(&self, end: End) -> u32 {
        let kind = match end {
            End::Root => return 0,
            End::NoInfo => ending::NO_INFO,
            End::Truncated => ending::TRUNCATED,
            End::Damaged => ending::DAMAGED,
            End::Unsupported => ending::UNSUPPORTED,
        };
        self.frame_of(kind, 0, Frame::ENDING)
    }

    #[inline]
    fn child(&self, parent: u32, frame: u32) -> u32 {
        let hash = node_hash(parent, frame);
        let found = self.stacks.nodes.find(hash, |number| self.is_node(number, parent, frame));
        found.unwrap_or_else(|| self.new_node(parent, frame))
    }
}
