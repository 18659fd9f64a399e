//! `heapsight why`.

use crate::{Asked, said};

fn why(asked: &Asked, which: &str) -> (Option<i32>, String) {
    let said = said(&["why", &asked.pid(), which]);
    (said.code, said.out + &said.err)
}

#[test]
fn a_block_is_held_by_whom_it_is_held() {
    let asked = Asked::start("sleep");
    // The second node of the list: the variable points to the first.
    for (address, place) in [(asked.kept, "starts a block"), (asked.kept + 9, "lies 9 bytes into")]
    {
        let (code, text) = why(&asked, &format!("{address:#x}"));
        assert_eq!(code, Some(0), "{text}");
        for part in [place, "of 208 bytes", "still reachable", "the variable kept", "at offset 0"] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }
    asked.end();
}

#[test]
fn blocks_are_found_by_function_and_by_line() {
    let asked = Asked::start("sleep");
    let (code, text) = why(&asked, "keep");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("in 10 blocks in use") && text.contains("the variable kept"), "{text}");
    let (code, text) = why(&asked, "leak_block");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nothing holds it: no pointer"), "{text}");
    let (code, text) = why(&asked, "leak_cycle");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nothing holds it but the blocks of its own cycle"), "{text}");
    let line = text.split("asked.c:").nth(1).expect("a line");
    let line: String = line.chars().take_while(char::is_ascii_digit).collect();
    let (code, text) = why(&asked, &format!("asked.c:{line}"));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("leak_cycle"), "{text}");
    for missing in ["no_such_function", "asked.c:1", "asked"] {
        let (code, text) = why(&asked, missing);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("no block in use") && text.contains(missing), "{text}");
    }
    asked.end();
}

#[test]
fn what_is_no_block_is_called_by_its_name() {
    let asked = Asked::start("sleep");
    for (address, place) in [(asked.freed, "a free block"), (0x1000, "memory that is not mapped")] {
        let (code, text) = why(&asked, &format!("{address:#x}"));
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("in no block in use") && text.contains(place), "{text}");
    }
    asked.end();
}
