//! Sizes that frees name, where blocks are recorded but not watched, and where programs go on.

use super::Programs;
use super::support::{Outcome, Run};

fn run(kind: &str, size: &str, options: &str) -> Outcome {
    let program = Run::new(Programs::get().path("c"));
    program.args([kind, "malloc", size]).preloaded(options).outcome()
}

#[test]
fn of_recorded_blocks_the_exact_size_is_asked_for() {
    for size in ["24", "5000", "600000"] {
        let right = run("sized", size, "track=full");
        assert_eq!((right.code(), right.err().as_str()), (Some(0), ""), "{size}");
        let wrong = run("sized-off-by-1", size, "track=full");
        let message = wrong.err();
        assert_ne!(wrong.code(), Some(0), "{size}");
        let sentence = format!("free of a {size}-byte block from `allocate_it` names");
        assert!(message.contains(&sentence), "{size}:\n{message}");
    }
}

#[test]
fn a_program_that_goes_on_loses_no_block() {
    for kind in ["sized-too-large", "sized-too-small", "sized-realloc"] {
        let outcome = run(kind, "100", "safety_action=report,track=full,leaks=on");
        let message = outcome.err();
        assert_eq!(outcome.code(), Some(0), "{kind}:\n{message}");
        assert_eq!(message.matches("size mismatch: ").count(), 1, "{kind}:\n{message}");
        assert!(message.contains("no leaks"), "{kind}:\n{message}");
    }
}

#[test]
fn nothing_is_said_with_safety_off() {
    for kind in ["sized-too-large", "sized-realloc"] {
        let outcome = run(kind, "100", "safety=off");
        assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""), "{kind}");
    }
}
