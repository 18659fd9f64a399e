//! `heapsight report`: where a process's memory went.

use heapsight::ledger::Snapshot;
use serde_json::{Value, json};

use crate::args::viewing::ReportArgs;
use crate::failure::Failure;
use crate::page::report::{Hot, culprit, write_head, write_hot};
use crate::page::{self, tables, tree};
use crate::view::metric::Metric;
use crate::view::names::Names;
use crate::view::sites::{Row, merged, ranked, value};
use crate::view::source::{Ledger, Source};
use crate::view::stacks::Stack;
use crate::view::tree::{Labels, Tree};
use crate::view::verdict::{Culprit, verdict};
use crate::view::weight::{By, Chosen, Direction, Weight};

/// Call stacks looked at for each that is shown: some turn out to be of the same lines.
const SPARE: usize = 2;

/// Prints the report.
pub(crate) fn report(args: &ReportArgs) -> Result<(), Failure> {
    let ledger = Source::find(&args.ledger)?.read()?;
    Ok(page::print(&page(&ledger, args, Names::new(!args.no_symbols))?)?)
}

/// What is printed.
fn page(ledger: &Ledger, args: &ReportArgs, mut names: Names) -> Result<String, Failure> {
    let snapshot = &ledger.snapshot;
    let metric = args.by;
    let needs_sum = args.tree.is_some() || args.functions || args.modules;
    if needs_sum && !metric.is_additive() {
        return Err(Failure::Question(format!(
            "--by {} has no sums for a tree or a table: leave it out, or choose another",
            metric.word()
        )));
    }
    let hot = Hot { is_whole: args.whole, ..hot(snapshot, &mut names, metric, args.top) };
    let culprit = culprit_of_peak(snapshot, &mut names);
    let culprit = culprit.as_ref();
    let chosen = needs_sum.then(|| Chosen::of(snapshot, metric));
    if let Some(chosen) = &chosen {
        page::resolve(&mut names, snapshot, &chosen.nodes());
    }
    let weight = chosen.as_ref().map(|chosen| chosen.weight(snapshot, &names));
    if args.json {
        let verdict = verdict(ledger, culprit);
        return Ok(json_page(ledger, args, &names, &hot, &verdict, weight.as_ref()));
    }
    let mut out = String::new();
    let infallible = write_head(&mut out, ledger, &names, culprit).and_then(|()| {
        match (args.tree, &weight) {
            (Some(direction), Some(weight)) => {
                let (labels, tree) = weight.tree(direction);
                let title = format!("{} by {}", heading(direction), metric.phrase());
                tree::write(&mut out, &title, metric, &labels, &tree)?;
            }
            _ => write_hot(&mut out, snapshot, &names, &hot)?,
        }
        write_tables(&mut out, snapshot, args, weight.as_ref())
    });
    debug_assert!(infallible.is_ok(), "a string takes everything");
    Ok(out)
}

fn write_tables(
    out: &mut String,
    snapshot: &Snapshot,
    args: &ReportArgs,
    weight: Option<&Weight<'_>>,
) -> std::fmt::Result {
    let top = if args.top == 0 { usize::MAX } else { args.top };
    for (by, weight) in wanted(args).into_iter().zip(weight.into_iter().cycle()) {
        let (labels, entries) = weight.flat(by);
        tables::write_flat(out, args.by, word(by), &labels, &entries, (top, weight.total))?;
    }
    if args.threads {
        tables::write_threads(out, snapshot, usize::MAX)?;
    }
    if args.classes {
        tables::write_classes(out, snapshot)?;
    }
    if args.timeline {
        tables::write_timeline(out, snapshot)?;
    }
    if args.events {
        tables::write_events(out, &snapshot.events)?;
    }
    Ok(())
}

fn heading(direction: Direction) -> &'static str {
    match direction {
        Direction::Callers => "Allocating functions and their callers",
        Direction::Callees => "Calls from the roots down",
    }
}

/// The tables of shares that were asked for.
fn wanted(args: &ReportArgs) -> Vec<By> {
    let functions = args.functions.then_some(By::Function);
    functions.into_iter().chain(args.modules.then_some(By::Module)).collect()
}

fn word(by: By) -> &'static str {
    match by {
        By::Function => "Function",
        By::Module => "Module",
    }
}

/// The call stacks to show, with their names.
fn hot(snapshot: &Snapshot, names: &mut Names, metric: Metric, top: usize) -> Hot {
    let mut rows = ranked(snapshot, metric);
    let of = |row: &Row| value(snapshot, metric, &row.counters);
    let total = rows.iter().map(of).fold(0, u64::saturating_add);
    let all = rows.len();
    let top = if top == 0 { all } else { top };
    rows.truncate(top.saturating_mul(SPARE));
    let looked_at = rows.len();
    let nodes: Vec<_> = rows.iter().map(|row| row.node).collect();
    page::resolve(names, snapshot, &nodes);
    let mut rows = merged(snapshot, names, metric, rows);
    let number = all - (looked_at - rows.len());
    rows.truncate(top);
    Hot { metric, rows, number, total, is_whole: false }
}

/// The function that had most of the peak.
fn culprit_of_peak(snapshot: &Snapshot, names: &mut Names) -> Option<Culprit> {
    let mut hot = hot(snapshot, names, Metric::Peak, 1);
    let first = hot.rows.pop()?;
    let name = culprit(&Stack::of(snapshot, names, first.node));
    let bytes = first.counters.at_peak_bytes;
    let whole = hot.total.max(snapshot.totals.peak_bytes);
    Some(Culprit { name, bytes, whole, call_stacks: hot.number })
}

fn json_page(
    ledger: &Ledger,
    args: &ReportArgs,
    names: &Names,
    hot: &Hot,
    verdict: &str,
    weight: Option<&Weight<'_>>,
) -> String {
    let snapshot = &ledger.snapshot;
    let mut page = page::json::head(ledger, verdict);
    page.insert("metric".into(), hot.metric.word().into());
    page.insert("call_stacks".into(), hot.number.into());
    page.insert("total".into(), hot.total.into());
    let row = |row| page::json::row(row, &Stack::of(snapshot, names, row.node));
    page.insert("sites".into(), hot.rows.iter().map(row).collect());
    if let (Some(direction), Some(weight)) = (args.tree, weight) {
        let (labels, tree) = weight.tree(direction);
        page.insert("tree".into(), json_tree(&labels, &tree, 0));
    }
    for (by, weight) in wanted(args).into_iter().zip(weight.into_iter().cycle()) {
        let (labels, entries) = weight.flat(by);
        let entry = |entry: &crate::view::flat::Entry| {
            let (own, inclusive) = (entry.own.value, entry.inclusive.value);
            json!({ "name": labels.name(entry.label), "own": own, "inclusive": inclusive })
        };
        let name = format!("{}s", word(by).to_lowercase());
        page.insert(name, entries.iter().map(entry).collect());
    }
    let wanted = [args.threads, args.classes, args.timeline, args.events];
    page.append(&mut page::json::tables(snapshot, wanted));
    format!("{:#}\n", Value::Object(page))
}

/// A node with its callees (or callers) inside; cut where JSON's readers would give up.
fn json_tree(labels: &Labels, tree: &Tree, depth: usize) -> Value {
    fn node(labels: &Labels, tree: &Tree, place: usize, depth: usize) -> Value {
        const DEPTH_MAX: usize = 100;
        let it = &tree.nodes[place];
        let children = it.children.iter().filter(|_| depth < DEPTH_MAX);
        json!({
            "name": if place == 0 { "" } else { labels.name(it.label) },
            "own": it.own.value,
            "inclusive": it.inclusive.value,
            "children": children.map(|it| node(labels, tree, *it, depth + 1)).collect::<Vec<_>>(),
        })
    }
    node(labels, tree, 0, depth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use crate::view::sample;
    use clap::Parser;

    fn page_of(line: &str) -> Result<String, String> {
        let words = ["heapsight", "report", "x"].into_iter().chain(line.split_whitespace());
        let Command::Report(args) = Args::parse_from(words).command else { panic!("report") };
        let snapshot = sample::snapshot();
        let ledger = Ledger { path: "shop.ledger".into(), snapshot, is_alive: false };
        let page = page(&ledger, &args, sample::names()).map_err(|failure| failure.to_string())?;
        Ok(anstream::adapter::strip_str(&page).to_string())
    }

    #[test]
    fn the_verdict_comes_first() {
        let page = page_of("").expect("a page");
        let first =
            "heapsight: /opt/shop/shop (pid 31137) exited with 0 after 2.3 s; 5.2 KiB in 13";
        assert!(page.starts_with(first), "{page}");
        assert!(page.contains("93 % of it from add_item\n"), "{page}");
        for expected in [
            "command      ./shop --open 'a b'",
            "overhead     293 KiB of records, 488 KiB of ledger",
            "recorded     every block",
            "Call stacks by bytes at the peak (4 of 4)",
        ] {
            assert!(page.contains(expected), "{expected} is missing from:\n{page}");
        }
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let page = page_of("--top 1 --by bytes").expect("a page");
        assert!(page.contains("... and 3 smaller call stacks with 67.8 KiB: --top 0"), "{page}");
        let page = page_of("--top 0 --by lifetime").expect("a page");
        assert!(
            page.contains("Call stacks by median lifetime (3 of 3)\n\n  1. 4.0 KiB\n"),
            "{page}"
        );
    }

    #[test]
    fn trees_and_tables_come_on_demand() {
        let all = "--by count --functions --modules --threads --classes --timeline --events";
        let page = page_of(&format!("{all} --tree callers")).expect("a page");
        for expected in [
            "Allocating functions and their callers by blocks allocated",
            "89 %  ├ greet",
            "Functions by blocks allocated (",
            "Modules by blocks allocated (",
            "Threads (1 of 1)",
            "Size classes",
            "Bytes in use over time",
            "Events",
        ] {
            assert!(page.contains(expected), "{expected} is missing from:\n{page}");
        }
        assert!(page_of("--by lifetime --functions").is_err_and(|it| it.contains("has no sums")));
    }

    #[test]
    fn json_has_the_same() {
        let all = "--functions --threads --classes --timeline --events --tree callees --json";
        let page: Value = serde_json::from_str(&page_of(all).expect("a page")).expect("JSON");
        assert_eq!(page["version"], 1);
        assert_eq!(page["process"]["pid"], 31137);
        assert_eq!(page["sites"][0]["stack"][0]["function"], "add_item");
        assert_eq!(page["sites"][0]["stack"][0]["inlined"], true);
        assert_eq!(page["tree"]["inclusive"], page["total"]);
        assert_eq!(page["functions"][0]["name"], "main");
        assert_eq!(page["timeline"].as_array().map(Vec::len), Some(24));
        assert_eq!(page["events"][1]["detail"], "open");
        assert!(page["notes"].as_array().is_some_and(|notes| notes.len() == 3));
    }
}
