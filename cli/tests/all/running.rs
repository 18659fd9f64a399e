//! A program under `heapsight run` is the same program: its exit code, signals, process id,
//! arguments and streams are its own. What it gets on top is the library and its options.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::world::{World, outcome};

const SIGTERM: i32 = 15;

/// What `command` prints; it has to succeed in silence.
fn printed(command: &mut Command) -> String {
    let run = outcome(command);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    run.stdout
}

/// What a program sees in its environment variable `name`.
fn variable(command: &mut Command, name: &str) -> String {
    printed(command.args(["--", "sh", "-c", &format!("printf %s \"${name}\"")]))
}

#[test]
fn the_exit_code_is_the_programs() {
    for code in [0, 1, 7, 126, 127, 255] {
        let script = format!("exit {code}");
        let run = outcome(World::new().run().args(["--", "sh", "-c", &script]));
        assert_eq!((run.code, run.stderr.as_str()), (Some(code), ""));
    }
}

#[test]
fn a_deadly_signal_is_the_programs() {
    let world = World::new();
    let mut command = world.run();
    let status = command.args(["--", "sh", "-c", "kill -TERM $$"]).status().expect("it starts");
    assert_eq!(status.signal(), Some(SIGTERM));
}

#[test]
fn a_signal_to_the_command_reaches_the_program() {
    let world = World::new();
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    let mut command = world.run();
    command.args(["--", "sh", "-c", script]).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("the program says that it is ready");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(9));
}

#[test]
fn the_process_id_is_the_commands() {
    let world = World::new();
    let script = "echo $$ $HEAPSIGHT_RUN_PID $HEAPSIGHT_RUN";
    let mut command = world.run();
    command.args(["--", "sh", "-c", script]).stdout(Stdio::piped());
    let child = command.spawn().expect("it starts");
    let id = child.id();
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{id} {id} 1\n"));
}

#[test]
fn arguments_and_input_pass_through() {
    let world = World::new();
    let arguments = ["--", "sh", "-c", "printf '<%s>' \"$0\" \"$@\"", "--", "-h", "", "a b", "--"];
    assert_eq!(printed(world.run().args(arguments)), "<--><-h><><a b><-->");
    assert_eq!(printed(world.run().args(["echo", "--help", "-o", "x"])), "--help -o x\n");
    assert_eq!(printed(world.run().args(["sh", "-c", "echo $0"])), "sh\n");
    let mut command = world.run();
    command.args(["--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(b"through").expect("cat reads");
    assert_eq!(child.wait_with_output().expect("it ends").stdout, b"through");
}

#[test]
fn scripts_run_with_and_without_an_interpreter_line() {
    let world = World::new();
    world.file("with", "#!/usr/bin/env sh\necho with\n", 0o755);
    world.file("without", "echo without\n", 0o755);
    assert_eq!(printed(world.run().args(["--", "./with"])), "with\n");
    assert_eq!(printed(world.run().args(["--", "./without"])), "without\n");
}

#[test]
fn the_library_is_loaded_before_all_others() {
    let world = World::new();
    let other = world.library("other.so");
    let (library, other) = (world.path("nothing.so"), other.display().to_string());
    let preload = variable(world.run().env("LD_PRELOAD", &other), "LD_PRELOAD");
    assert_eq!(preload, format!("{}:{other}", library.display()));
    let maps = printed(world.run().args(["--", "cat", "/proc/self/maps"]));
    assert!(maps.contains(&library.display().to_string()), "{maps}");
}

#[test]
fn the_library_is_found_where_it_is_installed() {
    for place in ["bin/libheapsight.so", "lib/libheapsight.so"] {
        let world = World::new();
        let command = world.install("bin/heapsight");
        fs::create_dir_all(world.path("lib")).expect("a directory can be made");
        let library = world.library(place);
        let preload = variable(world.command_at(&command).arg("run"), "LD_PRELOAD");
        assert_eq!(preload, library.display().to_string());
    }
}

#[test]
fn without_a_word_leaks_are_reported() {
    let world = World::new();
    assert_eq!(variable(&mut world.run(), "HEAPSIGHT"), "leaks=on");
    assert_eq!(variable(world.run().args(["--track", "off"]), "HEAPSIGHT"), "track=off");
    assert_eq!(
        variable(
            world.run().args(["-o", "safety=off"]).env("HEAPSIGHT", "track=stats"),
            "HEAPSIGHT"
        ),
        "track=stats,safety=off"
    );
}

#[test]
fn every_flag_reaches_the_program() {
    let flags = "--track=full --leaks=on --leaks-exitcode=23 --safety=off --purge-delay -1";
    assert_eq!(
        variable(World::new().run().args(flags.split(' ')), "HEAPSIGHT"),
        "track=full,leaks=on,leaks_exitcode=23,safety=off,purge_delay=-1"
    );
}

#[test]
fn the_flags_of_the_ledger_reach_the_program() {
    let world = World::new();
    let flags = "--track sample:1M --ledger-size 8 --toggle-signal USR1 --ledger";
    let path = world.path("a,b").display().to_string();
    let text = variable(world.run().args(flags.split(' ')).arg(&path), "HEAPSIGHT");
    let path = path.replace(',', "\\,");
    assert_eq!(text, format!("track=sample:1M,ledger={path},ledger_size=8,toggle_signal=USR1"));
}

#[test]
fn the_ledger_is_an_absolute_path() {
    let world = World::new();
    let text = variable(world.run().args(["--ledger", "a.ledger"]), "HEAPSIGHT");
    let path = world.path("a.ledger");
    assert_eq!(text, format!("ledger=a.ledger,ledger={}", path.display()));
    let inherited = variable(world.run().env("HEAPSIGHT", "ledger=b,track=off"), "HEAPSIGHT");
    assert!(inherited.ends_with(&format!(",ledger={}", world.path("b").display())), "{inherited}");
}

#[test]
fn the_report_is_an_absolute_path_that_can_be_written() {
    let world = World::new();
    let text = variable(world.run().args(["--report", "a,%p.json"]), "HEAPSIGHT");
    let path = world.path(r"a\,%p.json");
    assert!(text.ends_with(&format!(",report={}", path.display())), "{text}");
    let made = fs::read_dir(world.path("")).expect("the directory can be read");
    let names = made.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(names.filter(|name| name.starts_with("a,") && !name.contains('%')).count(), 1);
}

#[test]
fn an_older_report_survives_until_there_is_another() {
    let world = World::new();
    let report = world.file("report.txt", "the last run\n", 0o644);
    printed(world.run().args(["--report", "report.txt", "--", "true"]));
    assert_eq!(fs::read_to_string(report).expect("it is there"), "the last run\n");
}
