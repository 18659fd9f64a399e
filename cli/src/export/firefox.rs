//! The Firefox Profiler's processed profile, as JSON.
//!
//! Of each call stack two blocks are told: one of all the bytes that were freed, which comes and
//! goes, and one of all that live. So its views of native allocations have the true sums of what
//! was allocated and of what is retained. The timeline is a memory counter. The crate that writes
//! the format, by its authors, has no source lines for frames without addresses: they are put in
//! behind it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use fxprof_processed_profile::{
    CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, ReferenceTimestamp, SamplingInterval,
    StackHandle, ThreadHandle, Timestamp,
};
use heapsight::ledger::Snapshot;
use serde_json::Value;

use super::{Entry, Profile};
use crate::view::stacks::{file_name, label};

/// Sets function, file and line apart in the names of labels, until lines are put in.
const SEPARATOR: char = '\u{1}';

/// Writes the profile.
pub(crate) fn write(profile: &Profile<'_>, sink: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, &document(profile)?)?;
    writeln!(sink)
}

fn document(profile: &Profile<'_>) -> io::Result<Value> {
    let snapshot = profile.snapshot;
    let process = &snapshot.process;
    let start = SystemTime::UNIX_EPOCH + Duration::from_nanos(process.started_unix_ns);
    let name = file_name(&process.program);
    let mut output = fxprof_processed_profile::Profile::new(
        name,
        ReferenceTimestamp::from(start),
        SamplingInterval::from_millis(1),
    );
    output.set_os_name("Linux");
    let zero = Timestamp::from_nanos_since_reference(0);
    let owner = output.add_process(name, process.pid, zero);
    let end = Timestamp::from_nanos_since_reference(process.elapsed_ns);
    output.set_process_end_time(owner, end);
    let thread = output.add_thread(owner, process.pid, zero, true);
    output.set_thread_end_time(thread, end);
    for (number, entry) in profile.entries.iter().enumerate() {
        add(&mut output, thread, number as u64, entry);
    }
    // Samples of time say how much of it there is to see.
    for time in [zero, end] {
        output.add_sample(thread, time, None, CpuDelta::ZERO, 1);
    }
    add_timeline(&mut output, owner, snapshot);
    output.set_symbolicated(true);
    let mut document = serde_json::to_value(&output)?;
    put_lines_in(&mut document);
    Ok(document)
}

/// The blocks of one call stack, as two.
fn add(
    output: &mut fxprof_processed_profile::Profile,
    thread: ThreadHandle,
    number: u64,
    entry: &Entry<'_>,
) {
    let stack = stack(output, thread, entry);
    let counters = &entry.counters;
    let [first, last] =
        [counters.first_ns, counters.last_ns].map(Timestamp::from_nanos_since_reference);
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    // Addresses tell blocks apart, and no more.
    let (gone, living) = (number * 32 + 16, number * 32 + 32);
    if counters.freed_bytes > 0 {
        output.add_allocation_sample(thread, first, stack, gone, size(counters.freed_bytes));
        output.add_allocation_sample(thread, last, stack, gone, -size(counters.freed_bytes));
    }
    if counters.live_bytes > 0 {
        output.add_allocation_sample(thread, last, stack, living, size(counters.live_bytes));
    }
}

fn stack(
    output: &mut fxprof_processed_profile::Profile,
    thread: ThreadHandle,
    entry: &Entry<'_>,
) -> Option<StackHandle> {
    let ending = entry.ending().map(|name| format!("{name}{SEPARATOR}{SEPARATOR}"));
    let calls = entry.stack.calls.iter().rev().map(|call| {
        let file = call.frame.file.as_deref().or(call.frame.module.as_deref()).unwrap_or_default();
        let line = call.frame.line.map(|line| line.to_string()).unwrap_or_default();
        format!("{}{SEPARATOR}{file}{SEPARATOR}{line}", label(&call.frame))
    });
    let frames: Vec<_> = ending
        .into_iter()
        .chain(calls)
        .map(|name| FrameInfo {
            frame: Frame::Label(output.intern_string(&name)),
            category_pair: CategoryHandle::OTHER.into(),
            flags: FrameFlags::empty(),
        })
        .collect();
    output.intern_stack_frames(thread, frames.into_iter())
}

fn add_timeline(
    output: &mut fxprof_processed_profile::Profile,
    owner: fxprof_processed_profile::ProcessHandle,
    snapshot: &Snapshot,
) {
    let what = "Bytes in use";
    let counter = output.add_counter(owner, "malloc", "Memory", what);
    let (mut bytes, mut operations) = (0, 0);
    for point in &snapshot.timeline {
        let delta = point.bytes as f64 - bytes as f64;
        let new = u32::try_from(point.allocations.saturating_sub(operations)).unwrap_or(u32::MAX);
        let time = Timestamp::from_nanos_since_reference(point.ns);
        output.add_counter_sample(counter, time, delta, new);
        (bytes, operations) = (point.bytes, point.allocations);
    }
}

/// Makes functions with files and lines of labels.
fn put_lines_in(document: &mut Value) {
    for thread in document["threads"].as_array_mut().into_iter().flatten() {
        let column = |table: &str, name: &str| -> Vec<usize> {
            serde_json::from_value(thread[table][name].clone()).unwrap_or_default()
        };
        let (names, functions) = (column("funcTable", "name"), column("frameTable", "func"));
        let strings = serde_json::from_value(thread["stringArray"].take()).unwrap_or_default();
        let mut lines = Lines { strings, ..Lines::default() };
        let rows: Vec<_> = names.iter().map(|name| lines.function(*name)).collect();
        let file_names = rows.iter().map(|(_, file, _)| Value::from(*file));
        thread["funcTable"]["fileName"] = file_names.collect();
        // Frames of one function, whatever their lines, belong to its first row. The others stay
        // without frames, as the format allows.
        let mut first = HashMap::new();
        let mut row = |row: usize| *first.entry((rows[row].0.clone(), rows[row].1)).or_insert(row);
        thread["frameTable"]["func"] = functions.iter().map(|it| row(*it)).collect();
        thread["frameTable"]["line"] =
            functions.iter().map(|it| Value::from(rows[*it].2)).collect();
        thread["stringArray"] = lines.strings.into();
    }
}

/// The strings of a thread, while the names of labels are taken apart.
#[derive(Default)]
struct Lines {
    strings: Vec<String>,
    files: HashMap<String, usize>,
}

impl Lines {
    /// Function, file and line of the label that is string number `name`, which becomes that of the
    /// function alone.
    fn function(&mut self, name: usize) -> (String, Option<usize>, Option<u32>) {
        let mut parts = self.strings[name].split(SEPARATOR).map(String::from);
        let function = parts.next().unwrap_or_default();
        let file = parts.next().filter(|file| !file.is_empty());
        let line = parts.next().and_then(|line| line.parse().ok());
        let file = file.map(|file| {
            *self.files.entry(file).or_insert_with_key(|file| {
                self.strings.push(file.clone());
                self.strings.len() - 1
            })
        });
        self.strings[name].clone_from(&function);
        (function, file, line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    /// A table of the format: columns of its length, but for those that are left out.
    fn check_columns(table: &Value, columns: &[&str]) -> usize {
        let length = table["length"].as_u64().expect("a length") as usize;
        for column in columns {
            let rows = table[*column].as_array().unwrap_or_else(|| panic!("{column} in {table}"));
            assert_eq!(rows.len(), length, "{column}");
        }
        length
    }

    fn check_references(table: &Value, column: &str, rows: usize) {
        for reference in table[column].as_array().expect("a column") {
            let is_valid = reference.as_u64().is_some_and(|row| (row as usize) < rows);
            assert!(reference.is_null() || is_valid, "{column}: {reference}");
        }
    }

    #[test]
    fn the_profile_keeps_the_rules_of_its_types() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let document = document(&Profile::of(&snapshot, &names)).expect("a profile");
        let meta = &document["meta"];
        assert!(meta["version"].is_u64() && meta["preprocessedProfileVersion"].is_u64());
        assert_eq!(meta["symbolicated"], true);
        let thread = &document["threads"][0];
        let strings = thread["stringArray"].as_array().expect("strings").len();
        let functions = check_columns(&thread["funcTable"], &["name", "fileName", "resource"]);
        let frames = check_columns(&thread["frameTable"], &["func", "line", "address"]);
        let stacks = check_columns(&thread["stackTable"], &["frame", "prefix"]);
        let blocks = &thread["nativeAllocations"];
        let columns = ["time", "stack", "weight", "memoryAddress"];
        check_columns(blocks, &columns);
        check_references(&thread["funcTable"], "name", strings);
        check_references(&thread["funcTable"], "fileName", strings);
        check_references(&thread["frameTable"], "func", functions);
        check_references(&thread["stackTable"], "frame", frames);
        check_references(blocks, "stack", stacks);
        for (row, prefix) in
            thread["stackTable"]["prefix"].as_array().expect("rows").iter().enumerate()
        {
            assert!(prefix.is_null() || prefix.as_u64().is_some_and(|it| (it as usize) < row));
        }
        let weights = blocks["weight"].as_array().expect("weights").iter();
        let weights: Vec<i64> = weights.map(|it| it.as_i64().expect("bytes")).collect();
        assert_eq!(weights.iter().sum::<i64>(), snapshot.totals.current_bytes as i64);
        let allocated: i64 = weights.iter().filter(|weight| **weight > 0).sum();
        assert_eq!(allocated, snapshot.totals.bytes_allocated as i64);
        assert!(document["counters"][0]["name"] == "malloc");
    }

    #[test]
    fn functions_have_their_files_and_lines() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let document = document(&Profile::of(&snapshot, &names)).expect("a profile");
        let thread = &document["threads"][0];
        let strings = thread["stringArray"].as_array().expect("strings");
        assert!(strings.iter().all(|text| !text.as_str().expect("text").contains(SEPARATOR)));
        let name = strings.iter().position(|text| text == "add_item").expect("a name");
        let table = &thread["funcTable"];
        let row = table["name"].as_array().expect("names").iter().position(|it| *it == name);
        let row = row.expect("a function");
        let file = table["fileName"][row].as_u64().expect("a file") as usize;
        assert_eq!(strings[file], "src/shop.c");
        let frames = thread["frameTable"]["func"].as_array().expect("frames");
        let frame = frames.iter().position(|it| *it == row).expect("a frame");
        assert_eq!(thread["frameTable"]["line"][frame], 14);
    }
}
