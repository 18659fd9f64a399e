//! Records that say what is what, with their references checked: one that leads nowhere becomes
//! "none", so that damage costs what it hit and nothing else.

use super::ReadError;
use super::counters::{Shards, clamped};
use super::outline::{Outline, RESERVED_SITES};
use super::record::{Flow, Record, TextPlace, clock_of, field};
use super::source::{Source, all};
use super::time::Ticks;
use crate::format::layout::{self, SectionId, ending, event, mode};
use crate::format::snapshot::{
    Counters, Ending, Event, EventKind, Frame, FrameKind, Mode, Module, Node, Point, Site, Thread,
};
use core::cell::Cell;
use std::borrow::ToOwned;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// The strings section.
#[derive(Debug)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Bytes that may still be copied out.
    left: Cell<usize>,
}

/// How often each byte is copied out, on average. A writer refers to each once or a few times; a
/// file made to exhaust memory would do so without end.
const COPIES: usize = 16;

impl Texts {
    pub(super) fn read(
        source: &(impl Source + ?Sized),
        outline: &Outline,
    ) -> Result<Self, ReadError> {
        let bytes = all(source, &outline.of(SectionId::Strings))?;
        let left = Cell::new(bytes.len().saturating_mul(COPIES));
        Ok(Self { bytes, left })
    }

    /// A text's bytes; none if it lies elsewhere.
    pub(super) fn bytes(&self, place: TextPlace) -> &[u8] {
        let start = place.offset as usize;
        let text = start.checked_add(place.len as usize).and_then(|end| self.bytes.get(start..end));
        let text = text.unwrap_or_default();
        let Some(left) = self.left.get().checked_sub(text.len()) else { return &[] };
        self.left.set(left);
        text
    }

    /// A text; what is no UTF-8 in it is replaced.
    pub(super) fn text(&self, place: TextPlace) -> String {
        lossy(self.bytes(place))
    }
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What all tables are read from.
#[derive(Debug)]
pub(super) struct Tables<'a, S: ?Sized> {
    pub(super) source: &'a S,
    pub(super) outline: &'a Outline,
    pub(super) texts: &'a Texts,
    pub(super) ticks: Ticks,
}

impl<S: Source + ?Sized> Tables<'_, S> {
    fn collect<T>(
        &self,
        id: SectionId,
        wanted: usize,
        mut make: impl FnMut(usize, Record<'_>) -> T,
    ) -> Result<Vec<T>, ReadError> {
        let records = self.outline.of(id);
        let mut made = Vec::with_capacity(records.count);
        self.source.each(&records, wanted, &mut |index, bytes| {
            made.push(make(index, Record(bytes)));
        })?;
        Ok(made)
    }

    pub(super) fn modules(&self) -> Result<Vec<Module>, ReadError> {
        use layout::Module as Layout;
        self.collect(SectionId::Modules, size_of::<Layout>(), |_, module| {
            let build_id = field!(module, Layout, build_id).map(u32::to_le_bytes);
            let build_id = build_id.as_flattened();
            let build_id_len = field!(module, Layout, build_id_len) as usize;
            let unloaded = field!(module, Layout, unloaded_tick);
            Module {
                start: field!(module, Layout, start),
                end: field!(module, Layout, end),
                bias: field!(module, Layout, bias),
                path: self.texts.text(field!(module, Layout, path)),
                build_id: build_id.get(..build_id_len).unwrap_or_default().to_owned(),
                unloaded_ns: (unloaded != 0).then(|| self.ticks.ns(unloaded)),
            }
        })
    }

    pub(super) fn frames(&self) -> Result<Vec<Frame>, ReadError> {
        use layout::Frame as Layout;
        let modules = self.outline.of(SectionId::Modules).count;
        let frames = self.collect(SectionId::Frames, size_of::<Layout>(), |_, frame| {
            let (address, flags) = (field!(frame, Layout, address), field!(frame, Layout, flags));
            let module = (field!(frame, Layout, module) as usize).checked_sub(1);
            let kind = match flags {
                _ if flags & Layout::ENDING != 0 => FrameKind::Ending(match address {
                    ending::TRUNCATED => Ending::Truncated,
                    ending::DAMAGED => Ending::Damaged,
                    ending::UNSUPPORTED => Ending::Unsupported,
                    _ => Ending::NoInfo,
                }),
                _ if flags & Layout::EXACT != 0 => FrameKind::Exact,
                _ if flags & Layout::HEURISTIC != 0 => FrameKind::Heuristic,
                _ => FrameKind::Return,
            };
            Frame { address, module: module.filter(|module| *module < modules), kind }
        })?;
        Ok(with_reserved(frames, 1))
    }

    pub(super) fn nodes(&self) -> Result<Vec<Node>, ReadError> {
        use layout::Node as Layout;
        let frames = self.outline.of(SectionId::Frames).count;
        let nodes = self.collect(SectionId::Nodes, size_of::<Layout>(), |index, node| {
            let (parent, frame) = (field!(node, Layout, parent), field!(node, Layout, frame));
            Node {
                parent: if (parent as usize) < index { parent } else { 0 },
                frame: if (frame as usize) < frames { frame } else { 0 },
            }
        })?;
        Ok(with_reserved(nodes, 1))
    }

    /// Sites, without their counters but for the first time.
    pub(super) fn sites(&self) -> Result<Vec<Site>, ReadError> {
        let nodes = self.outline.of(SectionId::Nodes).count;
        let mut sites =
            self.collect(SectionId::Sites, size_of::<layout::Site>(), |index, site| {
                let node = field!(site, layout::Site, node);
                let is_known = (node as usize) < nodes && index >= RESERVED_SITES;
                let first = clock_of(field!(site, layout::Site, first_clock));
                // A time of the allocation clock, until counters are finished.
                let counters = Counters { first_ns: first, ..Counters::default() };
                Site { node: if is_known { node } else { 0 }, counters }
            })?;
        sites.resize(sites.len().max(RESERVED_SITES), Site::default());
        Ok(sites)
    }

    /// Threads by number, with thread 0.
    pub(super) fn threads(&self, shards: &Shards) -> Result<Vec<Thread>, ReadError> {
        use layout::Thread as Layout;
        let mut ends = Vec::new();
        let mut threads = self.collect(SectionId::Threads, size_of::<Layout>(), |_, thread| {
            let ended = field!(thread, Layout, ended_tick);
            let last = (ended != 0).then(|| field!(thread, Layout, last));
            ends.push((field!(thread, Layout, shard), field!(thread, Layout, first), last));
            let name = field!(thread, Layout, name).map(u32::to_le_bytes);
            let name = name.as_flattened().split(|byte| *byte == 0).next();
            Thread {
                id: field!(thread, Layout, id),
                name: lossy(name.unwrap_or_default()),
                started_ns: self.ticks.ns(field!(thread, Layout, started_tick)),
                ended_ns: (ended != 0).then(|| self.ticks.ns(ended)),
                ..Thread::default()
            }
        })?;
        // What a shard counts is its thread's until it ends or the next one takes the shard.
        let mut until: Vec<Flow> = shards.each.iter().map(|(sums, _)| *sums).collect();
        for (thread, (shard, first, last)) in threads.iter_mut().zip(ends).rev() {
            let Some(until) = until.get_mut(shard as usize) else { continue };
            let own = last.unwrap_or(*until).since(first);
            *until = first;
            thread.allocations = own.allocations;
            thread.bytes = own.bytes;
            thread.frees = own.frees;
            thread.freed_bytes = own.freed_bytes;
        }
        Ok(threads)
    }

    /// The timeline, and the allocation clock at each of its points. Points that are not later than
    /// the ones before are left out: the section is being thinned.
    pub(super) fn timeline(&self) -> Result<(Vec<Point>, Vec<u64>), ReadError> {
        use layout::Point as Layout;
        let mut last = None;
        let points = self.collect(SectionId::Timeline, size_of::<Layout>(), |_, point| {
            let tick = field!(point, Layout, tick);
            if last.is_some_and(|last| tick <= last) {
                return None;
            }
            last = Some(tick);
            let point_read = Point {
                ns: self.ticks.ns(tick),
                bytes: clamped(field!(point, Layout, bytes)),
                blocks: clamped(field!(point, Layout, blocks)),
                resident: field!(point, Layout, resident),
                allocations: field!(point, Layout, allocations),
                high_bytes: clamped(field!(point, Layout, high_bytes)),
            };
            Some((point_read, field!(point, Layout, clock)))
        })?;
        Ok(points.into_iter().flatten().unzip())
    }

    /// Events of the kinds that are known. The mode's sample distance is the one now in force.
    pub(super) fn events(&self, threads: &[Thread]) -> Result<Vec<Event>, ReadError> {
        use layout::Event as Layout;
        let events = self.collect(SectionId::Events, size_of::<Layout>(), |_, event| {
            let value = field!(event, Layout, value);
            let text = || self.texts.text(field!(event, Layout, text));
            let kind = match field!(event, Layout, kind) {
                event::MODE => EventKind::Mode(mode_of(value & 0xff, value >> 8)),
                event::MARK => EventKind::Mark(text()),
                event::MISUSE => EventKind::Misuse(text()),
                _ => return None,
            };
            let thread = threads.get(field!(event, Layout, thread) as usize);
            Some(Event {
                ns: self.ticks.ns(field!(event, Layout, tick)),
                thread: thread.map_or(0, |thread| thread.id),
                kind,
            })
        })?;
        let mut events: Vec<_> = events.into_iter().flatten().collect();
        events.sort_by_key(|event| event.ns);
        Ok(events)
    }
}

/// Records of which the first `reserved` stand for none or for unknown, whatever a ledger says.
fn with_reserved<T: Clone + Default>(mut records: Vec<T>, reserved: usize) -> Vec<T> {
    records.resize(records.len().max(reserved), T::default());
    records[..reserved].fill(T::default());
    records
}

/// The mode of a number.
pub(super) fn mode_of(number: u64, sample_bytes: u64) -> Mode {
    match u32::try_from(number) {
        Ok(mode::STATS) => Mode::Stats,
        Ok(mode::SAMPLE) => Mode::Sample { bytes: sample_bytes },
        Ok(mode::FULL) => Mode::Full,
        _ => Mode::Off,
    }
}

/// A command line: arguments, separated or ended by zero bytes.
pub(super) fn arguments(bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return vec![];
    }
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(lossy).collect()
}
