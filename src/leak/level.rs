//! The blocks of a level, looked into one after the other. Those that come next are known: what
//! will be needed of them is fetched into the cache ahead of time.

use super::elsewhere::Elsewhere;
use super::hints::Hints;
use super::mark::Marker;
use super::order;
use super::scratch::NoMemory;
use super::wide::Wide;
use crate::mem::prefetch;
use crate::mem::scan::Batch;

/// What is known of the targets of blocks so far ahead is fetched.
const AHEAD: usize = 24;

impl<'m, E: Elsewhere> Marker<'m, E> {
    /// # Safety
    /// The blocks are mapped.
    #[inline(always)]
    pub(super) unsafe fn look_into_level(
        &mut self,
        level: &[u32],
        wide: &mut Option<Wide>,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        if self.is_wide(level, wide)
            && let (Some(edges), Some(wide)) = (self.edges, wide)
        {
            // SAFETY: the caller's.
            return unsafe { self.look_into_all(level, edges, wide, batch) };
        }
        for at in 0..level.len() {
            self.fetch_ahead(&level[at..]);
            // SAFETY: the caller's.
            unsafe { self.look_into(level[at] as usize, batch)? };
        }
        Ok(())
    }

    /// Fetches what is needed to look into the blocks behind the first one, and what is known of
    /// the blocks that they lead to.
    #[inline(always)]
    fn fetch_ahead(&self, level: &[u32]) {
        let Some(edges) = self.edges else {
            if let Some(ahead) = level.get(AHEAD) {
                prefetch(self.marks.place(*ahead as usize).start);
            }
            return;
        };
        edges.prefetch_ahead(level);
        if let Some(ahead) = level.get(AHEAD / 4) {
            let list = edges.from(*ahead as usize).into_iter().flatten();
            list.for_each(|edge| self.marks.prefetch_if_unreached(edge.target()));
        }
    }

    #[cold]
    pub(super) fn ask_for_hints(&mut self) {
        if let (Some(edges), None) = (self.edges, &self.hints) {
            // Without memory for them it takes longer.
            self.hints = Hints::of(edges, self.marks).ok();
        }
    }

    /// Whether a level is wide. What it takes is made for the first one.
    fn is_wide(&self, level: &[u32], wide: &mut Option<Wide>) -> bool {
        if self.edges.is_none() || !order::is_worth_it(level.len(), self.marks.len()) {
            return false;
        }
        if wide.is_none() {
            // Without memory for them it takes longer.
            *wide = Wide::new(self.marks.len()).ok();
        }
        wide.is_some()
    }
}
