//! pprof's profile: gzipped protocol buffers, with the four sample types of Go's heap profile.
//!
//! The messages are those of pprof's `profile.proto`, with the fields that are written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use heapsight::ledger::{FrameKind, Mode};
use prost::Message;

use super::{Entry, Profile};
use crate::view::stacks::{Call, label};

#[derive(Clone, PartialEq, Message)]
struct Document {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(int64, tag = "10")]
    duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    period: i64,
    #[prost(int64, repeated, tag = "13")]
    comment: Vec<i64>,
    #[prost(int64, tag = "14")]
    default_sample_type: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    /// Innermost first.
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "3")]
    num: i64,
    #[prost(int64, tag = "4")]
    num_unit: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Mapping {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    memory_start: u64,
    #[prost(uint64, tag = "3")]
    memory_limit: u64,
    #[prost(int64, tag = "5")]
    filename: i64,
    #[prost(int64, tag = "6")]
    build_id: i64,
    #[prost(bool, tag = "7")]
    has_functions: bool,
    #[prost(bool, tag = "8")]
    has_filenames: bool,
    #[prost(bool, tag = "9")]
    has_line_numbers: bool,
    #[prost(bool, tag = "10")]
    has_inline_frames: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    mapping_id: u64,
    #[prost(uint64, tag = "3")]
    address: u64,
    /// The innermost inlined function first.
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

/// Writes the profile.
pub(crate) fn write(profile: &Profile<'_>, sink: &mut dyn Write) -> io::Result<()> {
    let mut sink = GzEncoder::new(sink, Compression::default());
    sink.write_all(&document(profile).encode_to_vec())?;
    sink.finish()?.flush()
}

/// The document in the making, and what it has already.
#[derive(Default)]
struct Tables {
    document: Document,
    strings: HashMap<String, i64>,
    functions: HashMap<(i64, i64), u64>,
    locations: HashMap<(u32, Vec<Line>), u64>,
    /// Of frames as they are in the ledger, by their index and how many calls are shown.
    frames: HashMap<(u32, usize), u64>,
}

fn document(profile: &Profile<'_>) -> Document {
    let mut tables = Tables::default();
    // The first string has to be empty.
    tables.string("");
    let types = [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ];
    for (kind, unit) in types {
        let sample_type = ValueType { kind: tables.string(kind), unit: tables.string(unit) };
        tables.document.sample_type.push(sample_type);
    }
    tables.mappings(profile);
    for entry in &profile.entries {
        tables.sample(profile, entry);
    }
    let snapshot = profile.snapshot;
    let comment = format!("Heapsight {}: {}", snapshot.process.writer, profile.title());
    let comment = tables.string(&comment);
    let period = match snapshot.tracking.mode {
        Mode::Sample { bytes } => bytes,
        _ => 1,
    };
    let period_type = ValueType { kind: tables.string("space"), unit: tables.string("bytes") };
    Document {
        time_nanos: number(snapshot.process.started_unix_ns),
        duration_nanos: number(snapshot.process.elapsed_ns),
        period_type: Some(period_type),
        period: number(period),
        comment: vec![comment],
        default_sample_type: tables.string("inuse_space"),
        ..tables.document
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Tables {
    fn string(&mut self, text: &str) -> i64 {
        if let Some(number) = self.strings.get(text) {
            return *number;
        }
        let number = self.document.string_table.len() as i64;
        self.document.string_table.push(text.into());
        self.strings.insert(text.into(), number);
        number
    }

    /// A mapping for each module, with its number plus one as id. The program comes first: that is
    /// how readers know it.
    fn mappings(&mut self, profile: &Profile<'_>) {
        let mut modules: Vec<_> = (1..).zip(&profile.snapshot.modules).collect();
        modules.sort_by_key(|(_, module)| module.path != profile.snapshot.process.program);
        for (id, module) in modules {
            let build_id: String =
                module.build_id.iter().map(|byte| format!("{byte:02x}")).collect();
            let mapping = Mapping {
                id,
                memory_start: module.start,
                memory_limit: module.end,
                filename: self.string(&module.path),
                build_id: self.string(&build_id),
                has_functions: true,
                has_filenames: true,
                has_line_numbers: true,
                has_inline_frames: true,
            };
            self.document.mapping.push(mapping);
        }
    }

    fn sample(&mut self, profile: &Profile<'_>, entry: &Entry<'_>) {
        let mut location_id: Vec<_> =
            entry.physical().map(|calls| self.location(profile, calls)).collect();
        if let Some(ending) = entry.ending() {
            let function_id = self.function(ending, "");
            location_id.push(self.place(0, 0, 0, vec![Line { function_id, line: 0 }]));
        }
        let counters = &entry.counters;
        let value = [counters.allocations, counters.bytes, counters.live, counters.live_bytes];
        let mean = counters.bytes.checked_div(counters.allocations).unwrap_or(0);
        let (key, num_unit) = (self.string("bytes"), self.string("bytes"));
        let label = vec![Label { key, num: number(mean), num_unit }];
        self.document.sample.push(Sample { location_id, value: value.map(number).into(), label });
    }

    fn location(&mut self, profile: &Profile<'_>, calls: &[Call<'_>]) -> u64 {
        let key = (calls[0].index, calls.len());
        let is_common = calls.iter().all(|call| matches!(call.frame, Cow::Borrowed(_)));
        if let Some(id) = self.frames.get(&key).filter(|_| is_common) {
            return *id;
        }
        let id = self.new_location(profile, calls);
        if is_common {
            self.frames.insert(key, id);
        }
        id
    }

    fn new_location(&mut self, profile: &Profile<'_>, calls: &[Call<'_>]) -> u64 {
        let lines = calls.iter().map(|call| Line {
            function_id: self
                .function(&label(&call.frame), call.frame.file.as_deref().unwrap_or_default()),
            line: call.frame.line.unwrap_or(0).into(),
        });
        let lines = lines.collect();
        let index = calls[0].index;
        let frame = profile.snapshot.frames[index as usize];
        let address = match frame.kind {
            FrameKind::Exact => frame.address,
            _ => frame.address.saturating_sub(1),
        };
        self.place(index, frame.module.map_or(0, |module| module as u64 + 1), address, lines)
    }

    fn place(&mut self, index: u32, mapping_id: u64, address: u64, line: Vec<Line>) -> u64 {
        let next = self.document.location.len() as u64 + 1;
        let id = *self.locations.entry((index, line.clone())).or_insert(next);
        if id == next {
            self.document.location.push(Location { id, mapping_id, address, line });
        }
        id
    }

    fn function(&mut self, name: &str, file: &str) -> u64 {
        let (name, filename) = (self.string(name), self.string(file));
        let next = self.document.function.len() as u64 + 1;
        let id = *self.functions.entry((name, filename)).or_insert(next);
        if id == next {
            let function = Function { id, name, system_name: name, filename };
            self.document.function.push(function);
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    #[test]
    fn samples_refer_to_locations_with_inlined_lines() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let document = document(&Profile::of(&snapshot, &names));
        let text = |number: i64| document.string_table[number as usize].as_str();
        let sample = &document.sample[1];
        assert_eq!(sample.value, [100, 1 << 20, 3, 300]);
        let location = &document.location[sample.location_id[0] as usize - 1];
        assert_eq!((location.address, location.mapping_id), (0x40_11ff, 1));
        let functions = location
            .line
            .iter()
            .map(|line| (text(document.function[line.function_id as usize - 1].name), line.line));
        assert_eq!(functions.collect::<Vec<_>>(), [("add_item", 14), ("fill_cart", 31)]);
        assert_eq!(text(document.mapping[0].build_id), "01".repeat(20));
        assert_eq!((text(0), text(document.default_sample_type)), ("", "inuse_space"));
    }

    #[test]
    fn the_file_is_gzipped_and_reads_back() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let profile = Profile::of(&snapshot, &names);
        let mut sink = Vec::new();
        write(&profile, &mut sink).expect("written");
        let mut plain = Vec::new();
        io::copy(&mut flate2::read::GzDecoder::new(&sink[..]), &mut plain).expect("gzip");
        assert_eq!(Document::decode(&plain[..]).expect("a profile"), document(&profile));
    }
}
