//! Programs that a machine may lack: found, installed where that is allowed, or named as missing.
//!
//! With `HEAPSIGHT_INSTALL=1` and the rights of root, what is missing is installed from Debian's
//! packages, all of it in one go; without, the tests that need it say so and skip.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::shared::{lock, shared_directory};

/// Commands that a test needs, and the Debian packages they come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// Names in `PATH`, separated by spaces.
    pub(crate) commands: &'static str,
    /// Names of packages, separated by spaces; empty when they are not worth installing.
    pub(crate) packages: &'static str,
}

/// Where to look first: a distribution's own program before a version manager's stand-in for it.
const SYSTEM_PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin";

/// `PATH` with the system's directories in front.
pub(crate) fn with_system_path() -> String {
    format!("{SYSTEM_PATH}:{}", env::var("PATH").unwrap_or_default())
}

/// The first file of that name that can be executed, if there is one.
pub(crate) fn find_command(name: &str) -> Option<PathBuf> {
    with_system_path().split(':').map(|directory| Path::new(directory).join(name)).find(|path| {
        fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    })
}

/// The commands among those needed that are not there.
pub(crate) fn missing(need: &Need) -> Vec<&'static str> {
    need.commands.split_whitespace().filter(|name| find_command(name).is_none()).collect()
}

/// Whether this run may install packages, which only root can.
pub(crate) fn may_install() -> bool {
    // SAFETY: geteuid always succeeds and touches no memory.
    env::var("HEAPSIGHT_INSTALL").is_ok_and(|value| value == "1") && unsafe { libc::geteuid() } == 0
}

/// Installs what is missing of all these needs, once a test run and `who` asks, whichever process
/// of it comes first.
pub(crate) fn install(who: &str, needs: impl Iterator<Item = Need>) {
    if !may_install() {
        return;
    }
    let _lock = lock("install");
    let stamp = shared_directory(&format!("installed-{who}")).join("done");
    if stamp.exists() {
        return;
    }
    let packages: Vec<_> = needs
        .filter(|need| !missing(need).is_empty())
        .flat_map(|need| need.packages.split_whitespace())
        .collect();
    if !packages.is_empty() && !apt_get(&packages) {
        // One package that does not exist here must not keep the others away.
        for package in packages {
            apt_get(&[package]);
        }
    }
    File::create(&stamp).expect("a stamp that says that installing was tried");
}

/// Installs one package, for a library that a test can do without, if packages may be installed.
pub(crate) fn install_package(package: &str) {
    if may_install() {
        let _lock = lock("install");
        apt_get(&[package]);
    }
}

/// Installs packages and tells whether that went well.
fn apt_get(packages: &[&str]) -> bool {
    eprintln!("installing {}", packages.join(" "));
    Command::new("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(["-o", "DPkg::Lock::Timeout=600"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Keeps the packages of servers from starting them.
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
