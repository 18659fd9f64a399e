//! Each function's (or module's) share: of what it allocated itself, and of what was allocated
//! while it was on the stack.

use std::collections::HashMap;

use super::tree::Share;

/// A function's shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) label: u32,
    /// Of the stacks that it is the innermost of.
    pub(crate) own: Share,
    /// Of the stacks that it is on, be it once or more often.
    pub(crate) inclusive: Share,
}

/// Sums over stacks, given innermost first; the largest inclusive share first.
pub(crate) fn entries<'a>(stacks: impl IntoIterator<Item = (&'a [u32], Share)>) -> Vec<Entry> {
    let mut entries = HashMap::<u32, (Entry, usize)>::new();
    for (number, (labels, share)) in stacks.into_iter().enumerate() {
        for (depth, label) in labels.iter().enumerate() {
            let fresh = (Entry { label: *label, ..Entry::default() }, usize::MAX);
            let (entry, last) = entries.entry(*label).or_insert(fresh);
            if depth == 0 {
                entry.own.add(share);
            }
            if *last != number {
                entry.inclusive.add(share);
                *last = number;
            }
        }
    }
    let mut entries: Vec<_> = entries.into_values().map(|(entry, _)| entry).collect();
    entries.sort_by_key(|entry| {
        (std::cmp::Reverse((entry.inclusive.value, entry.own.value)), entry.label)
    });
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_function_counts_once_on_a_stack(
            stacks in vec((vec(0u32..5, 1..8), 0u64..1000), 0..50)
        ) {
            let share = |value| Share { value, blocks: 1 };
            let total: u64 = stacks.iter().map(|(_, value)| value).sum();
            let entries = entries(stacks.iter().map(|(it, value)| (it.as_slice(), share(*value))));
            prop_assert_eq!(entries.iter().map(|entry| entry.own.value).sum::<u64>(), total);
            for entry in entries {
                let on = stacks.iter().filter(|(labels, _)| labels.contains(&entry.label));
                prop_assert_eq!(entry.inclusive.value, on.map(|(_, value)| value).sum::<u64>());
                prop_assert!(entry.inclusive.value >= entry.own.value);
            }
        }
    }
}
