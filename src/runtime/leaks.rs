//! The leak check: freezes the heap, stops the world, asks [`crate::leak`], and makes a report of
//! what it says.

use super::ENGINE;
use super::inspect::{Unobserved, census, notes, stack_of, stats};
use super::park::{self, Caller};
use super::regions::REGIONS;
use crate::leak::findings::{Class, Findings, Group, Holder, Hop, Path};
use crate::leak::layout::{Extents, Layout};
use crate::leak::mark::Interior;
use crate::leak::roots::{self, Origin};
use crate::leak::scratch::{NoMemory, Vector};
use crate::leak::{self, roots::Root};
use crate::report::{
    self, LeakClass, LeakReport, Modules, RawHop, RawLeak, RawMember, RawPath, RawReport, RawRoot,
};
use crate::track::SiteId;
use std::format;
use std::string::String;
use std::vec::Vec;

/// How all blocks stand that live now and were allocated while tracked. `caller`: where the
/// program's part of this thread's stack ends.
#[inline(never)]
pub(crate) fn leak_report(caller: &Caller) -> LeakReport {
    let _unobserved = Unobserved::begin();
    // The statistics first: they are what the program did, up to this call.
    let stats = stats();
    let mut notes = notes();
    let found = find(caller).unwrap_or_else(|NoMemory| {
        notes.push("leaks could not be looked for: no memory left to do it".into());
        Found::default()
    });
    if found.findings.inherited > 0 {
        let blocks = found.findings.inherited;
        notes.push(format!("{blocks} blocks of the parent process are not counted"));
    }
    notes.extend(running(&found.running));
    let leaks = found.findings.groups.into_iter().map(raw_leak).collect();
    report::leak_report(
        RawReport { stats, leaks, notes, overhead_bytes: census().records as u64 },
        &Modules::of_this_process(),
    )
}

fn running(threads: &[u32]) -> Option<String> {
    let names: Vec<_> = threads.iter().take(8).map(|id| format!("{id}")).collect();
    let more = if threads.len() > names.len() { ", ..." } else { "" };
    (!threads.is_empty()).then(|| {
        format!(
            "{} of the threads could not be stopped ({}{more}): what their registers hold is not \
             known, and their stacks were looked at while they ran",
            threads.len(),
            names.join(", ")
        )
    })
}

/// What a check has brought.
#[derive(Default)]
struct Found {
    findings: Findings,
    /// Threads that could not be stopped.
    running: Vec<u32>,
}

fn find(caller: &Caller) -> Result<Found, NoMemory> {
    if !is_anything_tracked() {
        return Ok(Found::default());
    }
    let frozen = ENGINE.freeze();
    // From here on nothing may be allocated.
    let world = park::stop(caller).ok_or(NoMemory)?;
    let mut extents = Extents::new();
    let mut failed = None;
    frozen.for_each_extent(|start, len| {
        failed = failed.or(extents.push((start, start + len)).err());
    });
    failed.map_or(Ok(()), Err)?;
    let mut layout = Layout::take(&extents, &world.library)?;
    let mut all = Vector::<Root>::new();
    let mut failed = None;
    let mut add = |root| failed = failed.or(all.push(root).err());
    roots::visit(&world, &layout, &mut add);
    REGIONS.for_each(|start, end| roots::visit_region(&layout, (start, end), &mut add));
    failed.map_or(Ok(()), Err)?;
    // SAFETY: the roots and the layout's areas are mapped, and stay so while the world is stopped;
    // the heap is frozen.
    let checked = unsafe {
        let each = |visit: &mut dyn FnMut(Root)| all.iter().for_each(|root| visit(*root));
        leak::check(&frozen, each, &mut layout, Interior::Reaches)
    };
    let running = world.unstopped_ids()?;
    drop(world);
    drop(frozen);
    let findings = checked?.findings(|_, _| None);
    Ok(Found { findings, running: running.to_vec() })
}

/// Whether there is anything to look for.
fn is_anything_tracked() -> bool {
    let mut any = false;
    ENGINE.space.for_each_span(|span| any |= span.is_tracked());
    any
}

// --- For the report ---

fn raw_leak(group: Group) -> RawLeak {
    let (stack, truncated) = stack_of(group.site);
    let members = group.members.into_iter().map(|member| RawMember {
        stack: stack_of(member.site).0,
        blocks: member.blocks,
        bytes: member.bytes,
    });
    RawLeak {
        class: class(group.class),
        is_interior: group.is_interior,
        blocks: group.blocks,
        bytes: group.bytes,
        threads: group.threads,
        stack,
        truncated,
        held_by: group.path.and_then(raw_path),
        members: members.collect(),
    }
}

fn class(class: Class) -> LeakClass {
    match class {
        Class::Lost => LeakClass::Lost,
        Class::Indirect => LeakClass::Indirect,
        Class::Cycle => LeakClass::Cycle,
        Class::Possible => LeakClass::Possible,
        Class::Reachable => LeakClass::Reachable,
    }
}

/// `None`: nothing holds the block, or nobody knows what.
fn raw_path(path: Path) -> Option<RawPath> {
    let root = match path.root {
        Holder::Unknown => return None,
        Holder::Lost(_) if path.hops.is_empty() => return None,
        Holder::Lost(site) => RawRoot::Lost { stack: stack_of(site).0 },
        Holder::Root { origin, address, pc } => raw_root(origin, address, pc),
    };
    let omitted = path.omitted;
    Some(RawPath { root, hops: path.hops.into_iter().map(raw_hop).collect(), omitted })
}

fn raw_root(origin: Origin, address: u64, pc: Option<u64>) -> RawRoot {
    match origin {
        Origin::Global => RawRoot::Global { address },
        Origin::Stack { thread } => RawRoot::Stack { thread, address, pc },
        Origin::Registers { thread } => RawRoot::Registers { thread },
        Origin::Tls { thread } => RawRoot::Tls { thread, address },
        Origin::AlternateStack { thread } => RawRoot::AlternateStack { thread, address },
        Origin::Region => RawRoot::Region { address },
        Origin::Mapping => RawRoot::Mapping { address },
    }
}

fn raw_hop(hop: Hop) -> RawHop {
    let stack = |site: SiteId| stack_of(site).0;
    RawHop {
        address: hop.address,
        size: hop.size,
        offset: hop.offset,
        stack: hop.site.map_or_else(Vec::new, stack),
    }
}
