//! Who may go through the paths of a heap: what shuts them, as one number, so that one comparison
//! asks for all.
//!
//! Only the heap's user opens and shuts, but signal handlers run on top of it. They leave the doors
//! as they found them; but for [`Doors::set_quick`], and what that has set may be lost to whoever
//! was interrupted between reading and writing. The heap's next cold path sets it again, before it
//! gives the heap any slab of the new mode.

use core::cell::Cell;

/// The heap is not tracked, or its blocks are to go the long way.
const WATCHED: u8 = 1;
/// The thread is inside a cold path.
const BUSY: u8 = 2;
/// It is inside the observer, or in code of ours that must not observe itself.
const OBSERVING: u8 = 4;

/// The doors. See the module.
#[derive(Debug)]
pub(super) struct Doors(Cell<u8>);

impl Doors {
    /// Of a heap that is not tracked.
    pub(super) const fn new() -> Self {
        Self(Cell::new(WATCHED))
    }

    #[inline]
    fn is_shut(&self, door: u8) -> bool {
        self.0.get() & door != 0
    }

    #[inline(always)]
    fn shut(&self, door: u8, is_shut: bool) {
        let doors = self.0.get();
        self.0.set(if is_shut { doors | door } else { doors & !door });
    }

    /// Whether nothing bars the short way of tracked blocks but what may be inside already.
    pub(super) fn is_quick(&self) -> bool {
        !self.is_shut(WATCHED)
    }

    pub(super) fn set_quick(&self, is_quick: bool) {
        self.shut(WATCHED, !is_quick);
    }

    pub(super) fn is_busy(&self) -> bool {
        self.is_shut(BUSY)
    }

    #[inline]
    pub(super) fn is_observing(&self) -> bool {
        self.is_shut(OBSERVING)
    }

    /// The value before.
    pub(super) fn set_observing(&self, is_observing: bool) -> bool {
        let was_observing = self.is_observing();
        self.shut(OBSERVING, is_observing);
        was_observing
    }

    /// Into a cold path, if nobody is in one.
    pub(super) fn enter(&self) -> Option<Busy<'_>> {
        self.enter_if(!self.is_busy())
    }

    /// Into a cold path, if the thread is not in code of ours, and the blocks go the long way.
    #[inline(always)]
    pub(super) fn enter_watched(&self) -> Option<Busy<'_>> {
        self.enter_if(self.0.get() == WATCHED)
    }

    #[inline(always)]
    fn enter_if(&self, may: bool) -> Option<Busy<'_>> {
        if may {
            self.shut(BUSY, true);
        }
        may.then(|| Busy(self))
    }

    /// Into the short way, if every door is open; out of it with [`Self::leave`].
    #[inline(always)]
    pub(super) fn enter_short(&self) -> bool {
        let may = self.0.get() == 0;
        if may {
            self.shut(BUSY, true);
        }
        may
    }

    #[inline(always)]
    pub(super) fn leave(&self) {
        self.shut(BUSY, false);
    }
}

/// Inside a cold path, until dropped.
#[derive(Debug)]
pub(super) struct Busy<'a>(&'a Doors);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
