//! Parsing a pointer once: what an address from outside stands for.
//!
//! `free`, `realloc`, `usable_size` and every error report start here. An address is a block in
//! use, foreign, or misused; nothing behind this module handles a raw user pointer.

use super::block::Block;
use super::class::SLICE;
use super::engine::Engine;
use super::observe::{Observer, Slot};
use super::slab::{Kind, Slab};

/// What an address stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// In none of our regions.
    Foreign,
    /// A block of a slab, by its index; in use, as far as the engine can know.
    Block(&'a Slab, u32),
    /// A large block.
    Large(&'a Slab),
    /// In a region, but nothing that a user holds.
    Misused(Misuse),
}

/// What a program did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MisuseKind {
    /// The block is free already.
    DoubleFree,
    /// Inside a block, but not at its start.
    NotBlockStart,
    /// In memory of the heap that no block occupies.
    NotAllocated,
    /// In no memory of this heap.
    Foreign,
}

/// A wrong pointer, and what is known of the place it points to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misuse {
    pub(crate) kind: MisuseKind,
    pub(crate) address: *mut u8,
    /// Start and usable size of the block concerned.
    pub(crate) block: Option<(*mut u8, usize)>,
}

impl Misuse {
    pub(crate) const fn foreign(address: *mut u8) -> Self {
        Self { kind: MisuseKind::Foreign, address, block: None }
    }

    pub(crate) fn double_free(slot: Slot<'_>, address: *mut u8) -> Self {
        let block = Some((address, slot.slab.usable_size()));
        Self { kind: MisuseKind::DoubleFree, address, block }
    }

    const fn not_allocated(address: *mut u8) -> Self {
        Self { kind: MisuseKind::NotAllocated, address, block: None }
    }
}

impl Slab {
    /// Which block holds the byte `offset` bytes into the span.
    #[expect(clippy::cast_possible_truncation, reason = "slabs are at most 4 MiB long")]
    pub(crate) fn index_in(&self, offset: usize) -> u32 {
        match self.kind() {
            Kind::Slab => self.index_of(offset as u32),
            _ => 0,
        }
    }
}

impl<O: Observer> Engine<O> {
    /// Parses an address.
    pub(crate) fn locate(&self, address: *mut u8) -> Place<'_> {
        let Some(slab) = self.space.span_of(address) else { return Place::Foreign };
        let offset = address as usize - slab.start() as usize;
        match slab.kind() {
            Kind::Free | Kind::Records => Place::Misused(Misuse::not_allocated(address)),
            Kind::Large if offset == slab.lead() => Place::Large(slab),
            Kind::Large => Place::Misused(Misuse {
                kind: MisuseKind::NotBlockStart,
                address,
                block: Some((slab.block(0), slab.usable_size())),
            }),
            Kind::Slab => self.locate_in_slab(slab, offset, address),
        }
    }

    /// The block in use at `address`.
    #[inline]
    pub(crate) fn slot_at(&self, address: *mut u8) -> Result<Slot<'_>, Misuse> {
        if let Some(slab) = self.plain_slab_at(address) {
            return Ok(Slot { slab, index: slab.index_in(address as usize % SLICE) });
        }
        match self.locate(address) {
            Place::Foreign => Err(Misuse::foreign(address)),
            Place::Misused(misuse) => Err(misuse),
            Place::Large(slab) => Ok(Slot { slab, index: 0 }),
            Place::Block(slab, index) => Ok(Slot { slab, index }),
        }
    }

    fn locate_in_slab<'a>(&self, slab: &'a Slab, offset: usize, address: *mut u8) -> Place<'a> {
        let index = slab.index_in(offset);
        if index >= slab.capacity() || index < slab.held() {
            return Place::Misused(Misuse::not_allocated(address));
        }
        let start = slab.block(index);
        let block = Some((start, slab.usable_size()));
        // SAFETY: a carved block of a living slab.
        let is_free = unsafe { Block::is_free(start.cast(), self.space.secret()) };
        let kind = match (is_free, start == address) {
            (false, true) => return Place::Block(slab, index),
            (false, false) => MisuseKind::NotBlockStart,
            (true, true) => MisuseKind::DoubleFree,
            (true, false) => MisuseKind::NotAllocated,
        };
        Place::Misused(Misuse { kind, address, block })
    }

    /// The block in use that holds `address`, which may point into its middle.
    pub(crate) fn slot_of(&self, address: *const u8) -> Option<Slot<'_>> {
        let slab = self.space.span_of(address)?;
        let offset = address as usize - slab.start() as usize;
        let index = slab.index_in(offset);
        let in_use = matches!(slab.kind(), Kind::Slab | Kind::Large)
            && (slab.held()..slab.capacity()).contains(&index);
        in_use.then_some(Slot { slab, index })
    }

    /// Whether a block that the observer has picked for a guard may begin at `address`: it does so
    /// in the first slice of its span. Of others the record may be an old one, the answer wrong.
    #[inline]
    pub(crate) fn may_be_picked(&self, address: *const u8) -> bool {
        let slab = self.space.record_of(address).or_else(|| self.space.span_of(address));
        slab.is_some_and(Slab::is_guarded)
    }

    /// The slab of what most questions are about: the start of a block in use, of any thread, in
    /// the first slice of an untracked slab. `None`: look closer.
    #[inline]
    pub(super) fn plain_slab_at(&self, address: *const u8) -> Option<&Slab> {
        let slab = self.space.record_of(address)?;
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a slice")]
        let offset = (address as usize % SLICE) as u32;
        let is_plain = slab.kind() == Kind::Slab && slab.owner_token() != 0 && !slab.is_tracked();
        if !is_plain || !slab.is_carved_start(offset) {
            return None;
        }
        // SAFETY: the start of a block of a slab, which is mapped.
        let is_free = unsafe { Block::is_free(address.cast(), self.space.secret()) };
        (!is_free).then_some(slab)
    }

    /// [`Self::usable_size`], where it is known at a glance. Some programs ask at every `malloc`.
    #[inline]
    pub(crate) fn usable_size_fast(&self, address: *const u8) -> Option<usize> {
        self.plain_slab_at(address).map(Slab::block_size)
    }

    /// Bytes the user may use at `address`; zero for what is no block.
    pub(crate) fn usable_size(&self, address: *mut u8) -> usize {
        match self.locate(address) {
            Place::Block(slab, _) | Place::Large(slab) => slab.usable_size(),
            Place::Foreign | Place::Misused(_) => 0,
        }
    }
}
