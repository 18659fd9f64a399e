//! What was probably meant: the known word nearest to the one typed.
//!
//! Nearness is the optimal string alignment distance (insert, drop, replace, swap neighbours, one
//! each), letter case aside. A word is worth naming when fewer than half of its letters had to
//! change, or when what was typed is its beginning; `on` for `no` is not.

/// The longest word that is compared; longer ones resemble nothing.
const LETTERS_MAX: usize = 32;

/// What is typed must have this many letters to count as the beginning of a word.
const BEGINNING_MIN: usize = 3;

/// One row of the table of distances between prefixes.
type Distances = [usize; LETTERS_MAX + 1];

/// The word of `words` nearest to `typed`, the first of them when several are, if any is near.
pub(super) fn nearest(
    typed: &[u8],
    words: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let mut best = None;
    for word in words {
        let Some(distance) = distance(typed, word.as_bytes()) else { continue };
        let is_near = distance * 2 < word.len() || is_beginning(typed, word.as_bytes());
        if is_near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, word));
        }
    }
    best.map(|(_, word)| word)
}

fn is_beginning(typed: &[u8], word: &[u8]) -> bool {
    let beginning = word.get(..typed.len());
    typed.len() >= BEGINNING_MIN && beginning.is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

/// How many edits turn `left` into `right`; none if one of them is too long to ask.
fn distance(left: &[u8], right: &[u8]) -> Option<usize> {
    if left.len() > LETTERS_MAX || right.len() > LETTERS_MAX {
        return None;
    }
    // The row of the prefix two letters shorter, of the one a letter shorter, and of this one.
    let mut older: Distances = [0; LETTERS_MAX + 1];
    let mut previous: Distances = core::array::from_fn(|column| column);
    let mut current: Distances = [0; LETTERS_MAX + 1];
    let mut above = None;
    for (row, letter) in left.iter().enumerate() {
        current[0] = row + 1;
        let mut beside = None;
        for (column, other) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(!is_same(letter, other));
            let least = replaced.min(previous[column + 1] + 1).min(current[column] + 1);
            let swapped = match (above, beside) {
                (Some(above), Some((beside, distance)))
                    if is_same(above, other) && is_same(letter, beside) =>
                {
                    distance + 1
                }
                _ => usize::MAX,
            };
            current[column + 1] = least.min(swapped);
            beside = Some((other, older[column]));
        }
        above = Some(letter);
        older = previous;
        previous = current;
    }
    Some(previous[right.len()])
}

fn is_same(left: &u8, right: &u8) -> bool {
    left.eq_ignore_ascii_case(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["track", "leaks", "leaks_exitcode", "purge_delay"];

    fn near(typed: &str) -> Option<&'static str> {
        nearest(typed.as_bytes(), NAMES.into_iter())
    }

    #[test]
    fn each_kind_of_slip_counts_one() {
        for slip in ["tracks", "trac", "trbck", "rtack"] {
            assert_eq!(distance(slip.as_bytes(), b"track"), Some(1), "{slip}");
        }
        assert_eq!(distance(b"TRACK", b"track"), Some(0));
        assert_eq!(distance(b"", b"track"), Some(5));
    }

    #[test]
    fn the_nearest_name_is_found() {
        assert_eq!(near("trak"), Some("track"));
        assert_eq!(near("leak"), Some("leaks"));
        assert_eq!(near("leaks_exit_code"), Some("leaks_exitcode"));
        assert_eq!(near("exitcode"), Some("leaks_exitcode"));
        assert_eq!(near("purge"), Some("purge_delay"));
    }

    #[test]
    fn what_resembles_nothing_gets_no_suggestion() {
        assert_eq!(near(""), None);
        assert_eq!(near("zebra"), None);
        assert_eq!(near(&"track".repeat(20)), None);
        assert_eq!(nearest(b"no", ["off", "on"].into_iter()), None);
    }
}
