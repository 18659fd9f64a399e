//! What became of every program, across all test processes of a run: one small file each, and the
//! table when the last one is there.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use crate::support::{lock, may_install, shared_directory};
use crate::table::Program;
use crate::trial::MODES;

/// What became of a program.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It did the same in every mode. How long it took alone and in each mode, and how many
    /// processes left a report.
    Identical { times: Vec<Duration>, processes: usize },
    /// It was not tried, and why.
    Skipped(String),
    /// It did not do the same, and in what way.
    Different(String),
}

/// Records a verdict. The last of a run makes the summary, and fails if too few programs ran where
/// all could have been installed.
pub(crate) fn record(program: &Program, verdict: &Verdict) {
    let directory = shared_directory("programs");
    fs::write(directory.join(program.name), line(program, verdict)).expect("a result");
    let _one_at_a_time = lock("programs-summary");
    let is_complete = crate::all().all(|program| directory.join(program.name).exists());
    if !is_complete || File::create_new(directory.join("summarised")).is_err() {
        return;
    }
    let (summary, identical) = summary(&directory);
    fs::write(directory.join("summary.txt"), &summary).expect("the summary");
    println!("{summary}");
    assert!(
        identical >= crate::PROGRAMS_MIN || !may_install(),
        "{identical} programs did the same in all modes, {} are needed\n{summary}",
        crate::PROGRAMS_MIN
    );
}

fn line(program: &Program, verdict: &Verdict) -> String {
    let mut line = format!("{:<18}", program.name);
    match verdict {
        Verdict::Identical { times, processes } => {
            line.push_str("identical");
            for time in times {
                write!(line, "{:>8}", time.as_millis()).expect("text takes text");
            }
            write!(line, "{processes:>11}").expect("text takes text");
        }
        Verdict::Skipped(reason) => write!(line, "skipped    {reason}").expect("text takes text"),
        Verdict::Different(story) => {
            let first = story.lines().next().unwrap_or_default();
            write!(line, "DIFFERENT  {first}").expect("text takes text");
        }
    }
    line.push('\n');
    line
}

/// The table, the sentence below it, and how many programs did the same.
fn summary(directory: &Path) -> (String, usize) {
    let mut text = format!(
        "{:<18}{:<9}{:>8}{:>8}{:>8}{:>8}{:>11}\n",
        "program", "result", "alone", "off", "full", "leaks", "processes"
    );
    for program in crate::all() {
        text += &fs::read_to_string(directory.join(program.name)).expect("a result");
    }
    let count = |word: &str| text.lines().filter(|line| line.contains(word)).count();
    let (identical, different, skipped) =
        (count(" identical "), count(" DIFFERENT "), count(" skipped "));
    let modes = MODES.len();
    writeln!(
        text,
        "times in milliseconds, processes that reported\n\
         {identical} programs × {modes} modes identical, {different} different, {skipped} skipped"
    )
    .expect("text takes text");
    (text, identical)
}
