//! C++ operators that Heapsight does not see.
//!
//! Its own take the place of the C++ library's, and a block is known by the one that made it. But a
//! program may bring others, and so may a shared object that calls none but its own: these call
//! `malloc` and `free`, for all that shows, and a block that goes from one of them to one of ours,
//! or back, is nobody's mistake. They may ask for more than their caller does, too. Objects are
//! looked at where there is something to report, once each: it means reading their files.

use super::finding::{Finding, Known};
use super::stacks;
use crate::base::sync::{AtomicBool, AtomicUsize, Ordering};
use crate::harden::family::Family;
use crate::os::memory::PAGE;
use crate::os::object;
use crate::runtime::inspect::{self, Unobserved};
use crate::runtime::{ENGINE, loaded};
use crate::track::SiteId;

/// The program has operators of its own: which function made a block does not show.
static ARE_PROGRAMS: AtomicBool = AtomicBool::new(false);
/// A loaded object has been found that has some.
static ARE_SOMEBODYS: AtomicBool = AtomicBool::new(false);

/// What was found out of objects: where each begins, which is a multiple of a page, and bits.
static KNOWN: [AtomicUsize; 32] = [const { AtomicUsize::new(0) }; 32];
const IS_KNOWN: usize = 1;
const IS_OWN: usize = 2;

/// The program's own C++ operators serve what ours do not see.
pub(crate) fn hide_families() {
    ARE_PROGRAMS.store(true, Ordering::Relaxed);
}

/// Code is unloaded: other objects may come to its addresses.
pub(crate) fn code_unloading() {
    KNOWN.iter().for_each(|place| place.store(0, Ordering::Relaxed));
    ARE_SOMEBODYS.store(false, Ordering::Relaxed);
}

/// Whether what looks like a mistake may be the doing of an operator that was not seen.
pub(super) fn may_explain(finding: &Finding) -> bool {
    let is_cxx = |family| matches!(family, Family::New | Family::NewArray);
    let are_others_possible = match *finding {
        Finding::Family { block, family } => is_cxx(block.family) || is_cxx(family),
        Finding::Size { family, .. } => is_cxx(family),
        _ => false,
    };
    if !are_others_possible {
        return false;
    }
    // On top of an interrupted engine nothing can be looked up.
    if ARE_PROGRAMS.load(Ordering::Relaxed) || ENGINE.is_interrupted() {
        return true;
    }
    let _unobserved = Unobserved::begin();
    let made = |site| first_of_others(&inspect::stack_of(site).0);
    match *finding {
        Finding::Family { block: Known { family: Family::C, site, .. }, .. } => made(site),
        Finding::Family { family: Family::C, .. } => first_of_others(&stacks::here(finding)),
        Finding::Size { block: Known { site: SiteId::UNKNOWN, .. }, .. } => are_somebodys(),
        Finding::Size { block: Known { site, .. }, .. } => made(site),
        _ => false,
    }
}

/// Whether the innermost frame that is not Heapsight's is in an object with operators of its own.
fn first_of_others(stack: &[u64]) -> bool {
    let ours = object::find(has_own as *const () as usize);
    // They are the addresses behind calls.
    let objects = stack.iter().map(|address| object::find((*address as usize).wrapping_sub(1)));
    let start = |object: Option<object::Object>| object.map(|object| object.start);
    let other = objects.map(start).find(|it| *it != start(ours));
    other.flatten().is_some_and(has_own)
}

/// Whether the object that begins at `start` has operators of its own.
fn has_own(start: usize) -> bool {
    let place = &KNOWN[start / PAGE % KNOWN.len()];
    let known = place.load(Ordering::Relaxed);
    if known & !IS_OWN == start | IS_KNOWN {
        return known & IS_OWN != 0;
    }
    let is_own = loaded::modules().has_own_operators(start as u64);
    place.store(start | IS_KNOWN | if is_own { IS_OWN } else { 0 }, Ordering::Relaxed);
    is_own
}

/// Whether any object has.
fn are_somebodys() -> bool {
    if ARE_SOMEBODYS.load(Ordering::Relaxed) {
        return true;
    }
    let are_somebodys = loaded::modules().have_own_operators();
    ARE_SOMEBODYS.store(are_somebodys, Ordering::Relaxed);
    are_somebodys
}
