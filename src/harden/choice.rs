//! Which of the blocks that are drawn get a guard, where guards are few and cost time.
//!
//! A mistake is most likely where nobody has looked, or where one was found before. So a call site
//! has its first guards without a question, and then the fewer the more it has had; a site that is
//! listed as bad has one always. All of them share so many places. What they cost is bounded by
//! time: a guard that takes `t` is followed by a pause of 256 `t`, of which some may be saved up.

use crate::base::sync::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Blocks that hold guards at a time, freed ones that are kept included.
pub(crate) const PLACES: u32 = 512;
/// Places that only new and listed sites get.
const RESERVED: u32 = PLACES / 4;
/// Guards that a site has had until it is new no more.
const NEW: u8 = 4;
/// A site that has had many has a guard once in two to the power of this.
const DOUBLINGS_MAX: u32 = 5;
/// Sites are told apart by a number that is reduced to so many.
const SITES: usize = 4096;
/// A guard's share of the time: one part in so many.
const SHARE: u64 = 256;
/// What is saved of the time that nobody has used, in ticks of half a microsecond.
const SAVED_MAX: u64 = 1 << 16;
/// What walk and guard cost at most, in ticks: if it seems more, the thread was interrupted.
const COST_MAX: u64 = 512;
/// What is spent on a look at a caller that needs no walk: 0.1 µs and its share.
const LOOK: u64 = SHARE / 4;
/// A guard costs so many times what putting it up takes: taking it down, and the faults between.
const WHOLE: u64 = 4;

/// The choice. All zeros: nothing is chosen.
#[derive(Debug)]
pub(crate) struct Choice {
    is_on: AtomicBool,
    /// Time does not count, so that the same random numbers give the same choice.
    is_timeless: AtomicBool,
    /// Guards that each site has had.
    had: [AtomicU8; SITES],
    taken: AtomicU32,
    drawn: Budget,
    listed: Budget,
    looks: Budget,
}

/// What time may be spent on.
#[derive(Debug)]
struct Budget {
    /// Until when the time is spent, in ticks.
    spent_until: AtomicU64,
}

/// Why a block may get a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It was drawn at random.
    Drawn,
    /// Its call site is listed.
    Listed,
}

impl Choice {
    pub(crate) const fn new() -> Self {
        Self {
            is_on: AtomicBool::new(false),
            is_timeless: AtomicBool::new(false),
            had: [const { AtomicU8::new(0) }; SITES],
            taken: AtomicU32::new(0),
            drawn: Budget::new(),
            listed: Budget::new(),
            looks: Budget::new(),
        }
    }

    /// Chooses from now on, or no more.
    pub(crate) fn set(&self, is_on: bool, is_timeless: bool) {
        self.is_timeless.store(is_timeless, Ordering::Relaxed);
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Whether a block of a site gets a guard, `now` in ticks.
    pub(crate) fn allows(&self, reason: Reason, site: u32, now: u64, random: u64) -> bool {
        let had = self.had(site).load(Ordering::Relaxed);
        let is_preferred = reason == Reason::Listed || had < NEW;
        let places = if is_preferred { PLACES } else { PLACES - RESERVED };
        if !self.is_on() || self.taken.load(Ordering::Relaxed) >= places {
            return false;
        }
        let is_lucky = is_preferred || random.is_multiple_of(1 << doublings(had));
        if self.is_timeless.load(Ordering::Relaxed) {
            return is_lucky;
        }
        let saved = self.budget(reason).saved(now);
        // Who has had many waits until there is half of what can be saved, or all of it.
        let needed = match (is_preferred, is_lucky) {
            (true, _) => 1,
            (false, true) => SAVED_MAX / 2,
            (false, false) => SAVED_MAX,
        };
        saved >= needed
    }

    /// Whether there is time to look who asks for a block that nobody has drawn; the time is spent
    /// in any case.
    pub(crate) fn may_look(&self, now: u64) -> bool {
        let may = self.is_timeless.load(Ordering::Relaxed) || self.looks.saved(now) > 0;
        self.looks.spend(now, LOOK);
        may
    }

    /// Whether anybody could be given a guard, so that it is worth finding out who asks.
    pub(crate) fn may_walk(&self, has_listed: bool, now: u64) -> bool {
        self.is_timeless.load(Ordering::Relaxed)
            || self.drawn.saved(now) > 0
            || has_listed && self.listed.saved(now) > 0
    }

    /// It took so many ticks to find out who asks for a block that gets no guard, which was drawn
    /// or only looked at.
    pub(crate) fn walked(&self, is_drawn: bool, walk: u64, now: u64) {
        let budget = if is_drawn { &self.drawn } else { &self.looks };
        budget.spend(now, walk.min(COST_MAX) * SHARE);
    }

    /// A block has got its guard. It took so many ticks to find out who asks for it, and so many to
    /// put the guard up.
    pub(crate) fn took(&self, reason: Reason, site: u32, walk: u64, guard: u64, now: u64) {
        let had = self.had(site);
        let count = had.load(Ordering::Relaxed);
        had.store(count.saturating_add(1), Ordering::Relaxed);
        self.taken.fetch_add(1, Ordering::Relaxed);
        let cost = walk.min(COST_MAX) + guard.clamp(1, COST_MAX) * WHOLE;
        self.budget(reason).spend(now, cost * SHARE);
    }

    /// The place of a guard is free again.
    pub(crate) fn left(&self) {
        let one_less = |taken: u32| taken.checked_sub(1);
        let _same = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
    }

    fn had(&self, site: u32) -> &AtomicU8 {
        &self.had[site as usize % SITES]
    }

    const fn budget(&self, reason: Reason) -> &Budget {
        match reason {
            Reason::Drawn => &self.drawn,
            Reason::Listed => &self.listed,
        }
    }
}

/// How often a site's chance has been halved that has had so many guards.
fn doublings(had: u8) -> u32 {
    (had / NEW).checked_ilog2().map_or(0, |log| log + 1).min(DOUBLINGS_MAX)
}

impl Budget {
    const fn new() -> Self {
        Self { spent_until: AtomicU64::new(0) }
    }

    /// Ticks that were not spent.
    fn saved(&self, now: u64) -> u64 {
        now.saturating_sub(self.spent_until.load(Ordering::Relaxed)).min(SAVED_MAX)
    }

    /// Spends ticks, which may be more than there are.
    fn spend(&self, now: u64, ticks: u64) {
        let spend = |until: u64| Some(until.max(now.saturating_sub(SAVED_MAX)) + ticks);
        let _same = self.spent_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choice(is_timeless: bool) -> Choice {
        let choice = Choice::new();
        choice.set(true, is_timeless);
        choice
    }

    /// Asks, and takes what is given at once; whether something was.
    fn ask(choice: &Choice, reason: Reason, site: u32, now: u64, random: u64) -> bool {
        let is_given = choice.allows(reason, site, now, random);
        if is_given {
            choice.took(reason, site, 2, 10, now);
        }
        is_given
    }

    #[test]
    fn nothing_is_chosen_before_it_is_asked_for() {
        assert!(!Choice::new().allows(Reason::Listed, 1, u64::MAX / 2, 0));
    }

    #[test]
    fn a_site_is_guarded_the_less_the_more_it_was() {
        let choice = choice(true);
        let given = [(); 24].map(|()| {
            let given = (0..64).filter(|random| {
                let is_given = ask(&choice, Reason::Drawn, 7, 0, *random);
                choice.left();
                is_given
            });
            given.count()
        });
        assert!(given[0] > 8 && given.is_sorted_by(|more, less| more >= less), "{given:?}");
        assert_eq!(given[23], 2, "once in 32");
        assert!(choice.allows(Reason::Drawn, 8, 0, 1), "another site is new");
        assert!(choice.allows(Reason::Listed, 7, 0, 1), "a listed one is always guarded");
    }

    #[test]
    fn the_last_places_are_for_new_and_listed_sites() {
        let choice = choice(true);
        let taken = (0..PLACES).filter(|_| ask(&choice, Reason::Drawn, 1, 0, 0)).count();
        assert_eq!(taken as u32, PLACES - RESERVED);
        assert!(choice.allows(Reason::Drawn, 2, 0, 0) && choice.allows(Reason::Listed, 1, 0, 0));
        while ask(&choice, Reason::Listed, 1, 0, 0) {}
        assert!(!choice.allows(Reason::Drawn, 2, 0, 0));
        choice.left();
        assert!(choice.allows(Reason::Drawn, 2, 0, 0));
    }

    #[test]
    fn new_sites_are_served_while_known_ones_wait() {
        let (choice, start) = (choice(false), 1 << 40);
        // All that was saved is spent by sites that nobody knew.
        let given = (0..100).filter(|site| ask(&choice, Reason::Drawn, *site, start, 0)).count();
        assert!((2..20).contains(&given), "{given}");
        for _ in 0..NEW {
            choice.took(Reason::Drawn, 200, 0, 1, start);
        }
        let mut now = start;
        while !choice.allows(Reason::Drawn, 201, now, 0) {
            now += 100;
        }
        assert!(!choice.allows(Reason::Drawn, 200, now, 0), "a known site waits");
        assert!(choice.allows(Reason::Listed, 200, now, 0), "a listed one does not");
        now += SAVED_MAX;
        assert!(choice.allows(Reason::Drawn, 200, now, 1), "nobody else wants it");
    }

    proptest! {
        /// Whatever is asked when, by whatever sites: places are never exceeded, and guards take no
        /// more than their share of the time and what could be saved before.
        #[test]
        fn places_and_time_are_bounded(
            asked in prop::collection::vec(
                (any::<bool>(), 0..40u32, 0..3_000u64, any::<u64>(), 0..200u64, any::<bool>()),
                1..3000,
            ),
        ) {
            let (choice, start) = (choice(false), 1 << 40);
            let (mut now, mut places) = (start, 0);
            let mut spent = [0; 2];
            for (is_listed, site, pause, random, cost, leaves) in asked {
                now += pause;
                let reason = if is_listed { Reason::Listed } else { Reason::Drawn };
                if choice.allows(reason, site, now, random) {
                    choice.took(reason, site, cost, cost, now);
                    let cost = cost.min(COST_MAX) + cost.clamp(1, COST_MAX) * WHOLE;
                    spent[usize::from(is_listed)] += cost;
                    places += 1;
                } else if choice.may_walk(false, now) {
                    choice.walked(true, cost, now);
                    spent[0] += cost.min(COST_MAX);
                }
                prop_assert!(places <= PLACES);
                if leaves && places > 0 {
                    choice.left();
                    places -= 1;
                }
            }
            for spent in spent {
                // The last one may overdraw.
                let bound = (now - start + SAVED_MAX) / SHARE + COST_MAX * (WHOLE + 1) + 1;
                prop_assert!(spent <= bound, "{spent} > {bound}");
            }
        }

        /// The same questions have the same answers, where time does not count.
        #[test]
        fn without_time_the_choice_is_the_same(
            asked in prop::collection::vec((0..40u32, any::<u64>()), 1..300),
        ) {
            let of = |times: u64| -> std::vec::Vec<bool> {
                let choice = choice(true);
                let each = asked.iter().enumerate();
                each.map(|(turn, (site, random))| {
                    ask(&choice, Reason::Drawn, *site, turn as u64 * times, *random)
                }).collect()
            };
            prop_assert_eq!(of(1), of(1_000_000));
        }
    }
}
