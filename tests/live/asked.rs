//! `heapsight leaks PID`, and `heapsight leaks -- PROGRAM`.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{TempDir, artifact};
use crate::{Asked, Said, compile, expect_planted, heapsight, report, said};

#[test]
fn a_process_that_waits_for_input_is_asked_and_goes_on_waiting() {
    let asked = Asked::start("sleep");
    let said = said(&["leaks", &asked.pid()]);
    assert_eq!(said.code, Some(23), "{}", said.err);
    for part in ["1,416 bytes in 3 blocks", "leak_block", "leak_cycle", "asked.c:", "stood still"] {
        assert!(said.out.contains(part), "{part} is not in:\n{}", said.out);
    }
    expect_planted(&report(&asked.pid()));
    // By its ledger, too; and the report is beside it, and nothing else is.
    expect_planted(&report(&asked.ledger().to_string_lossy()));
    let names = fs::read_dir(asked.directory.path()).expect("a directory");
    let mut names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["a.ledger", "a.ledger.leaks.json", "asked"]);
    let said = asked.end();
    assert!(said.contains("read=0\n"), "the read goes on: {said}");
}

#[test]
fn a_process_that_sleeps_is_asked() {
    let asked = Asked::start("nap");
    expect_planted(&report(&asked.pid()));
    asked.end();
}

#[test]
fn eight_threads_that_allocate_are_asked_again_and_again() {
    let asked = Asked::start("busy");
    for _ in 0..8 {
        expect_planted(&report(&asked.pid()));
    }
    asked.end();
}

#[test]
fn a_program_with_a_handler_of_its_own_looks_when_it_allocates() {
    let asked = Asked::start("own");
    for _ in 0..3 {
        expect_planted(&report(&asked.pid()));
    }
    asked.end();
}

#[test]
fn one_that_sleeps_with_a_handler_of_its_own_looks_later() {
    let asked = Asked::start("own-sleep");
    let said = said(&["leaks", &asked.pid(), "--wait", "300ms"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    for part in ["handles SIGURG itself", "when it next allocates"] {
        assert!(said.err.contains(part), "{part} is not in: {}", said.err);
    }
    asked.end();
}

#[test]
fn a_program_that_waits_for_its_children_sees_none() {
    let asked = Asked::start("wait");
    for _ in 0..4 {
        expect_planted(&report(&asked.pid()));
    }
    let said = asked.end();
    assert!(said.contains("seen=0 dead=0\n"), "{said}");
}

/// How many children of the process there are, of whatever kind.
fn children(pid: &str) -> usize {
    let parent = |entry: fs::DirEntry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        Some(stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned())
    };
    let processes = fs::read_dir("/proc").expect("the system's processes").flatten();
    processes.filter_map(parent).filter(|parent| parent == pid).count()
}

#[test]
fn no_trace_of_the_copy_is_left() {
    for how in ["sleep", "busy", "own"] {
        let asked = Asked::start(how);
        report(&asked.pid());
        // It ends when its report is there, and the process hears of it then.
        let since = Instant::now();
        while children(&asked.pid()) > 0 {
            assert!(since.elapsed() < Duration::from_secs(60), "{how}: the copy is still there");
            thread::yield_now();
        }
        asked.end();
    }
}

#[test]
fn the_error_number_of_the_thread_that_serves_stays() {
    let asked = Asked::start("spin");
    report(&asked.pid());
    let said = asked.end();
    assert!(said.contains("errno=77\n"), "{said}");
}

#[test]
fn two_who_ask_at_once_are_both_answered() {
    let asked = Asked::start("busy");
    let ask = || heapsight(&["leaks", &asked.pid(), "--format", "json"]).spawn();
    let askers = [ask(), ask(), ask()].map(|child| child.expect("the command starts"));
    for asker in askers {
        let said = Said::from(asker.wait_with_output().expect("a child"));
        assert_eq!(said.code, Some(23), "{}", said.err);
        expect_planted(&serde_json::from_str(&said.out).expect("JSON"));
    }
    asked.end();
}

#[test]
fn a_process_that_ends_before_it_looks_is_not_waited_for() {
    let asked = Asked::start("own-sleep");
    let asker = heapsight(&["leaks", &asked.pid(), "--wait", "10m"]).spawn().expect("it starts");
    // The request is in the ledger: it is the first one.
    let ledger = asked.ledger();
    let is_asked = || {
        use std::os::unix::fs::FileExt;
        let mut word = [0; 4];
        let file = fs::File::open(&ledger).expect("the ledger");
        file.read_exact_at(&mut word, 1536).expect("its header");
        u32::from_le_bytes(word) == 1
    };
    while !is_asked() {
        thread::yield_now();
    }
    asked.end();
    let said = Said::from(asker.wait_with_output().expect("a child"));
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.err.contains("has ended before it could look"), "{}", said.err);
}

#[test]
fn a_process_that_may_start_none_says_so() {
    let asked = Asked::start("limited");
    let said = said(&["leaks", &asked.pid()]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    for part in ["was not allowed to copy itself", "ulimit -u", "leaks=on"] {
        assert!(said.err.contains(part), "{part} is not in: {}", said.err);
    }
    asked.end();
}

#[test]
fn a_process_that_does_not_record_every_block_is_not_asked() {
    for (options, part) in
        [("track=off", "attach"), ("track=stats", "attach"), ("track=sample", "attach")]
    {
        let asked = Asked::start_with("sleep", options);
        let said = said(&["leaks", &asked.pid()]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{options}");
        assert!(said.err.contains("does not record every block"), "{}", said.err);
        assert!(said.err.contains(part), "{}", said.err);
        asked.end();
    }
}

#[test]
fn a_process_that_has_ended_has_no_memory_to_look_at() {
    let directory = TempDir::new("ended");
    let (program, ledger) = (directory.join("asked"), directory.join("a.ledger"));
    compile("asked.c", &program, &[]);
    let status = Command::new(program)
        .env("LD_PRELOAD", artifact("libheapsight.so"))
        .env("HEAPSIGHT", format!("track=full,ledger={}", ledger.display()))
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status();
    assert_eq!(status.expect("it starts").code(), Some(5));
    let said = said(&["leaks", &ledger.to_string_lossy()]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("has ended") && said.err.contains("--by live"), "{}", said.err);
}

#[test]
fn a_program_that_is_run_leaks_by_its_exit_code() {
    let directory = TempDir::new("run");
    let program = directory.join("asked");
    compile("asked.c", &program, &[]);
    let program = program.to_string_lossy().into_owned();
    let plain = said(&["leaks", "--", &program]);
    assert_eq!(plain.code, Some(23), "{}", plain.err);
    assert!(plain.err.contains("1,416 bytes in 3 blocks"), "{}", plain.err);
    assert!(plain.out.contains("read=0"), "its own output: {}", plain.out);
    assert_eq!(said(&["leaks", "--exit-code", "9", "--", &program]).code, Some(9));
    let own = said(&["leaks", "--", "sh", "-c", "exit 7"]);
    assert_eq!(own.code, Some(7), "no leaks: {}", own.err);

    let file = directory.join("out.json");
    let file = file.to_string_lossy();
    let written = said(&["leaks", "--output", &file, "--", &program]);
    assert_eq!((written.code, written.err.as_str()), (Some(23), ""));
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(&*file).expect("a report")).expect("JSON");
    assert_eq!(report["leaked_bytes"], 1416);
}
