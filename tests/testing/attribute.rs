//! `#[heapsight::test]`: every kind of test function, with the verdict that it should have.

use super::alone;
use std::hint::black_box;
use std::num::ParseIntError;

#[heapsight::test]
fn nothing_is_asked_of_a_test_that_frees() {
    drop(black_box(vec![1, 2, 3]));
}

#[heapsight::test(allocations == 1, bytes <= 12)]
fn bounds_are_on_the_whole_test() {
    drop(black_box(vec![1u32, 2, 3]));
}

#[heapsight::test]
#[ignore = "for `a_single_leaked_block_is_found`, in a process of its own"]
#[should_panic(expected = "assertion `no leaks` failed: 333 bytes in 1 block leaked")]
fn a_leak_is_a_panic() {
    std::mem::forget(black_box(vec![1u8; 333]));
}

#[heapsight::test(bytes < 100)]
#[should_panic(expected = "assertion `bytes < 100` failed")]
fn a_broken_bound_is_a_panic() {
    drop(black_box(vec![1u8; 333]));
}

#[heapsight::test(allocations == 0)]
#[should_panic(expected = "its own words")]
fn a_panic_of_the_test_comes_first() {
    let kept = Box::leak(black_box(Box::new(5)));
    panic!("its own words, {kept}");
}

#[heapsight::test]
fn a_result_may_be_returned() -> Result<(), ParseIntError> {
    let number: u32 = "17".parse()?;
    assert_eq!(number, 17);
    Ok(())
}

#[heapsight::test]
#[ignore = "it fails, for `a_returned_failure_is_one`"]
fn returns_a_failure() -> Result<(), ParseIntError> {
    let _kept = Box::leak(black_box(Box::new(5)));
    "seventeen".parse::<u32>().map(drop)
}

#[test]
fn a_returned_failure_is_one() {
    let (passed, out, err) = alone("attribute::returns_a_failure");
    let text = out + &err;
    assert!(!passed, "{text}");
    assert!(text.contains("Error: ParseIntError"), "{text}");
    assert!(!text.contains("no leaks"), "it has failed already: {text}");
}

/// Documentation and other attributes go with the test.
#[heapsight::test(allocations == 1)]
#[allow(clippy::useless_vec, reason = "it is what is tested")]
fn other_attributes_stay() {
    let numbers = black_box(vec![1, 2, 3]);
    assert_eq!(numbers.len(), 3);
}
