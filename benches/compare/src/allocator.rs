//! The allocators under comparison, each proven to serve `malloc` before anything is measured.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::{Arguments, repository};
use crate::build::Built;

/// One column of the table.
#[derive(Clone)]
pub struct Allocator {
    /// Its name in the table.
    pub name: String,
    /// Its version, as far as it tells.
    pub version: String,
    /// The shared object to preload; glibc needs none.
    pub preload: Option<PathBuf>,
    /// Variables that choose its mode; none when its defaults are measured.
    pub environment: Vec<(&'static str, OsString)>,
}

impl Allocator {
    fn with_defaults(name: &str, version: String, preload: Option<PathBuf>) -> Self {
        Self { name: name.to_string(), version, preload, environment: Vec::new() }
    }
}

/// glibc, the chosen peers and the library, in the order of the columns.
pub fn line_up(built: &Built, arguments: &Arguments) -> Result<Vec<Allocator>, String> {
    let mut allocators = vec![glibc(&built.workload)?];
    for name in &arguments.peers {
        allocators.push(peer(&built.workload, name, built.peer(name))?);
    }
    if let Some(library) = &arguments.library {
        allocators.push(heapsight(&built.workload, library)?);
    }
    Ok(allocators)
}

/// The C library's own allocator.
pub fn glibc(workload: &Path) -> Result<Allocator, String> {
    let version = provider(workload, None)?.libc_version;
    Ok(Allocator::with_defaults("glibc", version, None))
}

fn peer(workload: &Path, name: &str, object: PathBuf) -> Result<Allocator, String> {
    let provider = provider(workload, Some(&object))?;
    let crate_name = match name {
        "mimalloc" => "libmimalloc-sys",
        "jemalloc" => "tikv-jemalloc-sys",
        _ => "snmalloc-sys",
    };
    let locked = locked_version(crate_name).unwrap_or_else(|| "of unknown version".to_string());
    let mut version = format!("{crate_name} {locked}");
    if provider.peer_version != 0 {
        let number = provider.peer_version;
        let (major, minor, patch) = (number / 10_000, number / 100 % 100, number % 100);
        version = format!("{major}.{minor}.{patch}, {version}");
    }
    Ok(Allocator::with_defaults(name, version, Some(object)))
}

/// The library, with its default settings.
pub fn heapsight(workload: &Path, library: &Path) -> Result<Allocator, String> {
    let object = library.canonicalize().map_err(|error| {
        format!(
            "cannot open {}: {error}; build it (cargo build --release), name another with \
             --library, or measure the peers alone with --no-library",
            library.display()
        )
    })?;
    provider(workload, Some(&object))?;
    let is_own = object.starts_with(repository());
    let version = match is_own.then(commit) {
        Some(commit) => commit.unwrap_or_else(|| "outside a git checkout".to_string()),
        None => "named by --library".to_string(),
    };
    Ok(Allocator::with_defaults("heapsight", version, Some(object)))
}

/// What `workload provider` answers.
struct Provider {
    peer_version: u32,
    libc_version: String,
}

/// Asks a process with that preload who serves `malloc`; anyone else than expected is an error.
fn provider(workload: &Path, preload: Option<&Path>) -> Result<Provider, String> {
    let mut command = Command::new(workload);
    command.arg("provider").env_remove("LD_PRELOAD").env_remove("HEAPSIGHT");
    if let Some(object) = preload {
        command.env("LD_PRELOAD", object);
    }
    let shown = preload.map_or("no preload".into(), Path::to_string_lossy);
    let output = command.output().map_err(|error| format!("cannot run the workload: {error}"))?;
    if !output.status.success() {
        return Err(format!("the workload does not start with {shown}: {}", output.status));
    }
    let answer = String::from_utf8_lossy(&output.stdout);
    let [file, peer_version, libc_version] = answer.trim().split('\t').collect::<Vec<_>>()[..]
    else {
        return Err(format!("the workload names no provider of malloc with {shown}"));
    };
    let is_expected = match preload {
        Some(object) => Path::new(file).canonicalize().ok() == object.canonicalize().ok(),
        None => Path::new(file).file_name().is_some_and(|name| name == "libc.so.6"),
    };
    if !is_expected {
        return Err(format!("malloc comes from {file}, not from {shown}; nothing was measured"));
    }
    Ok(Provider {
        peer_version: peer_version.parse().unwrap_or(0),
        libc_version: libc_version.to_string(),
    })
}

/// The version of a crate in this workspace's lock file.
pub fn locked_version(name: &str) -> Option<String> {
    let lock = include_str!("../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version.to_string())
}

/// The commit of this checkout, marked when files differ from it.
fn commit() -> Option<String> {
    let git = |words: &[&str]| {
        let output = Command::new("git").arg("-C").arg(repository()).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let hash = git(&["rev-parse", "--short", "HEAD"])?;
    let sources = git(&["status", "--porcelain", "--", "src", "preload", "Cargo.toml"])?;
    let state = if sources.is_empty() { "" } else { " with local changes" };
    Some(format!("commit {hash}{state}"))
}
