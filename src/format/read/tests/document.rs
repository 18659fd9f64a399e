//! `docs/ledger.md` says what the layout's sources say, and its example reads a ledger.

use super::{Scratch, any};
use crate::format::layout::{
    self, CHUNK_CELLS, CLASSES, Cell, Check, Chunk, ClassCell, Event, Frame, Header, LIVES, Module,
    Node, Point, SECTIONS, Section, Shard, Shared, Site, Sums, Text, Thread, Wide,
};
use crate::format::testing::Ledger;
use core::fmt::Write;
use core::mem::offset_of;
use std::borrow::ToOwned;
use std::path::PathBuf;
use std::process::Command;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{env, format, fs, println};

const SOURCES: [&str; 4] = [
    include_str!("../../layout/mod.rs"),
    include_str!("../../layout/header.rs"),
    include_str!("../../layout/tables.rs"),
    include_str!("../../layout/counters.rs"),
];

/// A struct of the layout.
#[derive(Debug)]
struct Described {
    name: String,
    doc: String,
    align: usize,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: String,
    kind: String,
    doc: String,
}

/// A constant of the layout, with the place it is in.
#[derive(Debug)]
struct Constant {
    place: String,
    name: String,
    value: String,
    doc: String,
}

/// Documentation as it is in a table: without links.
fn plain(doc: &[&str]) -> String {
    doc.join(" ").replace("[`", "`").replace("`]", "`")
}

fn describe(source: &str) -> (Vec<Described>, Vec<Constant>) {
    let (mut records, mut constants) = (Vec::new(), Vec::new());
    let (mut doc, mut place, mut align, mut open) = (Vec::new(), String::new(), 8, false);
    for line in source.lines().map(str::trim) {
        let item = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let words: Vec<_> = item.split([' ', '{', ':', ';', ',']).collect();
        if let Some(line) = line.strip_prefix("/// ") {
            doc.push(line);
            continue;
        } else if line.starts_with("#[") {
            align = if line.contains("align(64)") { 64 } else { align };
            continue;
        } else if line == "}" {
            (place, align, open) = (String::new(), 8, false);
        } else if let ["struct", name, ..] = words[..] {
            let (name, doc) = (name.to_owned(), plain(&doc));
            records.push(Described { name, doc, align, fields: Vec::new() });
            open = true;
        } else if let ["mod" | "impl" | "enum", name, ..] = words[..]
            && line.ends_with('{')
        {
            name.clone_into(&mut place);
        } else if let ["const", name, ..] = words[..] {
            let value = item.split(" = ").nth(1).map(|value| value.trim_end_matches(';'));
            if let Some(value) = value.filter(|_| name != "_") {
                let (name, value) = (name.to_owned(), value.to_owned());
                constants.push(Constant { place: place.clone(), name, value, doc: plain(&doc) });
            }
        } else if let (true, Some((name, kind))) = (open, item.split_once(": ")) {
            let kind = kind.trim_end_matches(',').replace("Atomic", "");
            let kind = kind
                .replace("U8", "u8")
                .replace("U32", "u32")
                .replace("U64", "u64")
                .replace("I32", "i32")
                .replace("I64", "i64");
            let field = Field { name: name.to_owned(), kind, doc: plain(&doc) };
            records.last_mut().expect("a struct is open").fields.push(field);
        } else if let Some((name, number)) = item.split_once(" = ").filter(|_| place == "SectionId")
        {
            let (name, value) = (name.to_owned(), number.trim_end_matches(',').to_owned());
            constants.push(Constant { place: place.clone(), name, value, doc: plain(&doc) });
        }
        doc.clear();
    }
    (records, constants)
}

/// Length and alignment of a type, by the rules of C.
fn extent(kind: &str, records: &[Described]) -> (usize, usize) {
    let array = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')?.split_once("; "));
    if let Some((kind, count)) = array {
        let count = match count {
            "SECTIONS" => SECTIONS,
            "CLASSES" => CLASSES,
            "CHUNK_CELLS" => CHUNK_CELLS,
            "LIVES" => LIVES,
            number => number.parse().expect("a number"),
        };
        let (len, align) = extent(kind, records);
        return (len * count, align);
    }
    match kind {
        "u8" => (1, 1),
        "u32" | "i32" => (4, 4),
        "u64" | "i64" => (8, 8),
        _ => {
            let record = records.iter().find(|record| record.name == kind);
            let record = record.unwrap_or_else(|| panic!("{kind} is not in the layout"));
            let end = places(record, records).last().map_or(0, |(_, end)| *end);
            let widest = record.fields.iter().map(|field| extent(&field.kind, records).1).max();
            let align = widest.unwrap_or(1).max(if record.align == 64 { 64 } else { 1 });
            (end.next_multiple_of(align), align)
        }
    }
}

/// Start and end of each field.
fn places(record: &Described, records: &[Described]) -> Vec<(usize, usize)> {
    let mut end = 0_usize;
    let place = |field: &Field| {
        let (len, align) = extent(&field.kind, records);
        let start = end.next_multiple_of(align);
        end = start + len;
        (start, end)
    };
    record.fields.iter().map(place).collect()
}

fn all() -> (Vec<Described>, Vec<Constant>) {
    let (records, constants): (Vec<_>, Vec<_>) = SOURCES.map(describe).into_iter().unzip();
    (records.into_iter().flatten().collect(), constants.into_iter().flatten().collect())
}

/// The generated part of the document.
fn tables() -> String {
    let (records, constants) = all();
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{text}").expect("a string takes all");
    let code =
        |value: &str| if value.starts_with("*b") { value[1..].to_owned() } else { value.into() };
    for (place, title) in [
        ("", "Constants"),
        ("SectionId", "Sections"),
        ("state", "Values of `Header.state`"),
        ("mode", "Values of `Header.mode`"),
        ("outcome", "Values of `Check.outcome`"),
        ("Frame", "Bits of `Frame.flags`"),
        ("ending", "Values of `Frame.address` for endings"),
        ("event", "Values of `Event.kind`"),
    ] {
        line(&format!("\n### {title}\n| name | value | meaning |\n|---|---|---|"));
        for one in constants.iter().filter(|constant| constant.place == place) {
            line(&format!("| `{}` | `{}` | {} |", one.name, code(&one.value), one.doc));
        }
    }
    for record in &records {
        let (len, _) = extent(&record.name, &records);
        line(&format!("\n### `{}`: {len} bytes\n{}\n", record.name, record.doc));
        line("| offset | type | field | meaning |\n|---|---|---|---|");
        for (field, (start, _)) in record.fields.iter().zip(places(record, &records)) {
            let name = field.name.trim_start_matches("pub(crate) ");
            let name = if name.starts_with('_') { "*unused*".into() } else { format!("`{name}`") };
            line(&format!("| {start} | `{}` | {name} | {} |", field.kind, field.doc));
        }
    }
    out
}

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/ledger.md")
}

const BEGIN: &str = "<!-- Written by the test named below from src/format/layout. -->\n";
const END: &str = "\n<!-- End of what is written. -->";

#[test]
fn the_ledgers_document_has_the_layout() {
    let page = fs::read_to_string(document()).expect("docs/ledger.md");
    let (before, rest) = page.split_once(BEGIN).expect("a mark");
    let (_, after) = rest.split_once(END).expect("a mark");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", tables());
    if env::var_os("HEAPSIGHT_UPDATE_LEDGER").is_some() {
        fs::write(document(), &fresh).expect("docs/ledger.md is writable");
    } else {
        assert!(
            page == fresh,
            "docs/ledger.md is not what the layout says: run\n  HEAPSIGHT_UPDATE_LEDGER=1 \
             cargo test -p heapsight --lib the_ledgers_document_has_the_layout\nand commit it"
        );
    }
}

#[test]
fn the_tables_have_the_compilers_lengths_and_offsets() {
    let (records, _) = all();
    let mut checked = 0;
    macro_rules! check {
        ($($kind:ident: $($field:ident)*;)*) => {$(
            let name = stringify!($kind);
            assert_eq!(extent(name, &records).0, size_of::<$kind>(), "{name}");
            let record = records.iter().find(|record| record.name == name).expect(name);
            $(
                let field = record.fields.iter().position(|field| field.name == stringify!($field));
                let place = places(record, &records)[field.expect(stringify!($field))].0;
                assert_eq!(place, offset_of!($kind, $field), "{name}.{}", stringify!($field));
            )*
            checked += 1;
        )*};
    }
    check! {
        Text: len;
        Section: stride count refused;
        Header: version sections class_sizes pid program state started_unix_ns nanoseconds_later
            mode wanted sample_bytes refused_stacks overhead_bytes shared check;
        Check: asked taken ended outcome detail signal address pause_ns;
        Shared: blocks peak_epoch peak_clock clock;
        Module: bias path build_id build_id_len loaded_tick unloaded_tick;
        Frame: address module flags;
        Node: parent frame below sibling;
        Site: node first_clock;
        Thread: shard name started_tick ended_tick first last;
        Point: bytes resident high_bytes clock;
        Event: kind thread value text;
        Sums: freed_bytes;
        Shard: temporary reallocations classes;
        ClassCell: freed_bytes;
        Chunk: shard first_site cells;
        Cell: frees bytes freed_bytes own_peak_bytes at_peak_bytes at_peak_blocks peak_epoch wide
            last_clock lives;
        Wide: frees reallocations samples variance_blocks variance_bytes own_peak_bytes
            at_peak_bytes at_peak_blocks lives;
    }
    assert_eq!(checked, records.len());
    assert_eq!(layout::SectionId::Wides as usize + 1, SECTIONS);
}

#[test]
fn the_documents_example_reads_a_ledger() {
    let page = fs::read_to_string(document()).expect("docs/ledger.md");
    let example = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = example.expect("an example");
    assert!(example.lines().count() <= 40, "the example is short");
    let file = Scratch::new("example", &Ledger::of(&any::rich_snapshot()).bytes());
    let run = Command::new("python3").arg("-c").arg(example).arg(&file.0).output();
    let Ok(run) = run else {
        println!("skipped: there is no python3");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8_lossy(&run.stdout).to_string();
    let mut wanted = String::from("/bin/prögram has the process id 7\n");
    for (site, depth) in [0, 0, 3, 5, 8].into_iter().enumerate() {
        wanted += &format!("3000 bytes of site {site}\n");
        wanted += &"    /bin/prögram+0x5\n".repeat(depth);
    }
    assert!(said.starts_with(&wanted), "{said}");
}
