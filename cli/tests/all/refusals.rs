//! Bad input: one clear line, the right exit code, and nothing was started or lost.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::world::{World, outcome};

/// Another user than whoever runs the tests.
const OTHER_USER: u32 = 54_321;

/// Checks that `command` is refused with `code` and one line that holds all of `parts`.
fn assert_refused(command: &mut Command, code: i32, parts: &[&str]) {
    let refusal = outcome(command);
    assert_eq!(refusal.code, Some(code), "{}", refusal.stderr);
    assert_eq!(refusal.stdout, "", "the program ran");
    let line = refusal.stderr.strip_suffix('\n').expect("a whole line");
    assert!(line.starts_with("heapsight: ") && !line.contains('\n'), "{line}");
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in: {line}");
    }
}

/// The head of an ELF program, with or without a loader.
fn elf(class: u8, machine: u16, loader: Option<&str>) -> Vec<u8> {
    const HEADER_SIZE: u64 = 64;
    const SEGMENT_SIZE: u64 = 56;
    let mut image = b"\x7fELF".to_vec();
    image.extend([class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    image.extend([3_u16, machine].map(u16::to_le_bytes).concat());
    image.extend(1_u32.to_le_bytes());
    // The entry point, the segments, the sections.
    image.extend([0, HEADER_SIZE, 0].map(u64::to_le_bytes).concat());
    image.extend(0_u32.to_le_bytes());
    let segments = u16::from(loader.is_some());
    image.extend([64, 56, segments, 0, 0, 0].map(u16::to_le_bytes).concat());
    if let Some(loader) = loader {
        let (offset, size) = (HEADER_SIZE + SEGMENT_SIZE, loader.len() as u64 + 1);
        image.extend([3_u32, 4].map(u32::to_le_bytes).concat());
        image.extend([offset, 0, 0, size, size, 1].map(u64::to_le_bytes).concat());
        image.extend(loader.bytes());
        image.push(0);
    }
    image
}

/// The machine of this build, as ELF numbers it, and one that it is not.
const MACHINES: (u16, u16) = if cfg!(target_arch = "x86_64") { (62, 183) } else { (183, 62) };
const CLASSES: (u8, u8) = (2, 1);

#[test]
fn a_program_that_does_not_exist() {
    let world = World::new();
    assert_refused(
        world.run().args(["--", "no-such-program"]),
        127,
        &["cannot find 'no-such-program' on PATH"],
    );
    assert_refused(world.run().args(["--", "./missing"]), 127, &["'./missing'", "does not exist"]);
    assert_refused(world.run().args(["--", ""]), 127, &["cannot find ''"]);
    world.file("text", "", 0o644);
    assert_refused(world.run().args(["--", "./text/x"]), 127, &["does not exist"]);
}

#[test]
fn a_file_that_cannot_be_executed() {
    let world = World::new();
    world.file("plain", "echo hello\n", 0o644);
    world.file("garbage", b"MZ\0\x01\x02", 0o755);
    assert_refused(world.run().args(["--", "./plain"]), 126, &["'./plain'", "chmod +x"]);
    assert_refused(world.run().args(["--", "./garbage"]), 126, &["neither an ELF program nor"]);
    assert_refused(world.run().args(["--", "./"]), 126, &["is a directory"]);
    let path = world.path("");
    assert_refused(world.run().args(["--", "plain"]).env("PATH", path), 126, &["chmod +x"]);
}

#[test]
fn a_program_for_another_machine() {
    let world = World::new();
    world.file("narrow", elf(CLASSES.1, 3, None), 0o755);
    world.file("short", &elf(CLASSES.1, 3, None)[..52], 0o755);
    world.file("foreign", elf(CLASSES.0, MACHINES.1, Some("/lib/ld.so")), 0o755);
    assert_refused(world.run().args(["--", "./narrow"]), 126, &["32-bit x86", "64-bit"]);
    assert_refused(world.run().args(["--", "./short"]), 126, &["32-bit x86", "64-bit"]);
    assert_refused(world.run().args(["--", "./foreign"]), 126, &["64-bit x86", "64-bit ARM"]);
}

#[test]
fn a_program_that_cannot_be_preloaded_into() {
    let world = World::new();
    let program = |loader| elf(CLASSES.0, MACHINES.0, loader);
    world.file("musl", program(Some("/lib/ld-musl-x86_64.so.1")), 0o755);
    world.file("static", program(None), 0o755);
    world.file("homeless", program(Some("/no/such/loader.so")), 0o755);
    world.file("cut", &program(Some("/lib/ld.so"))[..100], 0o755);
    assert_refused(world.run().args(["--", "./musl"]), 126, &["linked to musl", "glibc"]);
    assert_refused(world.run().args(["--", "./static"]), 126, &["statically linked"]);
    assert_refused(world.run().args(["--", "./homeless"]), 126, &["'/no/such/loader.so'"]);
    assert_refused(world.run().args(["--", "./cut"]), 126, &["damaged ELF file"]);
}

#[test]
fn a_script_stands_for_its_interpreter() {
    let world = World::new();
    let fixed = world.file("static", elf(CLASSES.0, MACHINES.0, None), 0o755);
    world.file("script", format!("#!{} -x\n", fixed.display()), 0o755);
    world.file("orphan", "#!/no/such/interpreter\n", 0o755);
    world.file("ouroboros", format!("#!{}\n", world.path("ouroboros").display()), 0o755);
    assert_refused(world.run().args(["--", "./script"]), 126, &["'./script'", "static' is static"]);
    assert_refused(world.run().args(["--", "./orphan"]), 126, &["interpreter", "does not exist"]);
    assert_refused(world.run().args(["--", "./ouroboros"]), 126, &["too many in a row"]);
}

#[test]
fn a_program_that_gains_rights() {
    let world = World::new();
    let shell = fs::read("/bin/sh").expect("there is a shell");
    let copy = world.file("privileged", shell, 0o755);
    if chown(&copy, Some(OTHER_USER), None).is_ok() {
        // Changing the owner clears the bit, so it is set afterwards.
        set_user_id(&copy);
        assert_refused(world.run().args(["--", "./privileged"]), 126, &["setuid"]);
        return;
    }
    // Only root may give files away; everybody else finds a program of root's.
    let found =
        ["/usr/bin/su", "/bin/su", "/usr/bin/passwd", "/usr/bin/mount"].into_iter().find(|path| {
            fs::metadata(path).is_ok_and(|file| file.mode() & 0o4000 != 0 && file.uid() == 0)
        });
    match found {
        Some(path) => assert_refused(world.run().args(["--", path]), 126, &["setuid"]),
        None => eprintln!("SKIPPED the setuid check: not root, and no setuid program is installed"),
    }
}

fn set_user_id(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o4755)).expect("the mode can be set");
}

#[test]
fn an_option_that_does_not_exist_or_has_a_bad_value() {
    let world = World::new();
    let refused = |option: &str, parts: &[&str]| {
        assert_refused(world.run().args(["-o", option, "--", "echo", "ran"]), 2, parts);
    };
    refused("trak=full", &["unknown option 'trak': did you mean 'track'?"]);
    refused("track=ful", &["bad value 'ful' for option 'track': did you mean 'full'?"]);
    refused("leaks", &["option 'leaks' has no value"]);
    refused("leaks_exitcode=999", &["a whole number from 0 to 255"]);
    refused("track=sample:5X", &["bad value 'sample:5X'", "'sample:SIZE'", "from 1 to 1G"]);
    refused("ledger_size=3", &["a whole number from 4 to 65536"]);
    refused("leaks=on,track=off", &["use 'track=full'"]);
    refused("leaks=on,track=sample", &["needs every block", "use 'track=full'"]);
    assert_refused(
        world.run().args(["--", "echo", "ran"]).env("HEAPSIGHT", "saftey=off"),
        2,
        &["did you mean 'safety'?", "in the environment variable HEAPSIGHT"],
    );
}

#[test]
fn a_flag_that_does_not_exist_or_has_a_bad_value() {
    let world = World::new();
    let lines = [
        (&["run", "--trak", "full", "--", "echo"][..], "'--track'"),
        (&["run", "--track", "ful", "--", "echo"], "'full'"),
        (&["run", "--track", "sample:5X", "--", "echo"], "bad value 'sample:5X' for option"),
        (&["run", "--track", "full:1", "--", "echo"], "possible values"),
        (&["run", "--ledger-size", "3", "--", "echo"], "4..=65536"),
        (&["run", "--leaks-exitcode", "256", "--", "echo"], "0..=255"),
        (&["run", "--purge-delay", "soon", "--", "echo"], "invalid digit"),
        (&["runn"], "'run'"),
        (&["run"], "<PROGRAM>"),
        (&["options", "--json", "--markdown"], "cannot be used with"),
    ];
    for (line, part) in lines {
        let refusal = outcome(world.command().args(line));
        assert_eq!((refusal.code, refusal.stdout.as_str()), (Some(2), ""), "{line:?}");
        assert!(refusal.stderr.contains(part), "{part:?} is not in: {}", refusal.stderr);
    }
}

#[test]
fn a_report_that_cannot_be_written() {
    let world = World::new();
    world.file("file", "", 0o644);
    let refused = |path: &str, parts: &[&str]| {
        assert_refused(world.run().args(["--report", path, "--", "echo", "ran"]), 2, parts);
    };
    refused("no/such/directory.json", &["its directory does not exist"]);
    refused(".", &["is a directory"]);
    refused("file/report.json", &["file/report.json'", "was not started"]);
    refused(&"x".repeat(1024), &["at most 1023 bytes"]);
    refused(&"x".repeat(1020), &["at most 1023 bytes"]);
}

#[test]
fn a_ledger_that_cannot_be_made() {
    let world = World::new();
    world.file("file", "", 0o644);
    let refused = |path: &str, parts: &[&str]| {
        assert_refused(world.run().args(["--ledger", path, "--", "echo", "ran"]), 2, parts);
    };
    refused("no/such/a.ledger", &["the ledger", "its directory does not exist"]);
    refused(".", &["the ledger", "is a directory"]);
    refused("file/a.ledger", &["file/a.ledger'", "was not started"]);
    refused("/proc/a.ledger", &["'/proc/a.ledger'"]);
    refused("/dev/null", &["'/dev/null'", "not a file"]);
    refused(&"x".repeat(1020), &["at most 1023 bytes"]);
    let command = &mut world.run();
    command.args(["--", "echo", "ran"]).env("HEAPSIGHT", "ledger=no/such/b");
    assert_refused(command, 2, &["no/such/b'"]);
}

#[test]
fn asking_whether_a_ledger_can_be_made_leaves_no_trace() {
    let world = World::new();
    let older = world.file("older.ledger", "an older one", 0o644);
    for path in ["older.ledger", "new.ledger", "%p.ledger"] {
        let run = outcome(world.run().args(["--ledger", path, "--", "true"]));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    }
    assert_eq!(fs::read(older).expect("it is there"), b"an older one");
    let names = fs::read_dir(world.path("")).expect("the directory can be read");
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ledgers: Vec<_> = names.filter(|name| name.contains("ledger")).collect();
    assert_eq!(ledgers, ["older.ledger"]);
}

#[test]
fn a_refused_program_leaves_no_report_behind() {
    let world = World::new();
    let mut command = world.run();
    assert_refused(command.args(["--report", "new.json", "--", "./missing"]), 127, &[]);
    assert!(!world.path("new.json").exists());
}

#[test]
fn a_library_that_is_missing_or_unfit() {
    let world = World::new();
    let lonely = world.install("bin/heapsight");
    let mut command = world.command_at(&lonely);
    assert_refused(
        command.args(["run", "--", "echo", "ran"]),
        125,
        &["cannot find libheapsight.so beside", "cargo build --release", "--library"],
    );
    let refused = |path: &Path, parts: &[&str]| {
        let mut command = world.command();
        command.arg("run").arg("--library").arg(path).args(["--", "echo", "ran"]);
        assert_refused(&mut command, 125, parts);
    };
    refused(Path::new("missing.so"), &["cannot read the library 'missing.so'"]);
    refused(&world.file("text.so", "text", 0o644), &["is not a shared library"]);
    refused(&world.library("a b.so"), &["holds a space"]);
    symlink(world.path("a b.so"), world.path("fine.so")).expect("a link can be made");
    refused(&world.path("fine.so"), &["holds a space"]);
}
