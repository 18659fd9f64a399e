//! What the memory routines of libheapsight_mem.so are told to copy, fill and append, with the
//! allocator beside them: over edges and over itself, in C, C++ and Rust.

use super::Programs;
use super::support::{Outcome, Run, artifact};
use std::{env, hint, ptr};

const SIZES: [usize; 3] = [17, 5000, 600_000];
const MODES: [&str; 2] = ["safety=full,safety_seed=1", "safety=guard,safety_seed=1"];

/// Runs a program with both objects, the routines before or behind the allocator.
fn run(program: &str, kind: &str, size: usize, options: &str) -> Outcome {
    let (routines, heap) = (artifact("libheapsight_mem.so"), artifact("libheapsight.so"));
    let (first, last) = if size.is_multiple_of(2) { (routines, heap) } else { (heap, routines) };
    Run::new(Programs::get().path(program))
        .args([kind, &size.to_string()])
        .env("LD_PRELOAD", format!("{} {}", first.display(), last.display()))
        .env("HEAPSIGHT", options)
        .outcome()
}

fn assert_found(program: &str, kind: &str, sentences: &[&str], functions: &[&str]) {
    for (size, options) in SIZES.iter().flat_map(|size| MODES.map(|mode| (*size, mode))) {
        let outcome = run(program, kind, size, options);
        let message = outcome.err();
        assert_ne!(outcome.code(), Some(0), "{kind} {size} {options} goes on");
        for part in sentences.iter().chain(functions) {
            let part = part.replace("SIZE", &size.to_string());
            assert!(message.contains(&part), "{kind} {size} {options}: no {part}:\n{message}");
        }
    }
}

#[test]
fn routines_that_leave_their_block_are_reported_before_they_do() {
    let overflow = "heap buffer overflow: ";
    for (kind, sentence, function) in [
        ("memcpy-write", "memcpy writes SIZE bytes at offset 1 of a SIZE-byte", "allocate_target"),
        ("memcpy-read", "memcpy reads SIZE bytes at offset 1 of a SIZE-byte", "allocate_source"),
        (
            "memmove-write",
            "memmove writes SIZE bytes at offset 1 of a SIZE-byte",
            "allocate_target",
        ),
        ("memmove-read", "memmove reads SIZE bytes at offset 1 of a SIZE-byte", "allocate_source"),
        ("memset-write", "memset writes ", "allocate_target"),
        ("strcpy-write", "strcpy writes SIZE bytes at offset 1 of a SIZE-byte", "allocate_target"),
        ("stpcpy-write", "stpcpy writes SIZE bytes at offset 1 of a SIZE-byte", "allocate_target"),
        ("strcat-write", "strcat writes SIZE bytes at offset 1 of a SIZE-byte", "allocate_target"),
        ("strncpy-write", "strncpy writes ", "allocate_target"),
        (
            "strncat-write",
            "strncat writes SIZE bytes at offset 1 of a SIZE-byte",
            "allocate_target",
        ),
    ] {
        assert_found("copies", kind, &[overflow, sentence], &["copy_it", function]);
    }
}

#[test]
fn strings_without_an_end_are_reported() {
    // Where they end is a matter of luck, but not that it is outside of the block; or of a guard.
    for kind in ["strcpy-read-open", "strncpy-read-open"] {
        assert_found("copies", kind, &["heap buffer overflow: "], &["allocate_"]);
    }
}

#[test]
fn copies_that_overlap_are_reported() {
    for (kind, sentence) in [
        ("memcpy-overlap", ", 1 byte behind where they come from, in a SIZE-byte block from"),
        ("memcpy-overlap-back", ", 1 byte before where they come from, in a SIZE-byte block from"),
        ("strcpy-overlap", ", 1 byte behind where they come from, in a SIZE-byte block from"),
    ] {
        let sentences = ["overlapping copy: ", sentence];
        assert_found("copies", kind, &sentences, &["copy_it", "allocate_target"]);
    }
}

#[test]
fn the_librarys_copies_are_looked_at_too() {
    let overflow = "heap buffer overflow: mem";
    assert_found("copies-cpp", "copy", &[overflow], &["copy_vector"]);
    assert_found("copies-cpp", "fill", &[overflow], &["fill_array"]);
}

#[test]
fn right_copies_are_silent_in_all_modes() {
    let modes = ["safety=off", "safety=basic", "safety=sampled:64", "simd=off", "simd=sse2"];
    let watched = MODES.into_iter().chain(["safety=full,simd=off", "safety=full,simd=sse2"]);
    for options in watched.chain(modes) {
        for (program, size) in ["copies", "copies-cpp"].into_iter().zip([SIZES, SIZES]) {
            for size in size {
                let outcome = run(program, "none", size, options);
                let what = format!("{program} {size} {options}");
                assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""), "{what}");
            }
        }
    }
}

#[test]
fn without_a_watch_nobody_is_told() {
    for options in ["safety=basic", "safety=sampled:64"] {
        let outcome = run("copies", "memcpy-overlap", 17, options);
        assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""), "{options}");
    }
}

const VARIABLE: &str = "PLANTED_COPY";

/// A planted program in Rust; a test that does nothing where nothing is planted.
#[test]
fn planted_copy() {
    let Ok(kind) = env::var(VARIABLE) else { return };
    let (from, mut to) = (vec![1_u8; 3000], vec![0_u8; 3000]);
    let len = hint::black_box(if kind == "none" { 3000 } else { 3001 });
    // SAFETY: the mistake under test, or none.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), len) };
    hint::black_box(&to);
}

#[test]
fn a_rust_program_is_told_of_its_copies() {
    for (kind, is_right) in [("none", true), ("more", false)] {
        let outcome = Run::new(env::current_exe().expect("this program"))
            .args(["--exact", "copies::planted_copy", "--test-threads=1"])
            .env(VARIABLE, kind)
            .env("LD_PRELOAD", artifact("libheapsight_mem.so"))
            .env("HEAPSIGHT", "safety=full,safety_seed=1")
            .outcome();
        let message = outcome.err();
        assert_eq!(outcome.code() == Some(0), is_right, "{kind}:\n{message}");
        let is_said =
            message.contains("heap buffer overflow: memcpy writes 3001 bytes at offset 0");
        assert_eq!(is_said, !is_right, "{kind}:\n{message}");
    }
}
