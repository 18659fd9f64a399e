//! What the programs run under: glibc, Heapsight's modes, and the peers that record every block.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::options::Options;
use crate::allocator::{self, Allocator};
use crate::build::{self, Built};
use crate::programs::{Scratch, first_line};
use crate::row::Row;

/// Every setup besides glibc, in the order of the columns.
pub const NAMES: [&str; 8] =
    ["off", "stats", "sample", "full", "ledger", "heaptrack", "jemalloc", "dhat"];

const JEMALLOC_CONF: &str = "prof:true,prof_active:true,lg_prof_sample:0";

/// The setups of a run, glibc first.
pub struct Setups {
    /// The columns.
    pub all: Vec<Allocator>,
    outputs: PathBuf,
    built: Built,
}

impl Setups {
    /// Finds what the options ask for; what this machine lacks is named in `absent`.
    pub fn find(
        built: Built,
        options: &Options,
        scratch: &Scratch,
        absent: &mut Vec<String>,
    ) -> Result<Self, String> {
        let outputs = scratch.path().join("outputs");
        std::fs::create_dir_all(&outputs)
            .map_err(|error| format!("cannot create {}: {error}", outputs.display()))?;
        let ours = allocator::heapsight(&built.workload, &options.library)?;
        let mut all = vec![allocator::glibc(&built.workload)?];
        for name in NAMES {
            if !options.setups.is_empty() && !options.setups.iter().any(|asked| asked == name) {
                continue;
            }
            let found = match name {
                "heaptrack" => heaptrack(&outputs),
                "jemalloc" => jemalloc(options.jemalloc.as_deref()),
                "dhat" => dhat(&outputs),
                mode => Ok(heapsight(&ours, mode, &outputs)),
            };
            match found {
                Ok(setup) => all.push(setup),
                Err(reason) => {
                    eprintln!("compare: leaving out {name}: {reason}");
                    absent.push(format!("{name}: {reason}"));
                }
            }
        }
        Ok(Self { all, outputs, built })
    }

    /// The column of that name, if there is one.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|setup| setup.name == name)
    }

    /// Whether a column is a mode of the library.
    pub fn is_ours(&self, column: usize) -> bool {
        !["glibc", "heaptrack", "jemalloc", "dhat"].contains(&&*self.all[column].name)
    }

    /// Whether a column is somebody else's profiler.
    pub fn is_peer(&self, column: usize) -> bool {
        column > 0 && !self.is_ours(column)
    }

    /// Whether a program can run under a setup.
    pub fn serves(&self, column: usize, program: &str) -> bool {
        self.all[column].name != "dhat" || self.built.program(&rebuilt(program)).exists()
    }

    /// The program to run under a setup: dhat's are rebuilt ones.
    pub fn row(&self, column: usize, row: &Row) -> Row {
        match self.all[column].name == "dhat" {
            true => Row { program: self.built.program(&rebuilt(&row.name)), ..row.clone() },
            false => row.clone(),
        }
    }

    /// Throws away what a run wrote: a trace can have gigabytes.
    pub fn clear(&self) {
        let entries = std::fs::read_dir(&self.outputs).into_iter().flatten().flatten();
        for entry in entries {
            if let Err(error) = std::fs::remove_file(entry.path()) {
                eprintln!("compare: {} stays: {error}", entry.path().display());
            }
        }
    }
}

/// The library in one mode.
fn heapsight(ours: &Allocator, mode: &str, outputs: &Path) -> Allocator {
    let mut value = OsString::from(match mode {
        "sample" => "track=sample:512K",
        "ledger" => "track=full,ledger=",
        "stats" => "track=stats",
        "full" => "track=full",
        _ => "track=off",
    });
    let mut shown = value.to_string_lossy().into_owned();
    if mode == "ledger" {
        value.push(outputs.join("ledger.%p"));
        shown.push_str("FILE");
    }
    Allocator {
        name: mode.to_string(),
        version: format!("heapsight {}, `{shown}`", ours.version),
        environment: vec![("HEAPSIGHT", value)],
        ..ours.clone()
    }
}

/// heaptrack's recorder alone, without the interpreter and the compressor its script starts
/// beside it: what the program itself pays.
pub fn heaptrack(outputs: &Path) -> Result<Allocator, String> {
    let script = first_line(Command::new("which").arg("heaptrack"))
        .map_err(|_| "not installed (Debian's package is heaptrack)".to_string())?;
    let root = script.canonicalize().ok();
    let root = root.as_deref().and_then(Path::parent).and_then(Path::parent);
    let root = root.ok_or_else(|| "its program has no place".to_string())?;
    let object = ["lib", "lib64", "lib/x86_64-linux-gnu"]
        .map(|directory| root.join(directory).join("heaptrack/libheaptrack_preload.so"))
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| "its libheaptrack_preload.so is not where its program is".to_string())?;
    Ok(Allocator {
        name: "heaptrack".to_string(),
        version: format!("{}, its recorder alone", said_by(&script)),
        preload: Some(object),
        environment: vec![("DUMP_HEAPTRACK_OUTPUT", outputs.join("heaptrack.%p").into())],
    })
}

/// dhat-rs is a Rust program's own choice: the Rust workloads are built with it.
fn dhat(outputs: &Path) -> Result<Allocator, String> {
    build::build(&["dhat".to_string()]).map_err(|_| "it did not build".to_string())?;
    let version = allocator::locked_version("dhat").unwrap_or_default();
    Ok(Allocator {
        name: "dhat".to_string(),
        version: format!("dhat-rs {version}, built into the Rust programs, with whole call stacks"),
        preload: None,
        environment: vec![("DHAT_OUT", outputs.join("dhat.json").into())],
    })
}

/// The name of a program that was rebuilt for dhat.
fn rebuilt(program: &str) -> String {
    format!("dhat-{program}")
}

fn said_by(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok()
        .and_then(|text| text.lines().next().map(str::to_string))
        .unwrap_or_else(|| "of unknown version".to_string())
}

/// A jemalloc whose profiler takes every block, if it was built with one.
fn jemalloc(named: Option<&Path>) -> Result<Allocator, String> {
    let object = match named {
        Some(path) => path.to_path_buf(),
        None => system_jemalloc()?,
    };
    let mut command = Command::new("true");
    command.env("LD_PRELOAD", &object).env("MALLOC_CONF", JEMALLOC_CONF);
    let output = command.output().map_err(|error| format!("cannot run true: {error}"))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if messages.contains("cannot be preloaded") {
        return Err(format!("the loader refuses {}", object.display()));
    }
    if messages.contains("Invalid conf") {
        return Err("built without its profiler (--enable-prof)".to_string());
    }
    Ok(Allocator {
        name: "jemalloc".to_string(),
        version: format!("{}, `{JEMALLOC_CONF}`", package_version("libjemalloc2", named)),
        preload: Some(object),
        environment: vec![("MALLOC_CONF", JEMALLOC_CONF.into())],
    })
}

fn system_jemalloc() -> Result<PathBuf, String> {
    let missing = || "not installed (Debian's package is libjemalloc2)".to_string();
    let cache = ["/sbin/ldconfig", "ldconfig"]
        .iter()
        .find_map(|program| Command::new(program).arg("-p").output().ok())
        .ok_or_else(missing)?;
    let text = String::from_utf8_lossy(&cache.stdout);
    let line = text.lines().find(|line| line.contains("libjemalloc.so.2")).ok_or_else(missing)?;
    line.split_once("=> ").map(|(_, path)| PathBuf::from(path.trim())).ok_or_else(missing)
}

fn package_version(package: &str, named: Option<&Path>) -> String {
    if let Some(path) = named {
        let name = path.file_name().unwrap_or(OsStr::new("jemalloc"));
        return name.to_string_lossy().into_owned();
    }
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
    match output {
        Ok(output) if output.status.success() => {
            format!("{package} {}", String::from_utf8_lossy(&output.stdout))
        }
        _ => package.to_string(),
    }
}
