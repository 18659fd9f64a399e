//! Call sites that went wrong before, and a quick answer for the many that did not.
//!
//! To know whether a caller is listed its stack must be walked, but the program counter that it
//! returns to is there at once. So the counters are remembered that are not the innermost frame of
//! any listed site: these need no walk.

use crate::base::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::format::sites::SiteKey;

/// Sites, at most. With more, the longest listed are forgotten.
pub(crate) const SITES_MAX: usize = 64;
/// Program counters that are remembered.
const OTHERS: usize = 256;

/// The list. All zeros: it is empty.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Sites ever added; their places go round.
    added: AtomicUsize,
    frames: [AtomicU64; SITES_MAX],
    stacks: [AtomicU64; SITES_MAX],
    others: [AtomicUsize; OTHERS],
}

impl Listed {
    pub(crate) const fn new() -> Self {
        Self {
            added: AtomicUsize::new(0),
            frames: [const { AtomicU64::new(0) }; SITES_MAX],
            stacks: [const { AtomicU64::new(0) }; SITES_MAX],
            others: [const { AtomicUsize::new(0) }; OTHERS],
        }
    }

    /// Lists a site; whether it was not listed.
    pub(crate) fn add(&self, key: SiteKey) -> bool {
        if self.has(key) {
            return false;
        }
        let place = self.added.fetch_add(1, Ordering::Relaxed) % SITES_MAX;
        // A reader between the two stores finds a site that nobody has.
        self.stacks[place].store(key.stack, Ordering::Relaxed);
        self.frames[place].store(key.frame, Ordering::Release);
        self.forget_others();
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.added.load(Ordering::Relaxed) == 0
    }

    /// Whether a site is listed.
    pub(crate) fn has(&self, key: SiteKey) -> bool {
        self.all().any(|listed| listed == key)
    }

    /// Whether a listed site has this innermost frame.
    pub(crate) fn has_frame(&self, frame: u64) -> bool {
        self.all().any(|listed| listed.frame == frame)
    }

    fn all(&self) -> impl Iterator<Item = SiteKey> {
        let count = self.added.load(Ordering::Relaxed).min(SITES_MAX);
        let pairs = self.frames.iter().zip(&self.stacks).take(count);
        pairs.map(|(frame, stack)| SiteKey {
            frame: frame.load(Ordering::Acquire),
            stack: stack.load(Ordering::Relaxed),
        })
    }

    /// Whether callers that return to `pc` are known not to be listed.
    #[inline]
    pub(crate) fn is_other(&self, pc: usize) -> bool {
        pc != 0 && self.others[pc % OTHERS].load(Ordering::Relaxed) == pc
    }

    /// No listed site returns to `pc`.
    pub(crate) fn remember_other(&self, pc: usize) {
        self.others[pc % OTHERS].store(pc, Ordering::Relaxed);
    }

    /// Code goes, or the list grows: what is known of program counters is no more true.
    pub(crate) fn forget_others(&self) {
        self.others.iter().for_each(|other| other.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_listed_are_forgotten() {
        let listed = Listed::new();
        assert!(listed.is_empty());
        let key = |number: usize| SiteKey { frame: number as u64, stack: !number as u64 };
        for number in 1..=SITES_MAX + 1 {
            assert!(listed.add(key(number)) && !listed.add(key(number)));
        }
        assert!(!listed.has(key(1)) && !listed.has_frame(1));
        assert!((2..=SITES_MAX + 1).all(|number| listed.has(key(number))));
        assert!(!listed.has(SiteKey { frame: 2, stack: 2 }) && listed.has_frame(2));
    }

    #[test]
    fn others_are_known_until_the_list_grows() {
        let listed = Listed::new();
        listed.remember_other(0x1234);
        assert!(listed.is_other(0x1234) && !listed.is_other(0x1234 + OTHERS));
        listed.add(SiteKey { frame: 1, stack: 1 });
        assert!(!listed.is_other(0x1234));
    }
}
