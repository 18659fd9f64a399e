//! Scopes: what a set of threads allocates while they are in it.
//!
//! A thread notes its own counters when it enters and when it leaves; the difference is the
//! scope's. Nothing is done while it is inside, so allocating costs what it always costs. Memory of
//! scopes themselves is Heapsight's own.

use super::inspect::{self, Unobserved};
use super::options::Track;
use super::park::Caller;
use super::{ENGINE, entry, leaks, loaded, start, tls};
use crate::heap::local::State;
use crate::leak::births::{self, Births, Stretch};
use crate::report::{self, CallSite, Leak, RawCallSite};
use crate::track::SiteId;
use crate::track::moment::{Moment, SiteSums};
use crate::track::stats::Sums;
use core::cell::RefCell;
use core::hint::black_box;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

/// A scope; its copies are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    tally: Arc<Mutex<Tally>>,
}

/// What a scope knows of its threads.
#[derive(Debug, Default)]
struct Tally {
    /// Of the threads that are inside.
    stays: Vec<Stay>,
    /// What those counted that were inside and have left: sums, by site, and which blocks.
    sums: Sums,
    sites: BTreeMap<SiteId, SiteSums>,
    births: Births,
    is_partial: bool,
}

/// A thread in a scope.
#[derive(Debug)]
struct Stay {
    /// How often it has entered and not left.
    depth: usize,
    since: Moment,
    /// What it had allocated before, in order.
    sites: Vec<(SiteId, SiteSums)>,
}

/// Heapsight does not serve the program's allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotInstalled;

std::thread_local! {
    /// The scopes that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
}

/// Held by the thread that switches tracking on.
static SWITCH: Mutex<()> = Mutex::new(());

impl Scope {
    /// A scope that no thread is in.
    pub(crate) fn new() -> Self {
        let _unobserved = Unobserved::begin();
        Self { tally: Arc::default() }
    }

    /// The innermost scope that the calling thread is in.
    pub(crate) fn current() -> Option<Self> {
        let _unobserved = Unobserved::begin();
        ENTERED.try_with(|entered| entered.borrow().last().cloned()).ok().flatten()
    }

    /// From here on the calling thread's allocations are the scope's, too. Each call is to be
    /// followed by one of [`Self::leave`], on the same thread.
    pub(crate) fn enter(&self) -> Result<(), NotInstalled> {
        if !is_installed() {
            return Err(NotInstalled);
        }
        track_everything();
        let _unobserved = Unobserved::begin();
        // A thread that is ending has no list any more: the scope is not found by `current`.
        let _is_listed = ENTERED.try_with(|entered| entered.borrow_mut().push(self.clone()));
        let moment = moment();
        let mut tally = self.lock();
        match moment.filter(|moment| moment.thread != 0) {
            Some(moment) => tally.enter(moment),
            None => tally.is_partial = true,
        }
        Ok(())
    }

    /// The calling thread, which has entered, is out again.
    pub(crate) fn leave(&self) {
        let _unobserved = Unobserved::begin();
        let is_partial = inspect::tracking() != Track::Full;
        let moment = moment();
        let mut tally = self.lock();
        tally.is_partial |= is_partial;
        match moment.filter(|moment| moment.thread != 0) {
            Some(moment) => tally.leave(moment),
            None => tally.is_partial = true,
        }
        drop(tally);
        let _is_listed = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let same = |other: &Self| Arc::ptr_eq(&other.tally, &self.tally);
            if let Some(place) = entered.iter().rposition(same) {
                entered.remove(place);
            }
        });
    }

    /// What its threads have counted so far.
    pub(crate) fn sums(&self) -> Sums {
        let tally = self.lock();
        let open = tally.stays.iter().filter_map(|stay| {
            let now = ENGINE.observer.sums_of_thread(stay.since.thread)?;
            Some(now.since(&stay.since.sums))
        });
        open.fold(tally.sums, |sum, stay| sum.plus(&stay))
    }

    /// Whether some of what its threads did may be missing: tracking was changed meanwhile, or
    /// there was no room to record a thread.
    pub(crate) fn is_partial(&self) -> bool {
        self.lock().is_partial
    }

    /// Where its threads have allocated, those that have left it, most bytes first.
    pub(crate) fn call_sites(&self) -> Vec<CallSite> {
        let _unobserved = Unobserved::begin();
        let raw = |(site, sums): (&SiteId, &SiteSums)| {
            let (stack, truncated) = inspect::stack_of(*site);
            RawCallSite { allocations: sums.allocations, bytes: sums.bytes, stack, truncated }
        };
        let sites: Vec<_> = self.lock().sites.iter().map(raw).collect();
        report::call_sites(sites, &loaded::modules())
    }

    /// Whether any block lives that its threads have allocated.
    pub(crate) fn any_lives(&self) -> bool {
        let _unobserved = Unobserved::begin();
        births::any_lives(&ENGINE, &self.births())
    }

    /// What its threads have allocated and what has leaked, by call stack. `None`: there was no
    /// memory left to find out.
    pub(crate) fn leaks(&self) -> Option<Vec<Leak>> {
        let _unobserved = Unobserved::begin();
        let births = self.births();
        let mut leaks = leaks::leaks_of(&births, &Caller::here())?;
        leaks.retain(Leak::is_leak);
        leaks.iter_mut().for_each(|leak| report::cut_below_runner(&mut leak.frames));
        Some(leaks)
    }

    fn births(&self) -> Births {
        let tally = self.lock();
        let mut births = tally.births.clone();
        for Stay { since, .. } in &tally.stays {
            births.add(Stretch { thread: since.thread, from: since.tick, to: u64::MAX });
        }
        births
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn enter(&mut self, moment: Moment) {
        match self.stays.iter_mut().find(|stay| stay.since.thread == moment.thread) {
            Some(stay) => stay.depth += 1,
            None => {
                let mut sites = Vec::new();
                ENGINE.observer.for_each_site(tls::heap(), |site, sums| sites.push((site, sums)));
                self.stays.push(Stay { depth: 1, since: moment, sites });
            }
        }
    }

    fn leave(&mut self, moment: Moment) {
        let is_own = |stay: &Stay| stay.since.thread == moment.thread;
        let Some(place) = self.stays.iter().position(is_own) else {
            self.is_partial = true;
            return;
        };
        self.stays[place].depth -= 1;
        if self.stays[place].depth == 0 {
            let stay = self.stays.swap_remove(place);
            self.close(&stay, moment);
        }
    }

    fn close(&mut self, stay: &Stay, end: Moment) {
        let sums = end.sums.since(&stay.since.sums);
        self.sums = self.sums.plus(&sums);
        if sums.allocations == 0 {
            return;
        }
        let since = stay.since;
        self.births.add(Stretch { thread: since.thread, from: since.tick, to: end.tick });
        ENGINE.observer.for_each_site(tls::heap(), |site, now| {
            let known = stay.sites.binary_search_by_key(&site, |(site, _)| *site);
            let before = known.map_or_else(|_| SiteSums::default(), |at| stay.sites[at].1);
            if now != before {
                let total = self.sites.entry(site).or_default();
                total.allocations += now.allocations - before.allocations;
                total.bytes += now.bytes - before.bytes;
            }
        });
    }
}

/// This moment of the calling thread. `None`: it has no heap any more, or there is no room.
fn moment() -> Option<Moment> {
    let heap = tls::heap();
    if heap.state() == State::Running { ENGINE.observer.moment(heap) } else { None }
}

/// Whether Heapsight serves the program's allocations. A thread that has none yet gets its heap.
fn is_installed() -> bool {
    let _unobserved = Unobserved::begin();
    let probe = black_box(Box::new(0u64));
    entry::is_ours((&raw const *probe).cast())
}

/// Has every block recorded with its stack, those of the calling thread from the next one on.
fn track_everything() {
    if inspect::tracking() != Track::Full {
        let _alone = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
        if inspect::tracking() != Track::Full {
            start::set_tracking(Track::Full);
        }
    }
    ENGINE.follow_observer(tls::heap());
}
