//! Suppressions: leaks that somebody knows of, and has decided to live with for now.
//!
//! The files are LeakSanitizer's, so the same ones serve both: `leak:PATTERN` a line. What a rule
//! should have beside its pattern, who answers for it, why, and until when, stands in comments
//! above it, which LeakSanitizer skips:
//!
//! ```text
//! # owner: net-team
//! # reason: the resolver's cache is never freed, upstream bug 1234
//! # expires: 2027-06-30
//! leak:res_init
//! ```
//!
//! Such comments count for the rules up to the next empty line. A rule that has expired suppresses
//! nothing, and the report names it.

mod date;
mod parse;
mod pattern;

pub(crate) use date::Date;
pub(crate) use parse::Problem;

use super::keepers;
use super::model::{Frame, Suppression};
use super::modules::Modules;
use super::symbols::{Detail, Symbolizer};
use pattern::Pattern;
use std::borrow::ToOwned;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// What a pattern calls the module of a frame that is in none, as LeakSanitizer's does.
const UNKNOWN_MODULE: &str = "<unknown module>";

/// The rules of all files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suppressions {
    rules: Vec<Rule>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    /// The file, and the line in it.
    origin: String,
    line: u32,
    owner: Option<String>,
    reason: Option<String>,
    expires: Option<Date>,
}

/// Which rules have suppressed what.
#[derive(Clone, Debug)]
pub(crate) struct Tally<'s> {
    suppressions: &'s Suppressions,
    today: Date,
    /// For each rule: blocks and bytes.
    used: Vec<(u64, u64)>,
}

impl Suppressions {
    /// Adds the rules of a text; what is wrong with it goes to `on_problem`, and the other lines
    /// count. `origin` is what messages call it.
    pub(crate) fn add(&mut self, text: &[u8], origin: &str, on_problem: &mut dyn FnMut(Problem)) {
        self.rules.extend(parse::rules(text, origin, on_problem));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Begins to look what they suppress.
    pub(crate) fn tally(&self, today: Date) -> Tally<'_> {
        Tally { suppressions: self, today, used: vec![(0, 0); self.rules.len()] }
    }
}

impl Rule {
    fn has_expired(&self, today: Date) -> bool {
        // The last day counts.
        self.expires.is_some_and(|last| last < today)
    }

    /// Whether it speaks for any call of a stack.
    fn matches(&self, frames: &[Frame]) -> bool {
        frames.iter().any(|frame| {
            let module = frame.module.as_deref().unwrap_or(UNKNOWN_MODULE);
            let names = [frame.function.as_deref(), frame.file.as_deref(), Some(module)];
            names.into_iter().flatten().any(|name| self.pattern.matches(name))
        })
    }
}

impl Tally<'_> {
    /// Whether the leaks of a stack are suppressed; they are counted then. The first rule that
    /// matches counts them.
    fn take(&mut self, frames: &[Frame], blocks: u64, bytes: u64) -> bool {
        let rules = &self.suppressions.rules;
        let matching =
            rules.iter().position(|rule| !rule.has_expired(self.today) && rule.matches(frames));
        if let Some(used) = matching.and_then(|number| self.used.get_mut(number)) {
            *used = (used.0 + blocks, used.1 + bytes);
        }
        matching.is_some()
    }

    /// For each of some leaks, return addresses, blocks and bytes, whether it is suppressed.
    pub(crate) fn take_all<'l>(
        &mut self,
        leaks: impl Iterator<Item = (&'l [u64], u64, u64)>,
        modules: &Modules,
    ) -> Vec<bool> {
        let mut symbolizer = Symbolizer::new(modules);
        let mut take = |(stack, blocks, bytes): (&[u64], u64, u64)| {
            let stack = symbolizer.without_own(stack);
            // What a run-time library keeps is no leak in any case.
            let names = symbolizer.frames(stack, Detail::Names);
            let is_kept = keepers::is_kept(&names, false);
            !is_kept && self.take(&symbolizer.frames(stack, Detail::Lines), blocks, bytes)
        };
        leaks.map(&mut take).collect()
    }

    /// For the report: each rule, and what it has suppressed.
    pub(crate) fn into_uses(self) -> Vec<Suppression> {
        let rules = self.suppressions.rules.iter().zip(self.used);
        rules
            .map(|(rule, (blocks, bytes))| Suppression {
                pattern: rule.pattern.text().to_owned(),
                origin: rule.origin.clone(),
                line: rule.line,
                owner: rule.owner.clone(),
                reason: rule.reason.clone(),
                expires: rule.expires.map(Date::text),
                has_expired: rule.has_expired(self.today),
                blocks,
                bytes,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str, module: Option<&str>) -> Frame {
        Frame {
            function: Some(function.into()),
            file: Some(file.into()),
            module: module.map(Into::into),
            ..Frame::default()
        }
    }

    fn suppressions(text: &str) -> Suppressions {
        let mut suppressions = Suppressions::default();
        suppressions.add(text.as_bytes(), "s.supp", &mut |problem| panic!("{problem}"));
        suppressions
    }

    #[test]
    fn any_call_of_the_stack_may_match_by_function_file_or_module() {
        let stack =
            [frame("alloc", "/src/pool.c", Some("/lib/libpool.so.1")), frame("run", "m.c", None)];
        for (rule, matches) in [
            ("leak:alloc", true),
            ("leak:pool.c", true),
            ("leak:libpool", true),
            ("leak:^run$", true),
            ("leak:^<unknown module>$", true),
            ("leak:^loc$", false),
            ("leak:free", false),
        ] {
            let suppressions = suppressions(rule);
            let mut tally = suppressions.tally(Date::of(2026, 1, 1).expect("a date"));
            assert_eq!(tally.take(&stack, 2, 30), matches, "{rule}");
            let uses = tally.into_uses();
            assert_eq!((uses[0].blocks, uses[0].bytes), if matches { (2, 30) } else { (0, 0) });
        }
    }

    #[test]
    fn the_first_rule_that_is_still_in_force_counts() {
        let text = "# expires: 2026-03-31\nleak:alloc\n\nleak:alloc\nleak:a*c\n";
        let suppressions = suppressions(text);
        let used = |year, month, day| {
            let mut tally = suppressions.tally(Date::of(year, month, day).expect("a date"));
            assert!(tally.take(&[frame("alloc", "a.c", None)], 1, 8));
            let uses = tally.into_uses();
            assert_eq!(uses.iter().map(|one| one.line).collect::<Vec<_>>(), [2, 4, 5]);
            assert!(!uses[1].has_expired && !uses[2].has_expired);
            let first = uses.iter().position(|one| one.blocks == 1);
            (uses[0].has_expired, first)
        };
        assert_eq!(used(2026, 3, 31), (false, Some(0)));
        assert_eq!(used(2026, 4, 1), (true, Some(1)));
    }
}
