//! The assertions: what they let pass, what they refuse, and what they say then.

use super::{alone, panic_of};
use heapsight::{assert_allocations, assert_no_leaks};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

#[inline(never)]
fn allocate_twice() -> Vec<Vec<u8>> {
    black_box(vec![vec![1; 700]])
}

struct Ring {
    _next: RefCell<Option<Rc<Ring>>>,
    _payload: [u8; 100],
}

#[inline(never)]
fn lose_a_ring() {
    let ring = Rc::new(Ring { _next: RefCell::new(None), _payload: [0; 100] });
    *ring._next.borrow_mut() = Some(Rc::clone(&ring));
}

#[test]
fn bounds_that_hold_give_the_value() {
    let value = assert_allocations!(== 2, { allocate_twice() });
    assert_eq!(value[0].len(), 700);
    let limit = value[0].len() as u64;
    assert_allocations!(allocations >= 1, bytes > limit, bytes < 1 << 10, frees == 2, {
        drop(allocate_twice());
    });
    assert_allocations!(freed_bytes != 0, { drop(value) }, "with {}", "a message");
    assert_allocations!(== 0, {});
}

#[test]
fn a_bound_that_does_not_hold_names_what_allocated() {
    let message = panic_of(|| assert_allocations!(<= 1, { allocate_twice() }, "two of {}", 2));
    assert!(message.starts_with("assertion `allocations <= 1` failed: two of 2\n"), "{message}");
    for part in [
        "allocations: 2",
        "bytes: 724",
        "1 allocation of 700 bytes, here:",
        "1 allocation of 24 bytes, here:",
        "testing::assertions::allocate_twice",
        "assertions.rs:",
    ] {
        assert!(message.contains(part), "no {part} in {message}");
    }
    for noise in ["heapsight::testing", "panic_of", "start_thread"] {
        assert!(!message.contains(noise), "{noise} in {message}");
    }
}

#[test]
fn each_bound_counts() {
    let message =
        panic_of(|| assert_allocations!(allocations == 2, bytes < 7, { allocate_twice() }));
    assert!(message.starts_with("assertion `bytes < 7` failed\n"), "{message}");
    let message = panic_of(|| assert_allocations!(> 2, { allocate_twice() }));
    assert!(message.starts_with("assertion `allocations > 2` failed\n"), "{message}");
}

#[test]
fn what_is_freed_or_returned_is_no_leak() {
    let kept = assert_no_leaks!({
        drop(allocate_twice());
        allocate_twice()
    });
    assert_eq!(kept.len(), 1);
}

#[test]
fn what_a_static_keeps_is_no_leak() {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    std::thread_local!(static LAST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    assert_no_leaks!({
        NAMES.get_or_init(|| vec!["shop".to_owned()]);
        LAST.with(|last| last.borrow_mut().push(1));
        println!("what is printed is kept by the test harness");
    });
}

#[test]
#[ignore = "for `a_single_leaked_block_is_found`, in a process of its own"]
fn a_leak_is_named() {
    let message = panic_of(|| assert_no_leaks!({ lose_a_ring() }, "in a {}", "ring"));
    let head = "assertion `no leaks` failed: 136 bytes in 1 block leaked: in a ring\n";
    assert!(message.starts_with(head), "{message}");
    for part in ["testing::assertions::lose_a_ring", "assertions.rs:"] {
        assert!(message.contains(part), "no {part} in {message}");
    }
    assert!(!message.contains("heapsight::testing"), "{message}");
}

#[test]
fn tracking_that_is_switched_off_is_noticed() {
    // In a process of its own: tracking is the whole process's.
    let (passed, _, text) = alone("assertions::the_body_switches_tracking_off");
    assert!(!passed, "{text}");
    assert!(text.contains("assertion `allocations == 0` failed: not all was recorded"), "{text}");
}

#[test]
#[ignore = "a part of another test, which expects it to fail"]
fn the_body_switches_tracking_off() {
    assert_allocations!(== 0, {
        heapsight::set_tracking(heapsight::options::Track::Off).expect("a way to track");
    });
}
