//! What is no ledger is called what it is.

use super::{Scratch, any, from_bytes, read};
use crate::format::layout::{Header, Section, SectionId};
use crate::format::snapshot::Snapshot;
use crate::format::testing::Ledger;
use core::mem::offset_of;
use std::env;
use std::path::Path;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

fn refusal(bytes: &[u8]) -> String {
    from_bytes(bytes).expect_err("no ledger").to_string()
}

fn ledger() -> Vec<u8> {
    Ledger::of(&any::rich_snapshot()).bytes()
}

/// A ledger with a number of its own in a field of a section.
fn with(section: SectionId, field: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = ledger();
    let place = offset_of!(Header, sections) + section as usize * size_of::<Section>() + field;
    bytes[place..][..value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn other_files_are_named() {
    for (bytes, said) in [
        (&b""[..], "is empty"),
        (b"\x7fELF\x02\x01", "is not a ledger but an ELF file"),
        (b"{\"leaks\": []}\n", "is not a ledger but JSON"),
        (b"Dear reader", "is not a ledger but text"),
        (b"\x1f\x8b\x08", "is not a ledger but a gzip archive"),
        (b"\x01\x02\x03", "is not a ledger but something else"),
        (&[0; 5000], "has no header yet"),
        (b"HSLEDGER", "is a truncated ledger: 8192 bytes are in use, 8 are there"),
    ] {
        assert!(refusal(bytes).starts_with(said), "{said}: {}", refusal(bytes));
    }
}

#[test]
fn versions_are_told_apart() {
    let mut bytes = ledger();
    for (version, said) in [
        (7_u32, "is a ledger of the newer version 7; this reader knows version 3"),
        (0, "has no header yet: its process has not begun to write, or never did"),
    ] {
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        assert_eq!(refusal(&bytes), said);
    }
}

#[test]
fn contradictions_of_the_header_are_told() {
    let (offset, stride, count) =
        (offset_of!(Section, offset), offset_of!(Section, stride), offset_of!(Section, count));
    for (bytes, said) in [
        (with(SectionId::Nodes, stride, &8_u32.to_le_bytes()), "shorter than they must be"),
        (with(SectionId::Strings, stride, &2_u32.to_le_bytes()), "shorter than they must be"),
        (with(SectionId::Chunks, count, &9_u32.to_le_bytes()), "more records than room"),
        (with(SectionId::Events, offset, &8_u64.to_le_bytes()), "begins inside the header"),
        (with(SectionId::Events, offset, &u64::MAX.to_le_bytes()), "behind all addresses"),
        (with(SectionId::Events, offset, &(1_u64 << 40).to_le_bytes()), "is a truncated ledger"),
        (with(SectionId::Events, offset, &8192_u64.to_le_bytes()), "two sections overlap"),
    ] {
        assert!(refusal(&bytes).contains(said), "{said}: {}", refusal(&bytes));
    }
}

#[test]
fn what_is_no_file_is_not_opened() {
    assert_eq!(
        read(&env::temp_dir()).expect_err("a folder").to_string(),
        "is no regular file, so it cannot be a ledger"
    );
    assert!(read(Path::new("/dev/zero")).is_err());
    let missing = read(Path::new("/there/is/no/such/file")).expect_err("nothing").to_string();
    assert!(missing.starts_with("cannot be read: No such file"), "{missing}");
    let empty = Scratch::new("empty", b"");
    assert!(read(&empty.0).expect_err("empty").to_string().starts_with("is empty"));
}

#[test]
fn a_process_that_has_done_nothing_has_an_empty_snapshot() {
    let snapshot = from_bytes(&Ledger::new().bytes()).expect("a ledger");
    assert_eq!((snapshot.frames.len(), snapshot.nodes.len(), snapshot.sites.len()), (1, 1, 2));
    assert_eq!(snapshot.threads, vec![]);
    assert_eq!(snapshot.process.command, Vec::<String>::new());
    let read = Snapshot {
        frames: vec![],
        nodes: vec![],
        sites: vec![],
        tracking: crate::format::snapshot::Tracking::default(),
        ..snapshot
    };
    assert_eq!(read, Snapshot::default());
}
