//! What the macros call. Not an interface for others.

use super::{Counts, Scope};
use crate::report;
use crate::runtime::inspect::Unobserved;
use core::fmt;
use core::future::Future;
use std::io::Write;
use std::process::{ExitCode, Termination};
use std::string::String;
use std::vec::Vec;

/// What a test demands of a count.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Which count.
    pub quantity: Quantity,
    /// How it is to compare.
    pub relation: Relation,
    /// With what.
    pub limit: u64,
    /// The same in the words of the source.
    pub text: &'static str,
}

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// [`Counts::allocations`].
    Allocations,
    /// [`Counts::bytes`].
    Bytes,
    /// [`Counts::frees`].
    Frees,
    /// [`Counts::freed_bytes`].
    FreedBytes,
}

/// How a count compares with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

impl Bound {
    fn holds(&self, counts: &Counts) -> bool {
        let count = match self.quantity {
            Quantity::Allocations => counts.allocations,
            Quantity::Bytes => counts.bytes,
            Quantity::Frees => counts.frees,
            Quantity::FreedBytes => counts.freed_bytes,
        };
        match self.relation {
            Relation::Less => count < self.limit,
            Relation::AtMost => count <= self.limit,
            Relation::Equal => count == self.limit,
            Relation::NotEqual => count != self.limit,
            Relation::AtLeast => count >= self.limit,
            Relation::Greater => count > self.limit,
        }
    }
}

/// Runs `body`; panics when a bound does not hold.
#[track_caller]
pub fn assert_allocations<T>(
    bounds: &[Bound],
    body: impl FnOnce() -> T,
    message: Option<fmt::Arguments<'_>>,
) -> T {
    let scope = Scope::new();
    let value = scope.run(body);
    fail_if(bounds_failure(&scope, bounds), message);
    value
}

/// Runs `body`; panics when it leaks.
#[track_caller]
pub fn assert_no_leaks<T>(body: impl FnOnce() -> T, message: Option<fmt::Arguments<'_>>) -> T {
    let scope = Scope::new();
    let value = scope.run(body);
    fail_if(leak_failure(&scope), message);
    value
}

/// A test function, as `#[heapsight::test]` makes it.
#[derive(Debug)]
pub struct Trial {
    scope: Scope,
}

impl Trial {
    /// A test that has not begun.
    #[expect(clippy::new_without_default, reason = "for the macro alone")]
    #[must_use]
    pub fn new() -> Self {
        Self { scope: Scope::new() }
    }

    /// Runs the test.
    #[track_caller]
    pub fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        self.scope.run(body)
    }

    /// Runs the test, where it is asynchronous.
    pub fn future<F: Future>(&self, body: F) -> super::Scoped<F> {
        self.scope.future(body)
    }

    /// What becomes of a test that returned `value`. One that says itself that it failed is not
    /// asked for more.
    #[track_caller]
    pub fn finish(self, bounds: &[Bound], value: impl Termination) -> ExitCode {
        let code = value.report();
        if code == ExitCode::SUCCESS {
            fail_if(bounds_failure(&self.scope, bounds), None);
            fail_if(leak_failure(&self.scope), None);
        }
        code
    }
}

/// Panics for that reason, if there is one.
#[track_caller]
fn fail_if(reason: Option<Reason>, message: Option<fmt::Arguments<'_>>) {
    let Some(Reason { head, details }) = reason else { return };
    match message {
        Some(message) => panic!("{head}: {message}\n{details}"),
        None => panic!("{head}\n{details}"),
    }
}

/// Why an assertion does not hold.
#[derive(Debug)]
struct Reason {
    head: String,
    details: String,
}

impl Reason {
    fn partial(claim: &str) -> Self {
        let details = "  either what is tracked was changed while the code ran, or Heapsight's \
                       records are full\n";
        let outcome = ": not all was recorded";
        Self::new(claim, outcome, |sink| sink.write_all(details.as_bytes()))
    }

    fn new(
        claim: &str,
        outcome: &str,
        write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>,
    ) -> Self {
        let mut details = Vec::new();
        let written = write(&mut details);
        debug_assert!(written.is_ok(), "a vector takes everything");
        let details = String::from_utf8_lossy(&details).into_owned();
        Self { head: std::format!("assertion `{claim}` failed{outcome}"), details }
    }
}

fn bounds_failure(scope: &Scope, bounds: &[Bound]) -> Option<Reason> {
    let _unobserved = Unobserved::begin();
    let counts = scope.counts();
    if scope.is_partial() {
        return bounds.first().map(|bound| Reason::partial(bound.text));
    }
    let bound = bounds.iter().find(|bound| !bound.holds(&counts))?;
    Some(Reason::new(bound.text, "", |sink| {
        write_counts(&counts, sink)?;
        report::write_call_sites(&scope.call_sites(), sink)
    }))
}

fn write_counts(counts: &Counts, sink: &mut Vec<u8>) -> std::io::Result<()> {
    let rows = [
        ("allocations", counts.allocations),
        ("bytes", counts.bytes),
        ("frees", counts.frees),
        ("freed_bytes", counts.freed_bytes),
    ];
    rows.iter().try_for_each(|(name, count)| writeln!(sink, "  {name:>11}: {count}"))
}

fn leak_failure(scope: &Scope) -> Option<Reason> {
    const CLAIM: &str = "no leaks";
    let _unobserved = Unobserved::begin();
    if scope.is_partial() {
        return Some(Reason::partial(CLAIM));
    }
    let leaks = scope.leaks();
    if leaks.is_empty() {
        return None;
    }
    let outcome = std::format!(": {}", report::leaked(&leaks));
    Some(Reason::new(CLAIM, &outcome, |sink| report::write_leaks(&leaks, sink)))
}
