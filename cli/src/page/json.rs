//! The same as JSON: one object, every number in its base unit.

use heapsight::ledger::{Counters, EventKind, FrameKind, Snapshot, State};
use serde_json::{Map, Value, json};

use super::tables::mode_word;
use crate::view::sites::Row;
use crate::view::source::Ledger;
use crate::view::stacks::{Stack, ending_label};
use crate::view::verdict::notes;

/// Version of the shapes below; it changes when a field changes its meaning or goes.
pub(crate) const VERSION: u32 = 1;

/// What comes first in every report.
pub(crate) fn head(ledger: &Ledger, verdict: &str) -> Map<String, Value> {
    let Snapshot { process, tracking, totals, .. } = &ledger.snapshot;
    let (state, status) = match process.state {
        State::Running if ledger.is_alive => ("running", None),
        State::Running => ("vanished", None),
        State::Exited(status) => ("exited", Some(status)),
        State::Replaced => ("replaced", None),
        State::Killed(signal) => ("killed", Some(signal)),
    };
    let refused: Map<_, _> =
        tracking.refused.iter().map(|(name, records)| (name.clone(), json!(records))).collect();
    let head = json!({
        "version": VERSION,
        "ledger": ledger.path.to_string_lossy(),
        "verdict": verdict,
        "process": {
            "pid": process.pid,
            "forked_from": process.forked_from,
            "program": process.program,
            "command": process.command,
            "writer": process.writer,
            "started_unix_ns": process.started_unix_ns,
            "elapsed_ns": process.elapsed_ns,
            "state": state,
            "status": status,
        },
        "tracking": {
            "mode": mode_word(tracking.mode),
            "is_estimated": tracking.is_estimated,
            "unseen": tracking.unseen,
            "refused_stacks": tracking.refused_stacks,
            "before_blocks": tracking.before_blocks,
            "before_bytes": tracking.before_bytes,
            "overhead_bytes": tracking.overhead_bytes,
            "ledger_bytes": tracking.ledger_bytes,
            "refused": refused,
            "lifetime_edges_bytes": tracking.lifetime_edges_bytes,
        },
        "totals": {
            "total_allocations": totals.total_allocations,
            "total_deallocations": totals.total_deallocations,
            "current_allocations": totals.current_allocations,
            "peak_allocations": totals.peak_allocations,
            "bytes_allocated": totals.bytes_allocated,
            "bytes_deallocated": totals.bytes_deallocated,
            "current_bytes": totals.current_bytes,
            "peak_bytes": totals.peak_bytes,
            "peak_ns": totals.peak_ns,
            "temporary": totals.temporary,
            "reallocations": totals.reallocations,
        },
        "notes": notes(ledger),
    });
    match head {
        Value::Object(head) => head,
        _ => Map::new(),
    }
}

/// All that is counted of a call stack.
pub(crate) fn counters(counters: &Counters) -> Value {
    json!({
        "allocations": counters.allocations,
        "bytes": counters.bytes,
        "frees": counters.frees,
        "freed_bytes": counters.freed_bytes,
        "live": counters.live,
        "live_bytes": counters.live_bytes,
        "own_peak_bytes": counters.own_peak_bytes,
        "at_peak": counters.at_peak,
        "at_peak_bytes": counters.at_peak_bytes,
        "reallocations": counters.reallocations,
        "temporary": counters.temporary,
        "lifetimes": counters.lifetimes,
        "first_ns": counters.first_ns,
        "last_ns": counters.last_ns,
        "samples": counters.samples,
        "allocations_error": counters.allocations_error,
        "bytes_error": counters.bytes_error,
    })
}

/// A call stack with its numbers.
pub(crate) fn row(row: &Row, stack: &Stack<'_>) -> Value {
    json!({
        "site": row.site,
        "merged": row.variants,
        "counters": counters(&row.counters),
        "stack": self::stack(stack),
        "ending": stack.ending.map(ending_label),
    })
}

/// The calls, innermost first; `library` marks those on the way to the heap and to `main`.
pub(crate) fn stack(stack: &Stack<'_>) -> Value {
    let shown = stack.shown();
    let calls = stack.calls.iter().enumerate().map(|(depth, call)| {
        let frame = &call.frame;
        let kind = match call.kind {
            FrameKind::Return => "return",
            FrameKind::Exact => "exact",
            FrameKind::Heuristic => "heuristic",
            FrameKind::Ending(_) => "ending",
        };
        json!({
            "function": frame.function,
            "file": frame.file,
            "line": frame.line,
            "module": frame.module,
            "address": frame.address,
            "inlined": frame.inlined,
            "kind": kind,
            "library": !shown.contains(&depth),
        })
    });
    calls.collect()
}

/// Threads, classes, timeline and events: whole.
pub(crate) fn tables(snapshot: &Snapshot, wanted: [bool; 4]) -> Map<String, Value> {
    let mut tables = Map::new();
    let [threads, classes, timeline, events] = wanted;
    let mut add = |name: &str, is_wanted: bool, rows: &dyn Fn() -> Value| {
        if is_wanted {
            tables.insert(name.into(), rows());
        }
    };
    add("threads", threads, &|| {
        let row = |it: &heapsight::ledger::Thread| {
            json!({
                "id": it.id, "name": it.name, "started_ns": it.started_ns, "ended_ns": it.ended_ns,
                "allocations": it.allocations, "bytes": it.bytes, "frees": it.frees,
                "freed_bytes": it.freed_bytes,
            })
        };
        snapshot.threads.iter().map(row).collect()
    });
    add("classes", classes, &|| {
        let row = |it: &heapsight::ledger::Class| {
            json!({
                "block_size": it.block_size, "allocations": it.allocations, "bytes": it.bytes,
                "frees": it.frees, "freed_bytes": it.freed_bytes,
            })
        };
        snapshot.classes.iter().map(row).collect()
    });
    add("timeline", timeline, &|| {
        let row = |it: &heapsight::ledger::Point| {
            json!({
                "ns": it.ns, "bytes": it.bytes, "blocks": it.blocks, "resident": it.resident,
                "allocations": it.allocations, "high_bytes": it.high_bytes,
            })
        };
        snapshot.timeline.iter().map(row).collect()
    });
    add("events", events, &|| {
        let row = |it: &heapsight::ledger::Event| {
            let (kind, detail) = match &it.kind {
                EventKind::Mode(mode) => ("mode", json!(mode_word(*mode))),
                EventKind::Mark(name) => ("mark", json!(name)),
                EventKind::Misuse(what) => ("misuse", json!(what)),
            };
            json!({ "ns": it.ns, "thread": it.thread, "kind": kind, "detail": detail })
        };
        snapshot.events.iter().map(row).collect()
    });
    tables
}
