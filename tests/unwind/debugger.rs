//! Whole programs against a debugger's opinion.
//!
//! gdb stops a program under the preload library at calls of the allocation functions, notes its
//! own backtrace, lets the call return and looks at which site's counter has grown in the part of
//! the ledger that only this thread writes: that is the stack which Heapsight has recorded for this
//! very block (`stops.py`). Afterwards the ledger is read and each pair compared.
//!
//! Two differences are expected, and nothing else:
//!
//! - Heapsight's own frames come first in both, but not always the same: they are left out.
//! - Code of a just-in-time compiler has no unwind information. Heapsight marks that the stack is
//!   not known beyond it; gdb goes on by guesses, which may be right or absurd. So what is compared
//!   is the part up to the mark, and the frame at the mark must really lack unwind information.

use crate::budget::budget;
use crate::described::Described;
use crate::support::{Need, Run, TempDir, artifact, find_command, install, missing};
use heapsight::ledger::{self, Ending, Frame, FrameKind, Snapshot};
use object::{Object, ObjectSymbol};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIBRARY: &str = "libheapsight.so";

/// What is stopped at.
const ENTRIES: [&str; 4] = ["malloc", "calloc", "realloc", "_Znwm"];
/// At most so many calls of each are passed by between two stops.
const SKIP: usize = 200;
const PATIENCE: Duration = Duration::from_secs(900);

const GDB: Need = Need { commands: "gdb", packages: "gdb" };
const PYTHON: Need = Need { commands: "python3", packages: "python3" };
const NODE: Need = Need { commands: "node", packages: "nodejs" };
const JAVA: Need = Need { commands: "java", packages: "default-jdk-headless" };

#[test]
fn exceptions_and_threads_are_recorded_as_gdb_sees_them() {
    let directory = TempDir::new("exceptions");
    let program = directory.join("exceptions");
    // A gap between its segments, as node has: the loader fills those of shared objects only.
    let status = Command::new("c++")
        .args(["-O2", "-g0", "-pthread", "-Wl,--section-start=.text=0x4000000", "-o"])
        .args([&program, &source("exceptions.cpp")])
        .status();
    assert!(status.expect("a compiler").success());
    let counts = compare("C++", None, &[program], "");
    assert!(counts.is_none_or(|counts| counts.unknown == 0), "all of it is described");
}

#[test]
fn python_is_recorded_as_gdb_sees_it() {
    let counts = compare("python3", Some(PYTHON), &[source("work.py")], "getppid");
    assert!(counts.is_none_or(|counts| counts.unknown == 0), "all of it is described");
}

#[test]
fn node_is_recorded_as_gdb_sees_it() {
    let counts = compare("node", Some(NODE), &[source("work.js")], "getppid");
    assert!(counts.is_none_or(|counts| counts.unknown > 0), "compiled code has been met");
}

#[test]
fn java_is_recorded_as_gdb_sees_it() {
    let counts = compare("java", Some(JAVA), &[source("Work.java")], "deflateInit2_");
    assert!(counts.is_none_or(|counts| counts.unknown > 0), "compiled code has been met");
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unwind/programs").join(name)
}

/// What has been compared.
#[derive(Debug, Default)]
struct Counts {
    stops: usize,
    frames: usize,
    /// Stacks that end in code without unwind information.
    unknown: usize,
}

/// Stops a program from the first call of `marker` on, and compares. `None`: something is missing.
fn compare(name: &str, need: Option<Need>, command: &[PathBuf], marker: &str) -> Option<Counts> {
    let needs = || [Some(GDB), need].into_iter().flatten();
    install(&format!("gdb-{name}"), needs());
    let absent: Vec<_> = needs().flat_map(|need| missing(&need)).collect();
    if !absent.is_empty() {
        crate::say(&format!("SKIPPED: {name} under gdb, as there is no {}", absent.join(", ")));
        return None;
    }
    let directory = TempDir::new("stops");
    let interpreter = need.and_then(|need| find_command(need.commands));
    let ledger = directory.join("ledger");
    let stops = stop(&directory, interpreter.as_deref().into_iter().chain(paths(command)), marker);
    let snapshot = ledger::read(&ledger).expect("a ledger");
    let mut described = Described::default();
    let mut counts = Counts::default();
    for stop in &stops {
        let (frames, is_unknown) = compare_stop(stop, &snapshot, &mut described);
        counts.stops += 1;
        counts.frames += frames;
        counts.unknown += usize::from(is_unknown);
    }
    let Counts { stops, frames, unknown } = counts;
    crate::say(&format!(
        "{name} under gdb: {stops} stacks of {frames} frames compared, {unknown} of them ending in \
         code without unwind information"
    ));
    Some(counts)
}

fn paths(paths: &[PathBuf]) -> impl Iterator<Item = &Path> {
    paths.iter().map(PathBuf::as_path)
}

/// A block at whose allocation the program was stopped.
struct Stop {
    /// The site that counted it.
    site: usize,
    /// The callers by gdb, innermost first.
    callers: Vec<u64>,
}

/// Runs the program under gdb. Its ledger is left in the directory.
fn stop<'a>(
    directory: &TempDir,
    command: impl Iterator<Item = &'a Path>,
    marker: &str,
) -> Vec<Stop> {
    let (ledger, out, library) =
        (directory.join("ledger"), directory.join("out"), artifact(LIBRARY));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unwind/stops.py");
    let story = Run::new("gdb")
        .args(["-nx", "-batch", "-x"])
        .arg(script)
        .arg("--args")
        .args(command)
        .env("STOPS_COUNT", budget().stops.to_string())
        .env("STOPS_SKIP", SKIP.to_string())
        .env("STOPS_MARKER", marker)
        .env("STOPS_OFFSETS", offsets(&library))
        .env("STOPS_OUT", &out)
        .env("STOPS_LEDGER", &ledger)
        .env("STOPS_LD_PRELOAD", &library)
        .env("STOPS_HEAPSIGHT", format!("track=full,ledger={}", ledger.display()))
        .env("STOPS_PYTHONMALLOC", "malloc")
        .deadline(PATIENCE)
        .outcome()
        .story();
    let text = fs::read_to_string(&out).unwrap_or_default();
    let stops = text.strip_suffix("done\n").unwrap_or_else(|| panic!("{text}\n{story}"));
    let stops: Vec<_> = stops.lines().map(Stop::parse).collect();
    assert_eq!(stops.len(), budget().stops, "the program ended early\n{story}");
    stops
}

impl Stop {
    fn parse(line: &str) -> Self {
        let (sites, callers) = line.split_once('|').expect("sites and callers");
        let sites: Vec<_> = sites.split_whitespace().collect();
        let [site] = sites[..] else { panic!("not one site has counted the block: {line}") };
        let hexadecimal = |word| u64::from_str_radix(word, 16).expect("an address");
        let callers = callers.split_whitespace().map(hexadecimal).collect();
        Self { site: site.parse().expect("a site"), callers }
    }
}

/// Where the entries are in the library.
fn offsets(library: &Path) -> String {
    let bytes = fs::read(library).expect("the library");
    let file = object::File::parse(&*bytes).expect("the library");
    let offset = |entry| {
        let symbol = file.dynamic_symbols().find(|symbol| symbol.name() == Ok(entry));
        symbol.expect("an entry").address().to_string()
    };
    ENTRIES.map(offset).join(" ")
}

/// Compares the two opinions of a stack: how many frames were compared, and whether it has more.
fn compare_stop(stop: &Stop, snapshot: &Snapshot, described: &mut Described) -> (usize, bool) {
    let site = &snapshot.sites[stop.site];
    let recorded = stack(snapshot, site.node as usize);
    let ending = recorded.last().and_then(|frame| match frame.kind {
        FrameKind::Ending(ending) => Some(ending),
        _ => None,
    });
    let frames = &recorded[..recorded.len() - usize::from(ending.is_some())];
    let ours: Vec<_> = frames.iter().map(|frame| frame.address).collect();
    let (ours, theirs) = (without_own(&ours, snapshot), without_own(&stop.callers, snapshot));
    let is_equal = match ending {
        None => ours == theirs,
        Some(Ending::NoInfo) => {
            let last = frames.last().expect("a frame");
            !described.is_described(last, snapshot) && theirs.starts_with(ours)
        }
        Some(_) => false,
    };
    assert!(is_equal, "site {}: {ending:?}\nours {ours:x?}\ngdb  {theirs:x?}", stop.site);
    (ours.len(), ending.is_some())
}

/// The frames of a stack, innermost first.
fn stack(snapshot: &Snapshot, mut node: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    while node != 0 {
        let record = &snapshot.nodes[node];
        frames.push(snapshot.frames[record.frame as usize]);
        node = record.parent as usize;
    }
    frames
}

/// The callers from the first on that is none of Heapsight's functions.
fn without_own<'a>(callers: &'a [u64], snapshot: &Snapshot) -> &'a [u64] {
    let own = snapshot.modules.iter().find(|module| module.path.ends_with(LIBRARY));
    // A module is recorded with its first frame.
    let is_own = |caller: &u64| own.is_some_and(|own| (own.start..own.end).contains(caller));
    &callers[callers.iter().take_while(|caller| is_own(caller)).count()..]
}
