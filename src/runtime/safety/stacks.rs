//! The stacks of a report: where the mistake was made or found, who allocated, who freed, and whose
//! the neighbours are.

use super::finding::{Fault, Finding, Known, Victim, grave_of};
use super::report::say;
use super::watch::sealed;
use crate::base::text::Text;
use crate::harden::quarantine::Grave;
use crate::heap::observe::Slot;
use crate::heap::slab::Kind;
use crate::report::StackWriter;
use crate::runtime::ENGINE;
use crate::runtime::inspect::{self, Unobserved};
use crate::runtime::loaded;
use crate::runtime::stderr::Stderr;
use crate::track::SiteId;
use crate::unwind::{self, State};
use core::fmt::Write;
use core::ptr;
use std::format;
use std::string::String;
use std::vec::Vec;

/// What the sentence says beside the numbers.
#[derive(Debug)]
pub(super) struct Names {
    /// The function that the block came from, and the one that freed it.
    pub(super) block: Option<String>,
    pub(super) freer: Option<String>,
    /// Bytes that were asked for.
    pub(super) size: Option<usize>,
}

impl Names {
    pub(super) const NONE: Self = Self { block: None, freer: None, size: None };
}

/// Prints call stacks to stderr, one by one.
pub(super) struct Printer<'a> {
    writer: StackWriter<'a>,
}

/// Whose a block is that a mistake is about.
#[derive(Debug)]
pub(super) enum Owner {
    Living(Known),
    Dead(Grave),
    Unknown,
}

pub(super) fn owner(finding: &Finding) -> Owner {
    match finding {
        Finding::Overflow { block, .. }
        | Finding::Underflow { block, .. }
        | Finding::Size { block, is_exact: true, .. }
        | Finding::Family { block, .. }
        | Finding::Copy { block, .. }
        | Finding::Fault(Fault { victim: Victim::Guard(block), .. }) => Owner::Living(*block),
        Finding::Buried { grave, .. }
        | Finding::Fault(Fault { victim: Victim::Freed(grave), .. }) => Owner::Dead(*grave),
        Finding::Bad { misuse, .. } => owner_at(misuse.address),
        Finding::Overlap { to, .. } => owner_at(ptr::without_provenance(*to)),
        Finding::FreeList { address } => {
            grave_of(ptr::without_provenance(*address)).map_or(Owner::Unknown, Owner::Dead)
        }
        Finding::Size { .. } | Finding::Fault(_) => Owner::Unknown,
    }
}

fn owner_at(address: *const u8) -> Owner {
    if let Some(grave) = grave_of(address) {
        return Owner::Dead(grave);
    }
    let slot = ENGINE.slot_of(address);
    let known = slot.and_then(|slot| Some(Known::of(slot, ENGINE.observer.record_of(slot)?)));
    known.map_or(Owner::Unknown, Owner::Living)
}

/// Runs `task` with a printer.
pub(super) fn print<R>(task: impl FnOnce(&mut Printer<'_>) -> R) -> R {
    let _unobserved = Unobserved::begin();
    let modules = loaded::modules();
    task(&mut Printer { writer: StackWriter::new(&modules, Stderr::style()) })
}

impl Printer<'_> {
    pub(super) fn names(&mut self, finding: &Finding) -> Names {
        match owner(finding) {
            Owner::Living(block) => {
                Names { block: self.site_name(block.site), freer: None, size: Some(block.size) }
            }
            Owner::Dead(grave) => Names {
                block: SiteId::from_number(grave.allocated).and_then(|site| self.site_name(site)),
                freer: self.writer.function(&stack_of(grave.freed)),
                size: Some(grave.size),
            },
            Owner::Unknown => Names::NONE,
        }
    }

    fn site_name(&mut self, site: SiteId) -> Option<String> {
        self.writer.function(&inspect::stack_of(site).0)
    }

    pub(super) fn stacks(&mut self, finding: &Finding) {
        let title = match finding {
            Finding::Overflow { .. } | Finding::Underflow { .. } | Finding::Buried { .. } => {
                "found in this call"
            }
            Finding::Fault(Fault { is_write: Some(true), .. }) => "written here",
            Finding::Fault(Fault { is_write: Some(false), .. }) => "read here",
            Finding::Fault(_) => "here",
            _ => "in this call",
        };
        self.write(title, &here(finding));
        match owner(finding) {
            Owner::Living(block) => {
                self.living("the block", block);
                self.neighbours(block);
            }
            Owner::Dead(grave) => self.dead(&grave),
            Owner::Unknown => {}
        }
    }

    fn living(&mut self, what: &str, Known { size, thread, site, .. }: Known) {
        let title = format!("{what} of {size} bytes, allocated by thread {thread}");
        self.write(&title, &inspect::stack_of(site).0);
    }

    fn dead(&mut self, grave: &Grave) {
        let Grave { size, allocator, freer, .. } = *grave;
        if let Some(site) = SiteId::from_number(grave.allocated) {
            let title = format!("the block of {size} bytes, allocated by thread {allocator}");
            self.write(&title, &inspect::stack_of(site).0);
        }
        self.write(&format!("freed by thread {freer}"), &stack_of(grave.freed));
    }

    /// Names the blocks on both sides.
    fn neighbours(&mut self, block: Known) {
        let Some(slot) = ENGINE.slot_of(ptr::without_provenance(block.start)) else { return };
        if slot.slab.kind() != Kind::Slab {
            return;
        }
        let sides = [(slot.index.checked_sub(1), "before"), (slot.index.checked_add(1), "behind")];
        for (index, side) in sides {
            let slot = index.map(|index| Slot { slab: slot.slab, index });
            let slot = slot.filter(|slot| slot.index < slot.slab.capacity());
            let near = slot.and_then(|slot| Some(Known::of(slot, sealed(slot)?)));
            if let Some(near) = near {
                let name = self.site_name(near.site).unwrap_or_else(|| "??".into());
                let (size, start) = (near.size, near.start);
                let line =
                    format!("  {side} it: a {size}-byte block at {start:#x} from `{name}`\n");
                say(line.as_bytes());
            }
        }
    }

    fn write(&mut self, title: &str, stack: &[u64]) {
        if !stack.is_empty() {
            inspect::report_failure(self.writer.write(title, stack, &mut Stderr));
        }
    }
}

/// The frames of a stack of the tree.
fn stack_of(stack: u32) -> Vec<u64> {
    inspect::frames_of(ENGINE.observer.tree().frames_from(stack)).0
}

fn state_of(finding: &Finding) -> State {
    match finding {
        Finding::Fault(fault) => fault.state,
        _ => State::here(),
    }
}

/// Where the program is.
pub(super) fn here(finding: &Finding) -> Vec<u64> {
    let mut frames = [unwind::Frame::NONE; 64];
    let walk = unwind::walk(&ENGINE.observer.rules, state_of(finding), &mut frames);
    // The writer takes addresses behind calls; what was interrupted may be a function's first
    // instruction.
    let behind = |frame: &unwind::Frame| (frame.pc() + usize::from(frame.is_exact())) as u64;
    frames.iter().take(walk.len).map(behind).collect()
}

/// The same as bare addresses, without allocating.
pub(super) fn print_addresses(finding: &Finding) {
    let mut frames = [unwind::Frame::NONE; 64];
    let walk = unwind::walk(&ENGINE.observer.rules, state_of(finding), &mut frames);
    for frame in frames.iter().take(walk.len) {
        let mut line = Text::<64>::new();
        let _cut = writeln!(line, "      {:#x}", frame.pc());
        say(line.as_bytes());
    }
}
