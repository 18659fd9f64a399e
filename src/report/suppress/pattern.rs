//! Patterns, as LeakSanitizer has them: a part of a name, with `*` for anything, `^` at the
//! beginning for the beginning of the name, and `$` at the end for its end.

use std::borrow::ToOwned;
use std::string::String;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Linear in the name times the pieces of the pattern. An empty name matches nothing.
    pub(super) fn matches(&self, name: &str) -> bool {
        let rest = self.text.strip_prefix('^');
        let (pieces, is_from_start) = (rest.unwrap_or(&self.text), rest.is_some());
        let rest = pieces.strip_suffix('$');
        let (pieces, is_to_end) = (rest.unwrap_or(pieces), rest.is_some());
        !name.is_empty() && glob(pieces, name, is_from_start, is_to_end)
    }
}

/// Whether the pieces between stars lie in the name, one after the other.
fn glob(pieces: &str, mut name: &str, is_from_start: bool, is_to_end: bool) -> bool {
    let Some((first, mut others)) = pieces.split_once('*') else {
        return match (is_from_start, is_to_end) {
            (true, true) => name == pieces,
            (true, false) => name.starts_with(pieces),
            (false, true) => name.ends_with(pieces),
            (false, false) => name.contains(pieces),
        };
    };
    match if is_from_start { name.strip_prefix(first) } else { behind(name, first) } {
        Some(rest) => name = rest,
        None => return false,
    }
    while let Some((piece, rest)) = others.split_once('*') {
        match behind(name, piece) {
            Some(behind) => (name, others) = (behind, rest),
            None => return false,
        }
    }
    if is_to_end { name.ends_with(others) } else { name.contains(others) }
}

/// What comes behind the first occurrence of a piece.
fn behind<'n>(name: &'n str, piece: &str) -> Option<&'n str> {
    name.split_once(piece).map(|(_, behind)| behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;

    #[test]
    fn patterns_are_parts_unless_they_are_anchored() {
        let name = "mylib::pool::grow";
        for pattern in [
            "pool",
            "my",
            "grow",
            "^my",
            "grow$",
            "^mylib::pool::grow$",
            "*",
            "^*$",
            "*pool*",
            "my*grow",
            "^my*grow$",
            "^*grow$",
            "pool*",
            "l*l*o",
            "",
            "^",
            "$",
        ] {
            assert!(Pattern::new(pattern).matches(name), "{pattern}");
        }
        for pattern in ["Pool", "^pool", "pool$", "^my$", "grow*my", "^*pool$", "grow*grow"] {
            assert!(!Pattern::new(pattern).matches(name), "{pattern}");
        }
        assert!(!Pattern::new("*").matches(""));
        // The last occurrence ends the name, not the first.
        assert!(Pattern::new("a*b$").matches("a b b"));
    }

    /// Every way to cut the name.
    fn naive(pattern: &str, name: &str) -> bool {
        match pattern.split_once('*') {
            None => name == pattern,
            Some((piece, rest)) => name
                .strip_prefix(piece)
                .is_some_and(|behind| (0..=behind.len()).any(|at| naive(rest, &behind[at..]))),
        }
    }

    proptest! {
        #[test]
        fn matching_is_cutting_somewhere(
            pattern in "[ab*]{0,6}",
            name in "[ab]{1,8}",
            is_from_start in any::<bool>(),
            is_to_end in any::<bool>(),
        ) {
            let anchored = format!(
                "{}{pattern}{}",
                if is_from_start { "^" } else { "" },
                if is_to_end { "$" } else { "" }
            );
            let open = format!(
                "{}{pattern}{}",
                if is_from_start { "" } else { "*" },
                if is_to_end { "" } else { "*" }
            );
            prop_assert_eq!(Pattern::new(&anchored).matches(&name), naive(&open, &name));
        }
    }
}
