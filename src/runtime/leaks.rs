//! The leak check: freezes the heap, stops the world, asks [`crate::leak`], and makes a report of
//! what it says.

use super::inspect::{Unobserved, census, notes, stack_of, stats};
use super::{ENGINE, roots};
use crate::leak::findings::{Class, Findings, Group};
use crate::leak::mark::Interior;
use crate::leak::scratch::NoMemory;
use crate::leak;
use crate::report::{self, LeakReport, Modules, RawLeak, RawReport};
use std::format;
use std::vec::Vec;

/// How all blocks stand that live now and were allocated while tracked.
#[inline(never)]
pub(crate) fn leak_report() -> LeakReport {
    let _unobserved = Unobserved::begin();
    // The statistics first: they are what the program did, up to this call.
    let stats = stats();
    let mut notes = notes();
    let found = find().unwrap_or_else(|NoMemory| {
        notes.push("leaks could not be looked for: no memory left to do it".into());
        Findings::default()
    });
    if found.inherited > 0 {
        notes.push(format!("{} blocks of the parent process are not counted", found.inherited));
    }
    let leaked = |group: &Group| group.class != Class::Reachable;
    let leaks: Vec<_> = found.groups.into_iter().filter(leaked).map(raw_leak).collect();
    report::leak_report(
        RawReport { stats, leaks, notes, overhead_bytes: census().records as u64 },
        &Modules::of_this_process(),
    )
}

/// Nothing that was tracked lives: there is nothing to look for.
fn is_nothing_tracked() -> bool {
    let mut any = false;
    ENGINE.space.for_each_span(|span| any |= span.is_tracked());
    !any
}

fn find() -> Result<Findings, NoMemory> {
    if is_nothing_tracked() {
        return Ok(Findings::default());
    }
    roots::with_registers(|registers| {
        let roots = roots::Roots::of_this_thread(registers);
        let frozen = ENGINE.freeze();
        // SAFETY: the roots are memory of this process that stays mapped; this thread is alone.
        let checked = unsafe {
            leak::check(&frozen, |visit| roots.visit(visit), &mut (), Interior::Reaches)
        };
        drop(frozen);
        Ok(checked?.findings(|_, _| None))
    })
}

fn raw_leak(group: Group) -> RawLeak {
    let (stack, truncated) = stack_of(group.site);
    RawLeak { blocks: group.blocks, bytes: group.bytes, threads: group.threads, stack, truncated }
}
