//! A place of its own for each test: a directory, a library that may be preloaded, the command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The command under test.
const COMMAND: &str = env!("CARGO_BIN_EXE_heapsight");

/// Variables of the caller that would change what the command does.
const VARIABLES: [&str; 6] =
    ["HEAPSIGHT", "HEAPSIGHT_RUN", "HEAPSIGHT_RUN_PID", "LD_PRELOAD", "NO_COLOR", "CLICOLOR_FORCE"];

pub(crate) struct World {
    directory: TempDir,
}

/// What a command line came to.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    /// The path of `name` in this world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().expect("the directory exists").join(name)
    }

    /// A file with the permissions `mode`.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("the directory can be created");
        }
        fs::write(&path, content).expect("the file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode can be set");
        path
    }

    /// A shared library that does nothing.
    pub(crate) fn library(&self, name: &str) -> PathBuf {
        let source = self.file("empty.c", "extern int nothing;\n", 0o644);
        let library = self.path(name);
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status()
            .expect("cc, the linker of every Rust build here, runs");
        assert!(status.success(), "cc cannot build a shared library");
        library
    }

    /// A copy of the command, as if it were installed at `name`.
    pub(crate) fn install(&self, name: &str) -> PathBuf {
        let command = fs::read(COMMAND).expect("the command was built");
        self.file(name, command, 0o755)
    }

    /// The command, in a clean environment and in this world's directory.
    pub(crate) fn command(&self) -> Command {
        self.command_at(Path::new(COMMAND))
    }

    pub(crate) fn command_at(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        command.current_dir(self.path(""));
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    /// `heapsight run --library NOTHING.SO`, to which a program remains to be added.
    pub(crate) fn run(&self) -> Command {
        let library = self.library("nothing.so");
        let mut command = self.command();
        command.arg("run").arg("--library").arg(library);
        command
    }
}

/// Runs a command line to its end.
pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let Output { status, stdout, stderr } = command.output().expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("the command speaks UTF-8");
    Outcome { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}
