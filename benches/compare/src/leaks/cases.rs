//! The programs: some of this machine that leak, and some that do not.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and its input.
pub struct Case {
    /// What it is called here.
    pub name: &'static str,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// All of them that are on this machine; their input is written into `scratch`.
pub fn prepare(scratch: &Path, only: &[String]) -> Result<(Vec<Case>, Vec<&'static str>), String> {
    inputs(scratch).map_err(|error| format!("cannot write input: {error}"))?;
    let asked =
        |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    let (mut cases, mut absent) = (Vec::new(), Vec::new());
    for (name, program, arguments) in PROGRAMS.iter().filter(|program| asked(program.0)) {
        let program = match *program {
            "cc1" => asked_of_gcc("cc1"),
            other => other.to_string(),
        };
        let Some(program) = find(&program) else {
            absent.push(*name);
            continue;
        };
        let arguments = arguments.iter().map(|word| (*word).to_string()).collect();
        cases.push(Case { name, program: program.display().to_string(), arguments });
    }
    Ok((cases, absent))
}

/// Name, program, arguments. They run in the directory of their input.
const PROGRAMS: &[(&str, &str, &[&str])] = &[
    ("bash", "bash", &["-c", "f() { local x=$1; echo ${x/a/b}; }; for i in 1 2 3; do f a$i; done"]),
    ("perl", "perl", &["-e", "my %h; $h{$_%50}.=$_ for 1..2000; print scalar(keys %h)"]),
    ("python3", "python3", &["-c", "import json, re; print(len(json.dumps(list(range(1000)))))"]),
    ("ruby", "ruby", &["-e", "puts((1..100).map(&:to_s).join.size)"]),
    ("cc1", "cc1", &["-quiet", "-O2", "plain.i", "-o", "plain.s"]),
    ("ld", "ld", &["-shared", "-o", "plain.so", "plain.o"]),
    ("git", "git", &["diff", "--no-index", "--stat", "text", "other"]),
    ("mawk", "mawk", &["{ a[$2]++ } END { for (k in a) print k, a[k] }", "text"]),
    ("grep", "grep", &["-c", "-E", "word[0-3]", "text"]),
    ("sed", "sed", &["-n", "s/word/w/p", "text"]),
    ("sort", "sort", &["-k2", "text"]),
    ("tar", "tar", &["-cf", "text.tar", "text", "other"]),
    ("find", "find", &["/usr/share/doc", "-maxdepth", "1"]),
    ("bc", "bc", &["sums"]),
    ("gdb", "gdb", &["-batch", "-ex", "info functions main", "/bin/sh"]),
    ("diff", "diff", &["text", "other"]),
];

fn inputs(scratch: &Path) -> std::io::Result<()> {
    let line = |number: u32| format!("line {number} word{}\n", number % 7);
    std::fs::write(scratch.join("text"), (0..2000).map(line).collect::<String>())?;
    std::fs::write(scratch.join("other"), (0..1990).map(line).collect::<String>())?;
    std::fs::write(scratch.join("sums"), "2^100\nscale=20\n1/7\nquit\n")?;
    let function = |number: u32| format!("int f{number}(int a) {{ return a * {number} + 1; }}\n");
    std::fs::write(scratch.join("plain.i"), (0..100).map(function).collect::<String>())?;
    let object = Command::new("gcc")
        .args(["-c", "-fPIC", "plain.i", "-o", "plain.o"])
        .current_dir(scratch)
        .status()?;
    if object.success() { Ok(()) } else { Err(std::io::Error::other("gcc failed")) }
}

fn asked_of_gcc(program: &str) -> String {
    let asked = Command::new("gcc").arg(format!("-print-prog-name={program}")).output();
    let told = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    told.unwrap_or_else(|_| program.to_string())
}

/// Where it is: the system's own first, as what comes before that on the path may be a script.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(PathBuf::from("/usr/bin")).chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}
