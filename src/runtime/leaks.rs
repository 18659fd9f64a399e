//! Leak reports: what a search has found, less what is known and suppressed.

use super::inspect::{Unobserved, census, notes, stack_of, stats};
use super::loaded;
use super::lsan::Settings;
use super::park::Caller;
use super::raw;
use super::rules::Rules;
use super::search::{Found, Held, How, find, is_anything_tracked, look_on};
use super::start;
use crate::leak::births::Births;
use crate::leak::findings::{Class, Findings, Group};
use crate::leak::scratch::NoMemory;
use crate::leak::terms::Terms;
use crate::os::process;
use crate::report::suppress::{Date, Tally};
use crate::report::{self, Leak, LeakReport, MemoryStats, Modules, RawReport, Suppression};
use crate::track::SiteId;
use std::format;
use std::string::String;
use std::vec::Vec;

/// How all blocks stand that live now and were allocated while tracked. `caller`: where the
/// program's part of this thread's stack ends.
#[inline(never)]
pub(super) fn leak_report(caller: &Caller, how: How, rules: &Rules) -> LeakReport {
    let _unobserved = Unobserved::begin();
    // The statistics first: they are what the program did, up to this call.
    let stats = stats();
    let mut tally = rules.suppressions.tally(Date::today());
    let found = if is_anything_tracked() {
        find_unsuppressed(caller, how, rules, &mut tally)
    } else {
        Ok(Found::default())
    };
    let (modules, suppressions) = (loaded::modules(), tally.into_uses());
    let subject = Subject { stats, suppressions, pid: process::id(), modules, address: 0 };
    report(found, subject)
}

/// The same in a copy of the process, which goes on by itself. `address`: what is asked about
/// besides; zero: nothing.
pub(super) fn report_in_copy(held: Held, address: u64) -> Result<LeakReport, NoMemory> {
    let pid = held.world.process;
    let terms = Terms { asked: (address != 0).then_some(address as usize), ..Terms::USUAL };
    let (mut found, world) = look_on(held, &terms)?;
    // Not before: what follows allocates.
    let modules = Modules::of_this_copy();
    let rules = Rules::of(&start::config(), &Settings::now(&modules), &modules);
    let mut tally = rules.suppressions.tally(Date::today());
    let suppressed = suppressed_sites(&found.findings, &mut tally, &modules);
    if !suppressed.is_empty() {
        let terms = Terms { suppressed: &suppressed, ..terms };
        (found, _) = look_on(Held::again(world), &terms)?;
    }
    let suppressions = tally.into_uses();
    Ok(report(Ok(found), Subject { stats: stats(), suppressions, pid, modules, address }))
}

/// What a report is about.
#[derive(Debug)]
struct Subject {
    stats: MemoryStats,
    suppressions: Vec<Suppression>,
    pid: u32,
    modules: Modules,
    address: u64,
}

fn report(found: Result<Found, NoMemory>, subject: Subject) -> LeakReport {
    let mut notes = notes();
    let found = found.unwrap_or_else(|NoMemory| {
        notes.push("leaks could not be looked for: no memory left to do it".into());
        Found::default()
    });
    if found.findings.inherited > 0 {
        let blocks = found.findings.inherited;
        notes.push(format!("{blocks} blocks of the parent process are not counted"));
    }
    notes.extend(running(&found.running));
    let Subject { stats, suppressions, pid, modules, address } = subject;
    let asked = (address != 0).then(|| raw::asked(address, found.findings.asked));
    let leaks = found.findings.groups.into_iter().map(raw::leak).collect();
    let overhead_bytes = census().records as u64;
    let raw = RawReport { stats, leaks, suppressions, notes, overhead_bytes, pid, asked };
    LeakReport { pause_ns: found.pause_ns, ..report::leak_report(raw, &modules) }
}

/// What of some blocks has leaked, by call stack. `None`: it could not be found out.
#[inline(never)]
pub(crate) fn leaks_of(births: &Births, caller: &Caller) -> Option<Vec<Leak>> {
    let _unobserved = Unobserved::begin();
    let terms = Terms { births: Some(births), ..Terms::USUAL };
    let found = find(caller, How::Here, &terms).ok()?;
    let is_leaked = |group: &Group| group.class != Class::Reachable;
    let leaks: Vec<_> =
        found.findings.groups.into_iter().filter(is_leaked).map(raw::leak).collect();
    if leaks.is_empty() {
        return Some(Vec::new());
    }
    let raw = RawReport {
        stats: stats(),
        leaks,
        suppressions: Vec::new(),
        notes: Vec::new(),
        overhead_bytes: 0,
        pid: process::id(),
        asked: None,
    };
    let report = report::leak_report(raw, &loaded::modules());
    Some(report.leaks)
}

/// Looks once, and where some of what leaked is suppressed, again: then these blocks hold what they
/// lead to.
fn find_unsuppressed(
    caller: &Caller,
    how: How,
    rules: &Rules,
    tally: &mut Tally<'_>,
) -> Result<Found, NoMemory> {
    let found = find(caller, how, &rules.terms)?;
    if rules.suppressions.is_empty() {
        return Ok(found);
    }
    let suppressed = suppressed_sites(&found.findings, tally, &loaded::modules());
    if suppressed.is_empty() {
        return Ok(found);
    }
    find(caller, how, &Terms { suppressed: &suppressed, ..rules.terms })
}

/// The call sites whose leaks are suppressed, ascending.
fn suppressed_sites(findings: &Findings, tally: &mut Tally<'_>, modules: &Modules) -> Vec<SiteId> {
    let is_leaked = |group: &&Group| group.class != Class::Reachable;
    let leaked: Vec<_> = findings.groups.iter().filter(is_leaked).collect();
    let stacks: Vec<_> = leaked.iter().map(|group| stack_of(group.site).0).collect();
    let leaks = leaked.iter().zip(&stacks);
    let leaks = leaks.map(|(group, stack)| (stack.as_slice(), group.blocks, group.bytes));
    let are_suppressed = tally.take_all(leaks, modules);
    let mut sites: Vec<_> = leaked
        .iter()
        .zip(are_suppressed)
        .filter(|(_, is_suppressed)| *is_suppressed)
        .map(|(group, _)| group.site)
        .collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

fn running(threads: &[u32]) -> Option<String> {
    let names: Vec<_> = threads.iter().take(8).map(|id| format!("{id}")).collect();
    let more = if threads.len() > names.len() { ", ..." } else { "" };
    (!threads.is_empty()).then(|| {
        format!(
            "{} of the threads could not be stopped ({}{more}): what their registers hold is not \
             known, and where their stacks began is a guess",
            threads.len(),
            names.join(", ")
        )
    })
}
