//! Mistakes that hit the heap's own data, or come when it is least ready: always a report, never a
//! hang; and the program's own handlers.

use super::Programs;
use super::support::{Outcome, Run};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

fn run(kind: &str, options: &str) -> Outcome {
    let run = Run::new(Programs::get().path("hostile")).arg(kind).preloaded(options);
    let outcome = run.deadline(Duration::from_secs(60)).outcome();
    assert!(!outcome.timed_out, "{kind} {options} hangs:\n{}", outcome.err());
    outcome
}

fn assert_reported(kind: &str, options: &str) {
    let outcome = run(kind, options);
    assert_ne!(outcome.code(), Some(0), "{kind} {options} goes on");
    assert!(outcome.err().starts_with("heapsight: "), "{kind} {options}:\n{}", outcome.err());
}

#[test]
fn what_floods_the_heap_is_reported() {
    for kind in ["flood", "flood-zero", "flood-far"] {
        for options in ["safety=full", "safety=guard"] {
            for _ in 0..3 {
                assert_reported(kind, options);
            }
        }
    }
}

#[test]
fn a_list_whose_first_block_was_written_to_is_not_followed() {
    for kind in ["link", "key"] {
        for options in ["safety=basic", "safety=sampled", "safety=full"] {
            assert_reported(kind, options);
        }
        let outcome = run(kind, "safety=basic");
        assert!(outcome.err().starts_with("heapsight: heap corruption: "), "{}", outcome.err());
        // Nobody is told, or everybody, and the program goes on without those blocks.
        for options in ["safety=off", "safety=basic,safety_action=report"] {
            let outcome = run(kind, options);
            assert_eq!(outcome.stdout, b"done\n", "{kind} {options}: {}", outcome.err());
        }
    }
}

#[test]
fn faults_of_two_threads_are_reported() {
    for _ in 0..5 {
        assert_reported("two-threads", "safety=full");
    }
}

#[test]
fn the_program_keeps_its_handlers() {
    for options in ["safety=basic", "safety=full", "safety=guard"] {
        let outcome = run("handler", options);
        assert_eq!(outcome.stdout, b"3 handled\n", "{options}");
        assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""), "{options}");
    }
    let outcome = run("handler-heap", "safety=full");
    assert_eq!(outcome.stdout, b"1 handled\n", "{}", outcome.err());
    assert!(outcome.err().contains("use after free: a write"), "{}", outcome.err());
}

#[test]
fn a_fault_that_is_not_the_heaps_is_the_programs() {
    for options in ["safety=full", "safety=guard"] {
        let outcome = run("null", options);
        assert_eq!(outcome.status.signal(), Some(11), "{options}");
        assert_eq!(outcome.err(), "", "{options}");
    }
}

#[test]
fn a_program_goes_on_after_reports() {
    let outcome = run("report", "safety=full,safety_action=report");
    let message = outcome.err();
    assert_eq!(outcome.stdout, b"done\n", "{message}");
    assert_eq!(outcome.code(), Some(0), "{message}");
    for sentence in
        ["heap buffer overflow: ", "double free: ", "foreign free: ", "use after free: "]
    {
        assert!(message.contains(sentence), "no {sentence}:\n{message}");
    }
}
