//! A server that is watched while it serves: redis, with a module that loses a block, loses a cycle
//! and keeps a cache without bounds. All three are named, and nothing else is.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Need, TempDir, artifact, find_command, install, missing};
use crate::{compile, said};

const REDIS: Need =
    Need { commands: "redis-server redis-cli", packages: "redis-server redis-tools" };

/// Parts of all bytes that something else may have.
const SHARE: u64 = 100;

struct Server {
    directory: TempDir,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let directory = TempDir::new("redis");
        let module = directory.join("plant.so");
        compile("module.c", &module, &["-shared", "-fPIC"]);
        let child = Command::new(find_command("redis-server").expect("not missing"))
            .args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--loadmodule"])
            .arg(module)
            .current_dir(directory.path())
            .env("LD_PRELOAD", artifact("libheapsight.so"))
            .env("HEAPSIGHT", "track=full,ledger=redis.ledger")
            .stdout(Stdio::null())
            .spawn()
            .expect("redis starts");
        let server = Self { directory, child };
        let since = Instant::now();
        while !server.socket().exists() {
            assert!(since.elapsed() < Duration::from_secs(60), "redis does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("redis.sock")
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Has it follow these commands.
    fn tell(&self, commands: &str) {
        tell(&self.socket(), commands);
    }
}

fn tell(socket: &PathBuf, commands: &str) {
    let mut client = Command::new(find_command("redis-cli").expect("not missing"))
        .arg("-s")
        .arg(socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts");
    client.stdin.take().expect("a pipe").write_all(commands.as_bytes()).expect("it listens");
    let said = client.wait_with_output().expect("a child");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(!said.contains("ERR"), "{said}");
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Ordinary work, on as many keys as before.
fn load() -> String {
    let each = |key: usize| {
        format!(
            "SET key:{key} value-of-{key}-as-long-as-it-is\nGET key:{key}\nEXPIRE key:{key} 3600\n\
             LPUSH list:{} element-{key}\nLTRIM list:{} 0 99\n",
            key % 10,
            key % 10
        )
    };
    (0..1000).map(each).collect()
}

fn functions(group: &Value) -> Vec<&str> {
    let frames = group["frames"].as_array().expect("frames");
    frames.iter().filter_map(|frame| frame["function"].as_str()).collect()
}

/// The first function of a group that is of the module, and its line.
fn planted(group: &Value) -> Option<(&str, u64)> {
    let frames = group["frames"].as_array()?;
    let own = frames
        .iter()
        .find(|frame| frame["file"].as_str().is_some_and(|file| file.ends_with("module.c")))?;
    Some((own["function"].as_str()?, own["line"].as_u64()?))
}

#[test]
fn a_server_is_watched_while_it_serves() {
    install("live", [REDIS].into_iter());
    if !missing(&REDIS).is_empty() {
        eprintln!("SKIPPED: no redis-server or no redis-cli");
        return;
    }
    let server = Server::start();
    (0..3).for_each(|_| server.tell(&load()));
    server.tell(&"PLANT.LEAK\n".repeat(100));
    server.tell(&"PLANT.CYCLE\n".repeat(100));
    // What the last command left in registers and on the stack goes with others.
    server.tell(&load());

    let answer = said(&["leaks", &server.pid(), "--format", "json"]);
    assert_eq!(answer.code, Some(23), "{}", answer.err);
    let report: Value = serde_json::from_str(&answer.out).expect("JSON");
    let groups = report["leaks"].as_array().expect("a list");
    let number = |group: &Value, name: &str| group[name].as_u64().expect("a number");
    let all: u64 = groups.iter().map(|group| number(group, "bytes")).sum();
    let mut lost = Vec::new();
    let mut others = 0;
    for group in groups.iter().filter(|group| group["class"] != "reachable") {
        match planted(group) {
            Some((function, line)) => lost.push((
                group["class"].as_str().expect("a class"),
                function,
                line > 0,
                number(group, "blocks"),
            )),
            None if group["runtime"] == false => {
                eprintln!("also {}: {:?}", group["class"], functions(group));
                others += number(group, "bytes");
            }
            None => {}
        }
    }
    lost.sort_unstable();
    let cycle = ("cycle", "lose_cycle", true, 100);
    assert_eq!(lost, [cycle, cycle, ("lost", "lose_block", true, 100)], "{report:#}");
    assert!(others <= all / SHARE, "{others} of {all} bytes are lost besides");
    eprintln!("the program stood still for {} ns", report["pause_ns"]);

    let (socket, stop) = (server.socket(), AtomicBool::new(false));
    let answer = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                tell(&socket, &(load() + &"PLANT.CACHE\n".repeat(200)));
            }
        });
        let growth = ["leaks", &server.pid(), "--growth", "3", "--every", "3s", "--format", "json"];
        let answer = said(&growth);
        stop.store(true, Ordering::Relaxed);
        answer
    });
    assert_eq!(answer.code, Some(23), "{}{}", answer.out, answer.err);
    let growth: Value = serde_json::from_str(&answer.out).expect("JSON");
    let growing = growth["growing"].as_array().expect("a list");
    let rate = |one: &Value| one["bytes_per_second"].as_f64().expect("a number");
    let grown: f64 = growing.iter().map(rate).sum();
    let (ours, others): (Vec<_>, Vec<_>) =
        growing.iter().partition(|one| planted(&one["group"]).is_some());
    assert_eq!(ours.len(), 1, "{growth:#}");
    assert_eq!(planted(&ours[0]["group"]).map(|found| found.0), Some("append"));
    assert_eq!(ours[0]["group"]["held_by"]["root"]["symbol"], "cache", "{growth:#}");
    let besides: f64 = others.into_iter().map(rate).sum();
    assert!(besides * SHARE as f64 <= grown, "{growth:#}");
}
