//! `heapsight diff`: what changed between two ledgers.

use heapsight::ledger::Snapshot;

use crate::args::viewing::DiffArgs;
use crate::failure::Failure;
use crate::page::diff::Difference;
use crate::page::{self, diff as pages};
use crate::view::diff::{Match, Pair, changed, pairs, rebuilt};
use crate::view::names::Names;
use crate::view::source::{Ledger, Source};

/// Prints the difference; fails if it is larger than allowed.
pub(crate) fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let before = Source::find(&args.before)?.read()?;
    let after = Source::find(&args.after)?.read()?;
    let names = [(); 2].map(|()| Names::new(!args.no_symbols));
    let (page, growth) = page([&before, &after], args, names)?;
    // With exit code 1 for growth, an output that fails needs another.
    page::print(&page)
        .map_err(|error| Failure::Question(format!("cannot write to standard output: {error}")))?;
    growth.map_or(Ok(()), |text| Err(Failure::Growth(text)))
}

/// What is printed, and why that is too much.
fn page(
    ledgers: [&Ledger; 2],
    args: &DiffArgs,
    mut names: [Names; 2],
) -> Result<(String, Option<String>), Failure> {
    let metric = args.by;
    if !metric.is_additive() {
        let word = metric.word();
        return Err(Failure::Question(format!(
            "--by {word} has no differences: choose another, as live, bytes or count"
        )));
    }
    let snapshots = ledgers.map(|ledger| &ledger.snapshot);
    if args.matching == Match::Function {
        for (names, snapshot) in names.iter_mut().zip(snapshots) {
            let nodes: Vec<_> = snapshot.used_sites().map(|(_, site)| site.node).collect();
            page::resolve(names, snapshot, &nodes);
        }
    }
    let all = pairs([(snapshots[0], &names[0]), (snapshots[1], &names[1])], args.matching);
    let sum =
        |side: usize| all.iter().map(|it| it.values(metric)[side]).fold(0, u64::saturating_add);
    let totals = [sum(0), sum(1)];
    let changed = changed(all, metric);
    let shown = if args.top == 0 { changed.len() } else { args.top };
    for (side, (names, snapshot)) in names.iter_mut().zip(snapshots).enumerate() {
        let shown = changed.iter().take(shown).filter_map(|pair: &Pair| pair.nodes[side]);
        page::resolve(names, snapshot, &shown.collect::<Vec<_>>());
    }
    let names = names.each_ref();
    let notes = notes(snapshots, args.matching);
    let difference = Difference {
        metric,
        ledgers,
        names,
        changed,
        totals,
        top: args.top,
        is_whole: args.whole,
        notes,
    };
    let mut out = String::new();
    if args.json {
        out = format!("{:#}\n", pages::json(&difference));
    } else {
        let infallible = pages::write(&mut out, &difference);
        debug_assert!(infallible.is_ok(), "a string takes everything");
    }
    let is_above = |limit: &u64| difference.growth() > i128::from(*limit);
    let growth = args.fail_above.filter(is_above).map(|limit| {
        let (growth, limit) = (difference.text(difference.growth()), metric.text(limit));
        format!("{}: {growth} is above the {limit} of --fail-above", metric.phrase())
    });
    Ok((out, growth))
}

fn notes([before, after]: [&Snapshot; 2], matching: Match) -> Vec<String> {
    let mut notes = Vec::new();
    let rebuilt = rebuilt(before, after);
    if let Some(path) = rebuilt.first().filter(|_| matching == Match::Offset) {
        notes.push(format!(
            "{path} was rebuilt in between, so its call stacks match nothing: use --match function"
        ));
    }
    if before.tracking.is_estimated || after.tracking.is_estimated {
        notes.push("numbers are estimates by sampling: small differences mean nothing".into());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use crate::view::sample;
    use clap::Parser;

    fn page_of(line: &str, change: fn(&mut Snapshot)) -> Result<(String, Option<String>), String> {
        let words = ["heapsight", "diff", "a", "b"].into_iter().chain(line.split_whitespace());
        let Command::Diff(args) = Args::parse_from(words).command else { panic!("diff") };
        let ledger = |snapshot| Ledger { path: "a".into(), snapshot, is_alive: false };
        let (before, mut after) = (sample::snapshot(), sample::snapshot());
        change(&mut after);
        let names = [sample::names(), sample::names()];
        let page = page([&ledger(before), &ledger(after)], &args, names);
        let (page, growth) = page.map_err(|failure| failure.to_string())?;
        Ok((anstream::adapter::strip_str(&page).to_string(), growth))
    }

    #[test]
    fn equal_ledgers_differ_in_nothing() {
        for line in ["", "--match function", "--by bytes --json"] {
            let (page, growth) =
                page_of(&format!("{line} --fail-above 0"), |_| ()).expect("a page");
            assert!(page.contains("no call stack differs in bytes"), "{page}");
            assert_eq!(growth, None);
        }
    }

    #[test]
    fn growth_is_shown_and_fails_above_the_limit() {
        let grow = |snapshot: &mut Snapshot| snapshot.sites[2].counters.live_bytes += 2048;
        for line in ["--fail-above 2K", "--fail-above 2K --match function"] {
            let (page, growth) = page_of(line, grow).expect("a page");
            assert_eq!(growth, None);
            for expected in [
                "heapsight: bytes in use: +2.0 KiB, from 5.2 KiB to 7.2 KiB; 1 call stack changed",
                "  1. +2.0 KiB grown\n",
                "#0  add_item  src/shop.c:14 (inlined)",
            ] {
                assert!(page.contains(expected), "{expected} is missing from:\n{page}");
            }
        }
        let (page, growth) = page_of("--fail-above 1K --json", grow).expect("a page");
        assert!(growth.is_some_and(|text| text.contains("+2.0 KiB is above the 1.0 KiB of")));
        let page: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        assert_eq!((&page["growth"], &page["changes"][0]["fate"]), (&2048.into(), &"grown".into()));
    }

    #[test]
    fn a_rebuilt_program_is_pointed_out() {
        let rebuild = |snapshot: &mut Snapshot| snapshot.modules[0].build_id = vec![7];
        let (page, _) = page_of("", rebuild).expect("a page");
        assert!(page.contains("was rebuilt in between"), "{page}");
        let (page, _) = page_of("--match function", rebuild).expect("a page");
        assert!(page.contains("no call stack differs"), "{page}");
    }
}
