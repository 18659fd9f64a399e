//! A server measured by its client: redis, and the time its answers took.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::cases::Case;
use crate::allocator::Allocator;
use crate::measure::{self, Sample};
use crate::programs::{Scratch, first_line, row};
use crate::row::Row;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(30);

/// The client's side of a case.
pub struct Server {
    client: PathBuf,
    socket: PathBuf,
    requests: u32,
}

impl Server {
    /// redis-server, to be asked by redis-benchmark over a socket file.
    pub fn find(scratch: &Scratch, percent: u32) -> Result<Case, String> {
        let program = first_line(Command::new("which").arg("redis-server"))?;
        let client = first_line(Command::new("which").arg("redis-benchmark"))?;
        let socket = scratch.path().join("redis.sock");
        let requests = 1000 * percent;
        let what = format!(
            "redis-server, 8 times {requests} requests of redis-benchmark, whose wait is the time"
        );
        let name = socket.to_string_lossy().into_owned();
        let arguments = ["--port", "0", "--unixsocket", &name, "--save", "", "--appendonly", "no"];
        let row = row("redis", what, program, &arguments);
        Ok(Case { row, server: Some(Self { client, socket, requests }) })
    }

    /// Starts the server under `setup`, asks, and stops it.
    pub fn measure(&self, row: &Row, setup: &Allocator) -> Result<Sample, String> {
        let fail = |what: String| format!("{} on {}: {what}", row.name, setup.name);
        let mut stderr = measure::tempfile().map_err(|error| fail(error.to_string()))?;
        let mut command = Command::new(&row.program);
        command.args(&row.arguments).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(stderr.try_clone().map_err(|error| fail(error.to_string()))?);
        measure::prepare(&mut command, setup);
        command.env("LD_PRELOAD", preload(setup));
        // The last server's, which it may have left behind.
        let _ = std::fs::remove_file(&self.socket);
        let child = command.spawn().map_err(|error| fail(format!("does not start: {error}")))?;
        let asked = self.ask();
        if asked.is_err() {
            stop(&child);
        }
        let ended = measure::wait(&child).map_err(&fail)?;
        let messages = measure::text_of(&mut stderr);
        if ended.status != 0 {
            let status = measure::describe(ended.status);
            return Err(fail(format!("ended with {status}: {}", measure::last_line(&messages))));
        }
        measure::objection(&messages).map_err(&fail)?;
        let time = asked.map_err(&fail)?.as_secs_f64();
        Ok(Sample { time, cpu: ended.cpu, peak_kib: ended.peak_kib, output: 0 })
    }

    /// Waits for the server, has it answer, and tells it to end; the time of the answers.
    fn ask(&self) -> Result<Duration, String> {
        let start = Instant::now();
        let mut connection = loop {
            match UnixStream::connect(&self.socket) {
                Ok(connection) => break connection,
                Err(error) if start.elapsed() > START => {
                    return Err(format!("does not listen: {error}"));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let mut client = Command::new(&self.client);
        client.arg("-s").arg(&self.socket).args(["-n", &self.requests.to_string()]);
        client.args("-q -c 16 -P 16 -r 20000 -d 100 -t".split(' '));
        client.arg("set,get,incr,lpush,lpop,sadd,hset,zadd").env_remove("LD_PRELOAD");
        let start = Instant::now();
        let output = client.output().map_err(|error| format!("no client: {error}"))?;
        let elapsed = start.elapsed();
        if !output.status.success() {
            return Err(format!("its client ends with {}", output.status));
        }
        connection
            .write_all(b"SHUTDOWN NOSAVE\r\n")
            .map_err(|error| format!("does not take its order to end: {error}"))?;
        Ok(elapsed)
    }
}

/// glibc after the setup's own object: a redis linked against jemalloc would otherwise be
/// measured on jemalloc, under glibc's name.
fn preload(setup: &Allocator) -> std::ffi::OsString {
    match &setup.preload {
        Some(object) => {
            let mut list = object.clone().into_os_string();
            list.push(":libc.so.6");
            list
        }
        None => "libc.so.6".into(),
    }
}

fn stop(child: &Child) {
    // SAFETY: The child has not been waited for, so the id is still its own.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGKILL) };
}
