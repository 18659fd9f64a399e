//! The reader of suppressions survives any text; every line is a rule, a remark, or wrong in words.
#![no_main]

use heapsight::symbols::read_suppressions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (rules, problems) = read_suppressions(data);
    // A day that is none makes one more problem than there are rules.
    assert!(rules + problems.len() <= data.split(|byte| *byte == b'\n').count());
    assert!(problems.iter().all(|problem| !problem.is_empty() && !problem.contains('\n')));
});
