//! One run of the program whose blocks are searched.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::measure;

/// Who searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The library under measurement.
    Heapsight,
    /// gcc's library of LeakSanitizer, preloaded.
    LeakSanitizer,
}

/// What is run.
pub struct Program {
    /// The compiled `workloads/linked.c`.
    pub path: PathBuf,
    /// The library under measurement.
    pub heapsight: PathBuf,
    /// The command beside it.
    pub command: PathBuf,
    /// LeakSanitizer's library.
    pub lsan: PathBuf,
    /// A directory for ledgers.
    pub scratch: PathBuf,
}

/// Its blocks.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// How they hold each other.
    pub shape: &'static str,
    /// How many there are.
    pub count: u64,
    /// The bytes of each.
    pub bytes: u64,
}

impl Program {
    /// Seconds of a search that the program asks for itself: the median of three.
    pub fn search(&self, tool: Tool, blocks: Blocks) -> Result<f64, String> {
        self.timed(tool, blocks, "LINKED_CHECK", searches)
    }

    /// Seconds that the program needs to follow its own list from start to end.
    pub fn walk(&self, blocks: Blocks) -> Result<f64, String> {
        self.timed(Tool::Heapsight, blocks, "LINKED_WALK", walks)
    }

    fn timed(
        &self,
        tool: Tool,
        blocks: Blocks,
        task: &str,
        read: fn(&str) -> Result<Vec<f64>, String>,
    ) -> Result<f64, String> {
        let fail = |what: String| format!("{} under {tool:?}: {what}", blocks.shape);
        let mut command = self.start(tool, blocks);
        command.env(task, "1");
        let output = command.output().map_err(|error| fail(error.to_string()))?;
        let messages = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let last = measure::last_line(&messages);
            return Err(fail(format!("ended with {}: {last}", output.status)));
        }
        measure::objection(&messages).map_err(fail)?;
        let mut seconds = read(&messages).map_err(fail)?;
        seconds.sort_by(f64::total_cmp);
        seconds
            .get(seconds.len() / 2)
            .copied()
            .ok_or_else(|| fail(format!("did nothing for {task}")))
    }

    /// Milliseconds for which the program stands still when it is searched from outside.
    pub fn pause(&self, blocks: Blocks) -> Result<f64, String> {
        let fail = |what: String| format!("{} from outside: {what}", blocks.shape);
        let mut command = self.start(Tool::Heapsight, blocks);
        let ledger = self.scratch.join("ledger");
        command.env("HEAPSIGHT", format!("track=full,ledger={}", ledger.display()));
        command.env("LINKED_WAIT", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| fail(error.to_string()))?;
        let paused = wait_until_ready(&mut child).and_then(|()| self.look(child.id()));
        // It ends when its input does.
        drop(child.stdin.take());
        child.wait().map_err(|error| fail(error.to_string()))?;
        paused.map_err(fail)
    }

    fn look(&self, process: u32) -> Result<f64, String> {
        let mut command = Command::new(&self.command);
        command.args(["leaks", "--format", "json", &process.to_string()]);
        let output = command.output().map_err(|error| format!("heapsight leaks: {error}"))?;
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|error| {
                let messages = String::from_utf8_lossy(&output.stderr);
                format!("heapsight leaks: {error}: {}", measure::last_line(&messages))
            })?;
        let nanoseconds = report["pause_ns"].as_u64().ok_or("the report names no pause")?;
        Ok(nanoseconds as f64 / 1e6)
    }

    fn start(&self, tool: Tool, Blocks { shape, count, bytes }: Blocks) -> Command {
        let mut command = Command::new(&self.path);
        command.args([shape, &count.to_string(), "held", &bytes.to_string()]);
        let (library, options) = match tool {
            Tool::Heapsight => (&self.heapsight, ("HEAPSIGHT", "track=full")),
            Tool::LeakSanitizer => (&self.lsan, ("LSAN_OPTIONS", "leak_check_at_exit=0")),
        };
        command.env_remove("HEAPSIGHT").env_remove("LSAN_OPTIONS");
        command.env("LD_PRELOAD", library).env(options.0, options.1);
        command.stderr(Stdio::piped());
        command
    }
}

/// The directory entry of a library or the like.
pub fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

/// The program prints a word when all its blocks are there.
fn wait_until_ready(child: &mut Child) -> Result<(), String> {
    let mut line = String::new();
    if let Some(output) = &mut child.stdout {
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    if line.trim() == "ready" {
        return Ok(());
    }
    let mut messages = String::new();
    if let Some(errors) = &mut child.stderr {
        errors.read_to_string(&mut messages).map_err(|error| error.to_string())?;
    }
    Err(format!("it ended early: {}", measure::last_line(&messages)))
}

/// `checked in 1.234 s: clean`
fn searches(messages: &str) -> Result<Vec<f64>, String> {
    let lines = messages.lines().filter_map(|line| line.strip_prefix("checked in "));
    lines
        .map(|line| match line.split_once(" s: ") {
            Some((seconds, "clean")) => seconds.parse().map_err(|_| format!("said {line}")),
            _ => Err(format!("a search of blocks that are all held said {line}")),
        })
        .collect()
}

/// `walked in 1.234 s: 2a`
fn walks(messages: &str) -> Result<Vec<f64>, String> {
    let lines = messages.lines().filter_map(|line| line.strip_prefix("walked in "));
    let seconds = lines.map(|line| line.split_once(" s: ").and_then(|(time, _)| time.parse().ok()));
    seconds.collect::<Option<_>>().ok_or_else(|| "said nothing of its walks".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_finds_leaks_is_no_measurement() {
        let messages = "made in 1 s\nchecked in 1.250 s: clean\nchecked in 1.5 s: clean\n";
        assert_eq!(searches(messages), Ok(vec![1.25, 1.5]));
        assert!(searches("checked in 1.250 s: leaks\n").is_err());
        assert_eq!(walks("walked in 2.500 s: 2a\n"), Ok(vec![2.5]));
    }
}
