//! The one sentence that comes first, and the notes that qualify all numbers.

use heapsight::ledger::{Mode, Snapshot, State};

use super::names::Names;
use super::numbers::{count, duration, grouped, percent, size};
use super::source::Ledger;

/// How the process fared: `is running`, `exited with 0`.
pub(crate) fn state(ledger: &Ledger) -> String {
    match ledger.snapshot.process.state {
        State::Running if ledger.is_alive => "is running".into(),
        State::Running => "ended without a word".into(),
        State::Exited(status) => format!("exited with {status}"),
        State::Replaced => "became another program".into(),
        State::Killed(signal) => format!("was ended by signal {signal}"),
    }
}

/// Whoever has less of the peak is not worth naming in one sentence.
const CULPRIT_PERCENT: u64 = 10;

/// Who allocated most of the peak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Culprit {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Of what is held at the peak.
    pub(crate) whole: u64,
    /// Call stacks that hold anything then.
    pub(crate) call_stacks: usize,
}

/// What is to be said of a ledger in one sentence.
pub(crate) fn verdict(ledger: &Ledger, culprit: Option<&Culprit>) -> String {
    let Snapshot { process, totals, tracking, .. } = &ledger.snapshot;
    let name = if process.program.is_empty() { "the process" } else { &process.program };
    let subject = format!("{name} (pid {}) {}", process.pid, state(ledger));
    let time = duration(process.elapsed_ns);
    if totals.total_allocations == 0 {
        let reason = match tracking.mode {
            Mode::Off => ": nothing is recorded with track=off",
            _ => "",
        };
        return format!("{subject} after {time} and allocated nothing{reason}");
    }
    let live = count(totals.current_allocations, "block");
    let rest = match (totals.current_allocations, process.state) {
        (0, _) => "nothing is in use".into(),
        (_, State::Running) => {
            let verb = if ledger.is_alive { "are" } else { "were" };
            format!("{} in {live} {verb} in use", size(totals.current_bytes))
        }
        _ => format!("{} in {live} were never freed", size(totals.current_bytes)),
    };
    let peak = format!(
        "it held at most {}, {} after its start",
        size(totals.peak_bytes),
        duration(totals.peak_ns)
    );
    let culprit = culprit.map_or_else(String::new, |culprit| {
        let Culprit { name, bytes, whole, call_stacks } = culprit;
        match percent(*bytes, *whole) {
            Some(share) if share >= CULPRIT_PERCENT => format!(", {share} % of it from {name}"),
            _ => format!(", spread over {}", count(*call_stacks as u64, "call stack")),
        }
    });
    let link = if process.state == State::Running && ledger.is_alive { "for" } else { "after" };
    format!("{subject} {link} {time}; {rest}; {peak}{culprit}")
}

/// How exact the numbers are, in words.
pub(crate) fn precision(snapshot: &Snapshot) -> String {
    match snapshot.tracking.mode {
        Mode::Off => "nothing is recorded now".into(),
        Mode::Stats => "counts and bytes, without call stacks".into(),
        Mode::Sample { bytes } => format!(
            "one sample in {} on average: call stacks' numbers are estimates, ± one standard \
             deviation",
            size(bytes)
        ),
        Mode::Full if snapshot.tracking.is_estimated => {
            "every block now; earlier ones were sampled, so numbers are estimates, ± one standard \
             deviation"
                .into()
        }
        Mode::Full => "every block".into(),
    }
}

/// The memory that Heapsight itself takes.
pub(crate) fn overhead(snapshot: &Snapshot) -> String {
    let tracking = &snapshot.tracking;
    format!(
        "{} of records, {} of ledger",
        size(tracking.overhead_bytes),
        size(tracking.ledger_bytes)
    )
}

/// Sentences on what is missing from the numbers.
pub(crate) fn notes(ledger: &Ledger) -> Vec<String> {
    let Snapshot { process, tracking, .. } = &ledger.snapshot;
    let mut notes = Vec::new();
    if process.state == State::Running && !ledger.is_alive {
        notes.push(
            "the process could not tell how it ended: _exit, SIGKILL, or the kernel out of memory"
                .into(),
        );
    }
    if let Some(parent) = process.forked_from {
        notes.push(format!("it was forked from process {parent}, and counts from then on"));
    }
    if tracking.before_blocks > 0 {
        notes.push(format!(
            "{} ({}) lived when tracking began: where they are from is not known",
            count(tracking.before_blocks, "block"),
            size(tracking.before_bytes)
        ));
    }
    if tracking.unseen > 0 {
        let blocks = count(tracking.unseen, "block");
        notes.push(format!("{blocks} went unrecorded for lack of memory"));
    }
    if tracking.refused_stacks > 0 {
        let stacks = count(tracking.refused_stacks, "allocation");
        notes.push(format!("{stacks} found no room for their call stack in the ledger"));
    }
    for (section, records) in &tracking.refused {
        let records = grouped(*records);
        notes.push(format!("the ledger's section '{section}' is full: {records} not recorded"));
    }
    notes
}

/// Sentences on names that could not be found.
pub(crate) fn unreadable(snapshot: &Snapshot, names: &Names) -> Vec<String> {
    let paths = names.unreadable().filter_map(|number| snapshot.modules.get(number));
    let is_file = |path: &&str| path.starts_with('/');
    paths
        .map(|module| module.path.as_str())
        .filter(is_file)
        .map(|path| format!("no names from {path}: it is gone or was rebuilt since"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn ledger(change: impl FnOnce(&mut Snapshot)) -> Ledger {
        let mut snapshot = sample::snapshot();
        change(&mut snapshot);
        Ledger { path: "a.ledger".into(), snapshot, is_alive: false }
    }

    #[test]
    fn the_verdict_names_state_remains_peak_and_culprit() {
        let name = "add_item".into();
        let culprit = Culprit { name, bytes: 400_000, whole: 561_488, call_stacks: 4 };
        let text = verdict(&ledger(|_| ()), Some(&culprit));
        assert_eq!(
            text,
            "/opt/shop/shop (pid 31137) exited with 0 after 2.3 s; 5.2 KiB in 13 blocks were never \
             freed; it held at most 548 KiB, 1.2 s after its start, 71 % of it from add_item"
        );
        let small = Culprit { bytes: 4000, ..culprit };
        let text = verdict(&ledger(|_| ()), Some(&small));
        assert!(text.ends_with("after its start, spread over 4 call stacks"), "{text}");
        let text = verdict(&ledger(|it| it.process.state = State::Killed(9)), None);
        assert!(text.contains("was ended by signal 9 after 2.3 s"), "{text}");
    }

    #[test]
    fn a_process_that_ended_silently_is_not_said_to_run() {
        let mut silent = ledger(|it| it.process.state = State::Running);
        let text = verdict(&silent, None);
        assert!(text.contains("ended without a word after 2.3 s; 5.2 KiB in 13 blocks were in"));
        assert!(notes(&silent)[0].contains("SIGKILL"));
        silent.is_alive = true;
        assert!(verdict(&silent, None).contains("is running for 2.3 s; 5.2 KiB in 13 blocks are"));
    }

    #[test]
    fn gaps_are_told() {
        let text = notes(&ledger(|it| it.tracking.unseen = 1)).join("\n");
        assert!(text.contains("7 blocks (700 B) lived when tracking began"), "{text}");
        assert!(text.contains("1 block went unrecorded"), "{text}");
        assert!(text.contains("4 allocations found no room"), "{text}");
        assert!(text.contains("section 'timeline' is full: 2 not recorded"), "{text}");
    }

    #[test]
    fn estimates_are_called_so() {
        let sampled = ledger(|it| it.tracking.mode = Mode::Sample { bytes: 512 << 10 });
        assert!(precision(&sampled.snapshot).contains("one sample in 512 KiB on average"));
        let mixed = ledger(|it| it.tracking.is_estimated = true);
        assert!(precision(&mixed.snapshot).contains("estimates"));
    }
}
