//! Builds the workloads and the peers with the same cargo that built this program.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What was built.
pub struct Built {
    /// The program that allocates.
    pub workload: PathBuf,
    directory: PathBuf,
}

impl Built {
    /// A program of this workspace.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The shared object of one peer.
    pub fn peer(&self, name: &str) -> PathBuf {
        self.directory.join(format!("libpeer_{name}.so"))
    }
}

/// Builds the workload program and `peers`, next to this program.
pub fn build(peers: &[String]) -> Result<Built, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    let directory = own.parent().map(Path::to_path_buf).unwrap_or_default();
    if !directory.ends_with("release") {
        return Err("an unoptimised build measures nothing; run it with --release".to_string());
    }
    if peers.iter().any(|peer| peer == "snmalloc") && !is_installed("cmake") {
        return Err("snmalloc's crate needs cmake, which is not installed; install it \
                    (apt-get install cmake) or leave snmalloc out with --peers mimalloc,jemalloc"
            .to_string());
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--package", "workload", "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    for peer in peers {
        command.arg("--package").arg(format!("peer-{peer}"));
    }
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("the peers did not build; cargo's messages above say why".to_string());
    }
    Ok(Built { workload: directory.join("workload"), directory })
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
