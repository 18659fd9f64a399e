//! Call stacks as numbers: a tree of frames, in which equal stacks are one node.
//!
//! A program counter becomes a frame, a frame called from a stack becomes a node, and a node that
//! allocates becomes a site. Few stacks allocate and call others that do, so a node has one place
//! for both. All three only grow, live in the ledger, and keep their meaning for
//! ever: when a library is unloaded and another one takes its addresses, its program counters are
//! new frames. Looking up is lock-free; adding takes the ledger's lock.

use super::SiteId;
use super::ledger::Ledger;
use super::modules::Modules;
use super::numbers::{Numbers, mix};
use crate::base::sync::{AtomicU64, Ordering};
use crate::format::layout::{Frame, Node, ending};
use crate::unwind::{End, StackNames};

/// The tables that find frames by content, and nodes whose parent has many.
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
/// No frame: the child that stands for a stack itself, if that has a site and calls others too.
const OWN: u32 = 0;
/// Children that are chained. Most stacks have few, which were met in this order, one after the
/// other: a step along the chain stays near by, where the table is anywhere.
const CHAIN_MAX: usize = 4;

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

/// The site that a node says it has, or is.
#[inline(always)]
fn site_in(node: &Node) -> Option<SiteId> {
    // Acquire: who sees a site's number sees its record.
    let below = node.below.load(Ordering::Acquire);
    if below & Node::SITE != 0 { SiteId::from_number(below & !Node::SITE) } else { None }
}

/// The nodes from `first` on that are chained; of a site there are none.
#[inline(always)]
fn chain(nodes: &[Node], first: u32) -> impl Iterator<Item = (u32, &Node)> {
    let mut next = first;
    core::iter::from_fn(move || {
        let node = nodes.get(next as usize).filter(|_| next != 0)?;
        Some((core::mem::replace(&mut next, node.sibling.load(Ordering::Relaxed)), node))
    })
}

impl Tree<'_> {
    /// The site of a stack, new or known. `None`: no room.
    #[inline(always)]
    pub(crate) fn site(self, node: u32) -> Option<SiteId> {
        let record = self.ledger.nodes.get(node)?;
        match site_in(record) {
            Some(site) => Some(site),
            None => self.other_site(node, record),
        }
    }

    /// The site of a stack, if it is known.
    #[inline(always)]
    pub(crate) fn known_site(self, node: u32) -> Option<SiteId> {
        let nodes = self.ledger.nodes.all();
        site_in(nodes.get(node as usize)?).or_else(|| {
            let own = self.child_at_hand(node, OWN);
            site_in(nodes.get(own as usize).filter(|_| own != 0)?)
        })
    }

    /// The site of a stack that is new, or calls others as well.
    #[cold]
    #[inline(never)]
    fn other_site(self, node: u32, record: &Node) -> Option<SiteId> {
        if node == ROOT {
            return None;
        }
        let nodes = self.ledger.nodes.all();
        let own = || {
            let own = self.known_child(nodes, node, record, OWN)?;
            site_in(nodes.get(own as usize)?)
        };
        if let Some(site) = own() {
            return Some(site);
        }
        let _lock = self.ledger.lock().acquire()?;
        if let Some(site) = site_in(record).or_else(own) {
            return Some(site);
        }
        // Where there are children it stands among them.
        let place = match record.below.load(Ordering::Relaxed) {
            0 => record,
            _ => nodes.get(self.add_node(node, record, OWN) as usize)?,
        };
        let append = |site: &crate::format::layout::Site| site.node.store(node, Ordering::Relaxed);
        let Some(number) = self.ledger.sites.append(append) else {
            self.refuse();
            return None;
        };
        place.below.store(Node::SITE | number, Ordering::Release);
        SiteId::from_number(number)
    }

    fn refuse(self) {
        self.stacks.refused.fetch_add(1, Ordering::Relaxed);
        if let Some(header) = self.ledger.header() {
            header.refused_stacks.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn frame_of(self, address: u64, module: u32, flags: u32) -> u32 {
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
        self,
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
        if !frames.reserve(1, self.ledger.frames.len(), hash_of) {
            return 0;
        }
        let Some(number) = self.ledger.frames.append(fill) else { return 0 };
        frames.put(hash, number);
        number
    }

    /// The child of `above` that stands for `frame`, if it is known.
    #[inline(always)]
    fn known_child(self, nodes: &[Node], parent: u32, above: &Node, frame: u32) -> Option<u32> {
        // Acquire: who sees a child's number sees its record.
        let first = above.below.load(Ordering::Acquire);
        if first == Node::MANY {
            return self.listed_child(parent, frame);
        }
        let mut chained = chain(nodes, first);
        chained.find(|(_, node)| node.frame.load(Ordering::Relaxed) == frame).map(|it| it.0)
    }

    /// The same of a parent that has many. Cold, so that the registers of who asks are saved here
    /// and not where a chain is followed.
    #[cold]
    #[inline(never)]
    fn listed_child(self, parent: u32, frame: u32) -> Option<u32> {
        let hash = node_hash(parent, frame);
        self.stacks.nodes.find(hash, |number| self.is_node(number, parent, frame))
    }

    /// A child that is new, or of a parent that has many.
    #[inline(never)]
    fn unchained_child(self, parent: u32, frame: u32) -> u32 {
        let Some(above) = self.ledger.nodes.get(parent) else { return 0 };
        self.new_node(parent, above, frame)
    }

    #[cold]
    #[inline(never)]
    fn new_node(self, parent: u32, above: &Node, frame: u32) -> u32 {
        let Some(_lock) = self.ledger.lock().acquire() else { return 0 };
        match self.known_child(self.ledger.nodes.all(), parent, above, frame) {
            Some(number) => number,
            None => self.add_node(parent, above, frame),
        }
    }

    /// A child that is not there yet; 0: there is no room. The ledger's lock is held.
    fn add_node(self, parent: u32, above: &Node, frame: u32) -> u32 {
        let nodes = self.ledger.nodes.all();
        let mut first = above.below.load(Ordering::Relaxed);
        if first != Node::MANY && first & Node::SITE != 0 {
            // It has called nobody so far: its site moves to a child of its own.
            let own = self.ledger.nodes.append(|node| {
                node.parent.store(parent, Ordering::Relaxed);
                node.below.store(first, Ordering::Relaxed);
            });
            let Some(own) = own else { return 0 };
            above.below.store(own, Ordering::Release);
            first = own;
        }
        let is_chained = first != Node::MANY && chain(nodes, first).count() < CHAIN_MAX;
        if !is_chained && !self.make_room() {
            return 0;
        }
        let appended = self.ledger.nodes.append(|node| {
            node.parent.store(parent, Ordering::Relaxed);
            node.frame.store(frame, Ordering::Relaxed);
            node.sibling.store(if is_chained { first } else { 0 }, Ordering::Relaxed);
        });
        let Some(number) = appended else { return 0 };
        if is_chained {
            above.below.store(number, Ordering::Release);
            return number;
        }
        self.stacks.nodes.put(node_hash(parent, frame), number);
        if first != Node::MANY {
            for (number, node) in chain(nodes, first) {
                let frame = node.frame.load(Ordering::Relaxed);
                self.stacks.nodes.put(node_hash(parent, frame), number);
            }
            // Release: who looks in the table finds them all.
            above.below.store(Node::MANY, Ordering::Release);
        }
        number
    }

    /// Makes room in the table for a node and a chain. The ledger's lock is held.
    fn make_room(self) -> bool {
        let hash_of = |number| {
            let node = self.ledger.nodes.get(number);
            node.map_or(0, |node| {
                node_hash(node.parent.load(Ordering::Relaxed), node.frame.load(Ordering::Relaxed))
            })
        };
        self.stacks.nodes.reserve(1 + CHAIN_MAX as u32, self.ledger.nodes.len(), hash_of)
    }

    #[inline]
    fn is_node(self, number: u32, parent: u32, frame: u32) -> bool {
        self.ledger.nodes.get(number).is_some_and(|node| {
            node.parent.load(Ordering::Relaxed) == parent
                && node.frame.load(Ordering::Relaxed) == frame
        })
    }

    /// The frames of a site's stack, innermost first.
    pub(crate) fn frames(&self, site: SiteId) -> impl Iterator<Item = &Frame> {
        let record = self.ledger.sites.get(site.number());
        self.frames_from(record.map_or(ROOT, |site| site.node.load(Ordering::Relaxed)))
    }

    /// The frames of a stack, innermost first.
    pub(crate) fn frames_from(&self, stack: u32) -> impl Iterator<Item = &Frame> {
        let mut next = stack;
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

    #[inline(always)]
    fn child(&self, parent: u32, frame: u32) -> u32 {
        match self.child_at_hand(parent, frame) {
            0 => self.unchained_child(parent, frame),
            known => known,
        }
    }

    #[inline(always)]
    fn child_at_hand(&self, parent: u32, frame: u32) -> u32 {
        let nodes = self.ledger.nodes.all();
        let Some(above) = nodes.get(parent as usize) else { return 0 };
        // Acquire: who sees a child's number sees its record. Neither a site nor `MANY` is one.
        let mut next = above.below.load(Ordering::Acquire);
        // One comparison for both ends: zero is none.
        while (next as usize).wrapping_sub(1) < nodes.len() - 1 {
            // SAFETY: `next` is below the length, which is not zero, as `above` is one of them.
            let node = unsafe { nodes.get_unchecked(next as usize) };
            if node.frame.load(Ordering::Relaxed) == frame {
                return next;
            }
            next = node.sibling.load(Ordering::Relaxed);
        }
        if next == Node::MANY { self.listed_child(parent, frame).unwrap_or(0) } else { 0 }
    }
}
