//! What a check has found, in the form that reports are made of: numbers of call sites become call
//! stacks.

use super::ENGINE;
use super::inspect::stack_of;
use crate::heap::slab::Kind;
use crate::leak::findings::{Asked, Class, Group, Holder, Hop, Path};
use crate::leak::roots::Origin;
use crate::os::maps;
use crate::report::{LeakClass, RawAsked, RawHop, RawLeak, RawMember, RawPath, RawRoot};
use crate::track::SiteId;
use core::ptr;
use std::format;
use std::string::String;
use std::vec::Vec;

pub(super) fn leak(group: Group) -> RawLeak {
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
        held_by: group.path.and_then(path_of),
        members: members.collect(),
        listed: group.listed,
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
fn path_of(path: Path) -> Option<RawPath> {
    let root = match path.root {
        Holder::Unknown => return None,
        Holder::Lost(_) if path.hops.is_empty() => return None,
        Holder::Lost(site) => RawRoot::Lost { stack: stack_of(site).0 },
        Holder::Root { origin, address, pc } => root_of(origin, address, pc),
    };
    let omitted = path.omitted;
    Some(RawPath { root, hops: path.hops.into_iter().map(hop_of).collect(), omitted })
}

fn root_of(origin: Origin, address: u64, pc: Option<u64>) -> RawRoot {
    match origin {
        Origin::Global => RawRoot::Global { address },
        Origin::Stack { thread } => RawRoot::Stack { thread, address, pc },
        Origin::Registers { thread } => RawRoot::Registers { thread },
        Origin::Tls { thread } | Origin::Control { thread } => RawRoot::Tls { thread, address },
        Origin::AlternateStack { thread } => RawRoot::AlternateStack { thread, address },
        Origin::Region => RawRoot::Region { address },
        Origin::Mapping => RawRoot::Mapping { address },
        Origin::Ignored => RawRoot::Ignored,
        Origin::Suppressed => RawRoot::Suppressed,
    }
}

fn hop_of(hop: Hop) -> RawHop {
    let stack = |site: SiteId| stack_of(site).0;
    RawHop {
        address: hop.address,
        size: hop.size,
        offset: hop.offset,
        stack: hop.site.map_or_else(Vec::new, stack),
    }
}

/// What is at an address that somebody asks about.
pub(super) fn asked(address: u64, asked: Option<Asked>) -> RawAsked {
    match asked {
        Some(Asked { start, usable, block: Some(group) }) => {
            let (block, place) = (Some(leak(group)), String::new());
            RawAsked { address, start, usable, block, place }
        }
        Some(Asked { start, usable, block: None }) => {
            let place = format!("a free block of {usable} bytes");
            RawAsked { address, start, usable, block: None, place }
        }
        None => RawAsked {
            address,
            start: 0,
            usable: 0,
            block: None,
            place: place_of(address as usize),
        },
    }
}

/// Where an address lies that belongs to no block.
fn place_of(address: usize) -> String {
    if let Some(span) = ENGINE.space.span_of(ptr::without_provenance(address)) {
        return match span.kind() {
            Kind::Free => "memory of the heap that is in no use",
            Kind::Records => "records of Heapsight's own",
            Kind::Slab | Kind::Large => "memory of the heap between blocks, or Heapsight's own",
        }
        .into();
    }
    let mut place = String::from("memory that is not mapped");
    maps::for_each(|mapping| {
        if (mapping.start..mapping.end).contains(&address) {
            place = match mapping.name {
                b"" => String::from("memory outside of the heap"),
                name => format!("memory outside of the heap: {}", String::from_utf8_lossy(name)),
            };
        }
    });
    place
}
