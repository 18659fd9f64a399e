//! Marking along a list: as long as a level is one block, and that leads to one block alone, there
//! is nothing to put in order or into a queue. Each step takes what the [trail](super::hints) has
//! fetched.

use super::edges::Edge;
use super::elsewhere::Elsewhere;
use super::hints::Follower;
use super::mark::Marker;
use super::marks::Marks;
use super::scratch::NoMemory;
use crate::mem::scan::Batch;

/// After so many levels hints are worth their while.
const DEEP: usize = 1 << 12;

impl<E: Elsewhere> Marker<'_, E> {
    /// Follows the pointers of the only block of a level, and of the only one of the next level,
    /// and so on, up to a block that leads to several or to none.
    ///
    /// # Safety
    /// The blocks are mapped.
    pub(super) unsafe fn follow_chain(
        &mut self,
        from: usize,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        let (mut at, mut follower) = (from, Follower::new());
        while let Some(next) = self.only_next(at) {
            self.note_beginning(at);
            self.enter(next.target(), Marks::in_block(at));
            at = next.target();
            self.count_step();
            if let (Some(hints), Some(edges)) = (&self.hints, self.edges) {
                follower.go_on(at, hints, edges, self.marks);
            }
        }
        // SAFETY: the caller's.
        unsafe { self.look_into(at, batch) }
    }

    /// What is reached from here on is a step further from where the search began.
    #[inline(always)]
    pub(super) fn count_step(&mut self) {
        self.steps += 1;
        if self.steps == DEEP {
            self.ask_for_hints();
        }
    }

    /// The only edge to follow of a block; `None` also where it is not that simple.
    #[inline(always)]
    fn only_next(&self, number: usize) -> Option<Edge> {
        let mut onward =
            self.edges?.from(number)?.filter(|edge| self.marks.is_unreached(edge.target()));
        let only = onward.next().filter(|edge| !edge.is_interior() || self.follows_interior)?;
        onward.next().is_none().then_some(only)
    }
}
