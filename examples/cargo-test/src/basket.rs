//! Baskets: code that is to allocate little.

/// An item and how many of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub item: String,
    /// How many.
    pub count: u32,
}

/// Reads `3 apples` lines, one allocation for each, and one for all.
///
/// # Errors
///
/// The first line that is none.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::with_capacity(text.lines().count());
    for line in text.lines() {
        let (count, item) = line.split_once(' ').ok_or(line)?;
        let count = count.parse().map_err(|_| line)?;
        lines.push(Line { item: item.to_owned(), count });
    }
    Ok(lines)
}

/// How many items there are: nothing that needs memory.
pub fn total(lines: &[Line]) -> u32 {
    lines.iter().map(|line| line.count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapsight::assert_allocations;
    use heapsight::testing::Scope;

    const TEXT: &str = "3 apples\n1 pear";

    #[test]
    fn summing_allocates_nothing() {
        let lines = parse(TEXT).expect("lines");
        assert_eq!(assert_allocations!(== 0, { total(&lines) }), 4);
    }

    #[test]
    fn parsing_allocates_once_a_line_and_once_for_all() {
        let bytes = (2 * size_of::<Line>() + "apples".len() + "pear".len()) as u64;
        let lines =
            assert_allocations!(allocations == 3, bytes == bytes, { parse(TEXT) }, "of {TEXT:?}");
        assert_eq!(lines.map(|lines| lines.len()), Ok(2));
    }

    /// The same for a whole test. A test may return a `Result`.
    #[heapsight::test(allocations <= 3)]
    fn a_test_has_a_budget() -> Result<(), String> {
        assert_eq!(parse(TEXT)?.len(), 2);
        Ok(())
    }

    /// A scope gives the numbers, for questions that no assertion asks.
    #[test]
    fn twice_the_lines_are_twice_the_allocations() {
        let allocations_of = |text: &str| {
            let scope = Scope::new();
            let lines = scope.run(|| parse(text));
            drop(lines);
            scope.counts().allocations
        };
        let twice = [TEXT, TEXT].join("\n");
        assert_eq!(allocations_of(&twice) - 1, 2 * (allocations_of(TEXT) - 1));
    }

    /// What it looks like when a bound does not hold: `cargo test -- --ignored`.
    #[test]
    #[ignore = "fails, to show how"]
    fn a_broken_budget() {
        assert_allocations!(<= 2, { parse(TEXT).is_ok() }, "a basket of two lines");
    }
}
