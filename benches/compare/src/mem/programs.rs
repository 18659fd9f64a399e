//! Whole programs under the interposing object, beside the same programs under an empty one: what a
//! preloaded library costs by itself is not the routines'.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::options::Options;
use super::time::median;
use crate::programs::Scratch;

/// A program, and how many times as fast it ran as under the empty object.
pub struct Program {
    /// What it is.
    pub name: &'static str,
    /// Seconds under the empty object.
    pub seconds: f64,
    /// The median over the rounds.
    pub ratio: f64,
}

/// Rounds: a program's time is noisier than a routine's. Short programs run so often that they take
/// so many seconds.
const ROUNDS: usize = 11;
const ROUNDS_MAX: usize = 61;
const SECONDS: f64 = 30.0;

/// Runs each in turns.
pub fn measure(options: &Options) -> Result<Vec<Program>, String> {
    let scratch = Scratch::new()?;
    let library = options.library.canonicalize().map_err(|error| {
        format!("{}: {error}; cargo build --release makes it", options.library.display())
    })?;
    let empty = empty(&scratch)?;
    let input = input(&scratch)?;
    let source = source(&scratch)?;
    let python = "import json\n\
                  d=[{'k%d'%i:list(range(i%40)),'s':'x'*(i%99)} for i in range(9000)]\n\
                  s=json.dumps(d)\nassert json.loads(s)==d\n\
                  b=bytearray(s,'ascii')\nfor i in range(300): b=bytearray(bytes(b))\n\
                  print(s.count('k'), b.rfind(b'k1'))";
    let shell =
        "for i in {1..40000}; do s=\"item $i\"; t=${s%% *}; u[i%100]=$t$s; done; echo ${#u[@]}";
    let redis = redis(&scratch);
    let mut cases: Vec<(&'static str, Vec<&str>)> = vec![
        ("sort", vec!["sort", "-S", "1G", "--parallel=1", &input]),
        ("cc1", vec!["cc", "-O2", "-S", "-o", "/dev/null", &source]),
        ("python3", vec!["/usr/bin/python3", "-c", python]),
        ("bash", vec!["bash", "-c", shell]),
    ];
    if let Some(script) = &redis {
        cases.push(("redis", vec!["sh", "-c", script]));
    }
    let is_quick = options.rounds < ROUNDS;
    let mut programs = Vec::new();
    for (name, words) in cases {
        eprintln!("compare: mem: {name}");
        let (mut times, mut ratios) = (Vec::new(), Vec::new());
        let rounds = match is_quick {
            true => 3,
            false => ((SECONDS / 2.0 / run(&words, &empty)?) as usize).clamp(ROUNDS, ROUNDS_MAX),
        };
        for round in 0..rounds {
            let order = if round % 2 == 0 { [&empty, &library] } else { [&library, &empty] };
            let mut pair = order.map(|object| (object == &library, run(&words, object)));
            pair.sort_by_key(|(is_ours, _)| *is_ours);
            let [(_, base), (_, ours)] = pair;
            let (base, ours) = (base?, ours?);
            times.push(base);
            ratios.push(base / ours);
        }
        programs.push(Program { name, seconds: median(times), ratio: median(ratios) });
    }
    Ok(programs)
}

fn run(words: &[&str], object: &Path) -> Result<f64, String> {
    let (program, arguments) = words.split_first().ok_or("no program")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("LD_PRELOAD", object)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    if !status.success() {
        return Err(format!("{program} under {}: {status}", object.display()));
    }
    Ok(start.elapsed().as_secs_f64())
}

/// A server and its client, both under the object; `None`: not installed.
fn redis(scratch: &Scratch) -> Option<String> {
    let mut which = Command::new("which");
    let is_there = which.args(["redis-server", "redis-benchmark"]).stdout(Stdio::null()).status();
    is_there.ok()?.success().then_some(())?;
    let socket = scratch.path().join("redis.sock");
    let socket = socket.display();
    Some(format!(
        "redis-server --port 0 --unixsocket {socket} --save '' --daemonize no >/dev/null & \
         until redis-cli -s {socket} ping >/dev/null 2>&1; do sleep 0.01; done; \
         redis-benchmark -s {socket} -q -n 300000 -r 20000 -d 600 -P 32 -t set,get >/dev/null; \
         redis-cli -s {socket} shutdown nosave; wait"
    ))
}

/// A shared object with nothing in it.
fn empty(scratch: &Scratch) -> Result<PathBuf, String> {
    let (source, object) = (scratch.path().join("empty.c"), scratch.path().join("empty.so"));
    std::fs::write(&source, "int heapsight_empty;\n").map_err(|error| error.to_string())?;
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-o"]).arg(&object).arg(&source);
    match command.status() {
        Ok(status) if status.success() => Ok(object),
        other => Err(format!("cc cannot make an empty shared object: {other:?}")),
    }
}

/// Lines of hexadecimal digits, in no order.
fn input(scratch: &Scratch) -> Result<String, String> {
    let mut text = String::new();
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..300_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}{:016x}\n", state.rotate_left(21)));
    }
    let path = scratch.path().join("lines");
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    Ok(path.display().to_string())
}

/// Enough C to keep a compiler busy.
fn source(scratch: &Scratch) -> Result<String, String> {
    let mut text = String::from("#include <stdio.h>\n#include <string.h>\n");
    for at in 0..700 {
        text.push_str(&format!(
            "struct s{at} {{ int a[{}]; char name[32]; }};\n\
             int f{at}(struct s{at} *s, int n) {{ int t = {at}; for (int i = 0; i < n; i++) \
             t = t * 31 + s->a[i % {}]; return strlen(s->name) + t; }}\n",
            at % 17 + 1,
            at % 17 + 1
        ));
    }
    let path = scratch.path().join("many.c");
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    Ok(path.display().to_string())
}

/// Nanoseconds that choosing takes in this process, once its code has been read from the disk.
pub fn first_call() -> u128 {
    heapsight::ffi::choose_memory_routines();
    let start = Instant::now();
    heapsight::ffi::choose_memory_routines();
    start.elapsed().as_nanos()
}

/// The same, the median of some processes.
pub fn measure_first_call() -> Result<f64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for _ in 0..21 {
        let output = Command::new(&own).args(["mem", "--first-call"]).output();
        let output = output.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        all.push(text.trim().parse().map_err(|error| format!("{text:?}: {error}"))?);
    }
    Ok(median(all))
}
