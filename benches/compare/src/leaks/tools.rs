//! The three searches, and what each has found: the lost blocks and bytes of one run.

use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cases::Case;

/// Blocks and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub blocks: u64,
    pub bytes: u64,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.bytes += other.bytes;
    }
}

/// What a tool calls lost: where a loss began, and what hangs on that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    pub direct: Sum,
    pub indirect: Sum,
}

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Heapsight,
    LeakSanitizer,
    Valgrind,
}

/// Where the tools are.
pub struct Tools {
    pub heapsight: PathBuf,
    pub lsan: PathBuf,
    pub scratch: PathBuf,
}

impl Tools {
    /// Runs the program under the tool; what the program itself has lost, without its children.
    /// An error: the tool could not do it.
    pub fn run(&self, tool: Tool, case: &Case) -> Result<Lost, String> {
        let report = self.scratch.join("report");
        let _ = std::fs::remove_file(&report);
        let mut command = self.command(tool, case, &report);
        // What Python allocates for itself is otherwise in arenas that no tool looks into.
        command.env("PYTHONMALLOC", "malloc").env("LC_ALL", "C.UTF-8");
        command.current_dir(&self.scratch).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let pid = child.id();
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        match tool {
            Tool::Heapsight => {
                let name = format!("{}-{pid}.json", report.display());
                heapsight(&read(Path::new(&name)).ok_or("it made no report")?)
            }
            Tool::Valgrind => valgrind(&read(&report).ok_or("it made no report")?),
            Tool::LeakSanitizer if output.status.code().is_none() => {
                Err(format!("the program ends with {} under it", output.status))
            }
            Tool::LeakSanitizer => {
                let name = format!("{}.{pid}", report.display());
                let text = read(Path::new(&name));
                let text = text.unwrap_or(messages);
                match text.contains("LeakSanitizer has encountered a fatal error") {
                    true => Err("it ends with a fatal error".to_string()),
                    false => lsan(&text),
                }
            }
        }
    }

    fn command(&self, tool: Tool, case: &Case, report: &Path) -> Command {
        let report = report.display();
        let mut command = match tool {
            Tool::Valgrind => Command::new("valgrind"),
            _ => Command::new(&case.program),
        };
        match tool {
            Tool::Heapsight => {
                command.env("LD_PRELOAD", &self.heapsight);
                command.env("HEAPSIGHT", format!("leaks=on,report={report}-%p.json"));
            }
            Tool::LeakSanitizer => {
                command.env("LD_PRELOAD", &self.lsan);
                command.env("LSAN_OPTIONS", format!("log_path={report}:exitcode=0"));
            }
            Tool::Valgrind => {
                command.args(["--leak-check=full", "--show-leak-kinds=definite"]);
                command.arg(format!("--log-file={report}")).arg(&case.program);
            }
        }
        command.args(&case.arguments);
        command
    }
}

/// `definitely lost: 1,024 bytes in 2 blocks`
fn valgrind(text: &str) -> Result<Lost, String> {
    let sum = |word: &str| {
        let line = text.lines().rev().find(|line| line.contains(word));
        line.map_or(Sum::default(), |line| {
            let line = line.rsplit(word).next().unwrap_or_default().replace(',', "");
            let mut words = line.split_whitespace();
            let bytes = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let blocks = words.nth(2).and_then(|word| word.parse().ok()).unwrap_or(0);
            Sum { blocks, bytes }
        })
    };
    if !text.contains("HEAP SUMMARY") {
        return Err("it made no summary".to_string());
    }
    Ok(Lost { direct: sum("definitely lost: "), indirect: sum("indirectly lost: ") })
}

/// `Direct leak of 1024 byte(s) in 2 object(s) allocated from:`
fn lsan(text: &str) -> Result<Lost, String> {
    let mut lost = Lost::default();
    for line in text.lines() {
        let Some((kind, rest)) = line.split_once(" leak of ") else { continue };
        let numbers: Vec<u64> =
            rest.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let &[bytes, blocks] = numbers.as_slice() else {
            return Err(format!("a line of LeakSanitizer's is not understood: {line}"));
        };
        match kind {
            "Direct" => lost.direct += Sum { blocks, bytes },
            _ => lost.indirect += Sum { blocks, bytes },
        }
    }
    Ok(lost)
}

fn heapsight(text: &str) -> Result<Lost, String> {
    let report: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("its report: {error}"))?;
    let mut lost = Lost::default();
    for leak in report["leaks"].as_array().into_iter().flatten() {
        let number = |name: &str| leak[name].as_u64().unwrap_or(0);
        let sum = Sum { blocks: number("blocks"), bytes: number("bytes") };
        match leak["class"].as_str() {
            // What a run-time keeps on purpose is lost to the other tools.
            Some("lost" | "cycle") => lost.direct += sum,
            Some("indirect") => lost.indirect += sum,
            _ => {}
        }
    }
    Ok(lost)
}
