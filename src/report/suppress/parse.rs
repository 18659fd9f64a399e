//! The text of a suppression file, line by line.

use super::Rule;
use super::date::Date;
use super::pattern::Pattern;
use core::fmt::{self, Display, Formatter};
use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

/// A line that makes no sense, or not all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What the text is called.
    pub(crate) origin: String,
    /// Counted from one.
    pub(crate) line: u32,
    pub(crate) kind: Kind,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// There is no `leak:` before a pattern.
    NoRule { text: String },
    /// It is for another tool than a leak check.
    OtherTool { word: String },
    /// There is nothing behind `leak:`.
    NoPattern,
    /// What is to be the last day is none.
    NoDate { text: String },
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.origin, self.line)?;
        match &self.kind {
            Kind::NoRule { text } => {
                write!(f, "'{text}' is no suppression: write leak:PATTERN, or # for a comment")
            }
            Kind::OtherTool { word } => {
                write!(f, "a suppression of '{word}' is not for leaks: only leak: is looked at")
            }
            Kind::NoPattern => {
                f.write_str("no pattern behind leak: it would suppress everything; write leak:*")
            }
            Kind::NoDate { text } => {
                write!(
                    f,
                    "'{text}' is no date, so the rules below do not suppress: write \
                     # expires: YYYY-MM-DD"
                )
            }
        }
    }
}

/// What the comments above a rule say of it.
#[derive(Clone, Debug, Default)]
struct About {
    owner: Option<String>,
    reason: Option<String>,
    expires: Option<Date>,
    /// A date was meant and is none: nobody knows whether the rules are still to count.
    is_doubtful: bool,
}

impl About {
    /// Takes a comment in; one of no known name says nothing to us.
    fn note(&mut self, comment: &str) -> Result<(), Kind> {
        let Some((name, value)) = comment.split_once(':') else { return Ok(()) };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "owner" => self.owner = Some(value.to_owned()),
            "reason" => self.reason = Some(value.to_owned()),
            "expires" => {
                self.expires = Date::parse(value);
                self.is_doubtful = self.expires.is_none();
                if self.is_doubtful {
                    return Err(Kind::NoDate { text: shortened(value) });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The rules of a text.
pub(super) fn rules(text: &[u8], origin: &str, on_problem: &mut dyn FnMut(Problem)) -> Vec<Rule> {
    let (mut rules, mut about) = (Vec::new(), About::default());
    let text = String::from_utf8_lossy(text);
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        let mut refuse =
            |kind| on_problem(Problem { origin: origin.to_owned(), line: number, kind });
        if line.is_empty() {
            about = About::default();
        } else if let Some(comment) = line.strip_prefix('#') {
            about.note(comment).unwrap_or_else(refuse);
        } else {
            match pattern(line) {
                Ok(_) if about.is_doubtful => {}
                Ok(pattern) => rules.push(Rule {
                    pattern,
                    origin: origin.to_owned(),
                    line: number,
                    owner: about.owner.clone(),
                    reason: about.reason.clone(),
                    expires: about.expires,
                }),
                Err(kind) => refuse(kind),
            }
        }
    }
    rules
}

fn pattern(line: &str) -> Result<Pattern, Kind> {
    let no_rule = || Kind::NoRule { text: shortened(line) };
    let (word, pattern) = line.split_once(':').ok_or_else(no_rule)?;
    match word {
        "leak" if pattern.is_empty() => Err(Kind::NoPattern),
        "leak" => Ok(Pattern::new(pattern)),
        _ if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') => {
            Err(Kind::OtherTool { word: shortened(word) })
        }
        _ => Err(no_rule()),
    }
}

/// As much of a text as a message has room for, on one line.
fn shortened(text: &str) -> String {
    const MAX: usize = 60;
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(MAX).collect();
    if text.chars().count() > MAX {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    fn parse(text: &str) -> (Vec<Rule>, Vec<String>) {
        let mut problems = Vec::new();
        let rules = rules(text.as_bytes(), "x.supp", &mut |one| problems.push(one.to_string()));
        (rules, problems)
    }

    #[test]
    fn comments_belong_to_the_rules_up_to_an_empty_line() {
        let text = "\
            # Known leaks. Note: all of these are small.\n\
            # owner: net-team\n\
            #reason:   upstream bug 1234\n\
            #  Expires: 2027-06-30\n\
            leak:res_init\r\n  leak:getaddrinfo  \n\n\
            leak:*::grow\n";
        let (rules, problems) = parse(text);
        assert_eq!(problems, Vec::<String>::new());
        let told: Vec<_> = rules
            .iter()
            .map(|rule| (rule.line, rule.pattern.text(), rule.owner.as_deref()))
            .collect();
        let owner = Some("net-team");
        assert_eq!(told, [(5, "res_init", owner), (6, "getaddrinfo", owner), (8, "*::grow", None)]);
        assert_eq!(rules[1].reason.as_deref(), Some("upstream bug 1234"));
        assert_eq!(rules[0].expires, Date::of(2027, 6, 30));
        assert_eq!(rules[2].expires, None);
    }

    #[test]
    fn what_is_wrong_is_named_and_the_rest_counts() {
        let (rules, problems) =
            parse("leak:a\nmalloc\nrace:b\nleak:\n# expires: soon\nleak:c\n\nleak:d\n{bad}: x\n");
        let kept: Vec<_> = rules.iter().map(|rule| rule.pattern.text()).collect();
        assert_eq!(kept, ["a", "d"]);
        assert_eq!(
            problems,
            [
                "x.supp:2: 'malloc' is no suppression: write leak:PATTERN, or # for a comment",
                "x.supp:3: a suppression of 'race' is not for leaks: only leak: is looked at",
                "x.supp:4: no pattern behind leak: it would suppress everything; write leak:*",
                "x.supp:5: 'soon' is no date, so the rules below do not suppress: write \
                 # expires: YYYY-MM-DD",
                "x.supp:9: '{bad}: x' is no suppression: write leak:PATTERN, or # for a comment",
            ]
        );
    }

    proptest! {
        #[test]
        fn every_line_is_a_rule_a_comment_or_a_problem(
            lines in prop::collection::vec("(leak:|#|race:|)[a-z*^$: ]{0,8}", 0..12),
        ) {
            let (rules, problems) = parse(&lines.join("\n"));
            let speaking = lines.iter().filter(|line| {
                !line.trim().is_empty() && !line.trim().starts_with('#')
            });
            prop_assert_eq!(rules.len() + problems.len(), speaking.count());
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut count = 0;
            let rules = rules(&bytes, "x", &mut |_| count += 1);
            prop_assert!(rules.len() + count <= bytes.len());
        }
    }
}
