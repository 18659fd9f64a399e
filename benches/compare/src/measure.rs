//! One run of one row on top of one allocator.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::allocator::Allocator;
use crate::row::{Clock, Row};

/// What one run took.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Nanoseconds per operation, or seconds of a whole program.
    pub time: f64,
    /// Seconds the processors spent on the process, in it and for it.
    pub cpu: f64,
    /// The most memory held at once.
    pub peak_kib: u64,
    /// A digest of a whole program's output; 0 for the allocating program.
    pub output: u64,
}

/// Runs `row` on top of `allocator`.
pub fn measure(row: &Row, allocator: &Allocator) -> Result<Sample, String> {
    let fail = |what: String| format!("{} on {}: {what}", row.name, allocator.name);
    let mut stderr = tempfile().map_err(|error| fail(format!("no temporary file: {error}")))?;
    let mut command = command(row, allocator).map_err(&fail)?;
    command.stderr(stderr.try_clone().map_err(|error| fail(error.to_string()))?);
    let start = Instant::now();
    let mut child = command.spawn().map_err(|error| fail(format!("does not start: {error}")))?;
    let mut output = Vec::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_end(&mut output).map_err(|error| fail(error.to_string()))?;
    }
    let Ended { status, cpu, peak_kib } = wait(&child).map_err(&fail)?;
    let seconds = start.elapsed().as_secs_f64();

    let messages = text_of(&mut stderr);
    if status != 0 {
        return Err(fail(format!("ended with {}: {}", describe(status), last_line(&messages))));
    }
    objection(&messages).map_err(&fail)?;
    match row.clock {
        Clock::Own => {
            own_clock(&output, cpu).ok_or_else(|| fail("printed no measurement".to_string()))
        }
        Clock::Wall => Ok(Sample { time: seconds, cpu, peak_kib, output: digest(&output) }),
    }
}

fn command(row: &Row, allocator: &Allocator) -> Result<Command, String> {
    let mut command = Command::new(&row.program);
    command.args(&row.arguments).envs(row.environment.iter().copied());
    // Settings of the person who measures must not decide the result.
    prepare(&mut command, allocator);
    command.stdin(match &row.input {
        Some(path) => Stdio::from(
            File::open(path).map_err(|error| format!("cannot read its input: {error}"))?,
        ),
        None => Stdio::null(),
    });
    command.stdout(Stdio::piped());
    Ok(command)
}

/// Gives a command the allocator, and nothing of the settings of the person who measures.
pub fn prepare(command: &mut Command, allocator: &Allocator) {
    command.env_remove("LD_PRELOAD").env_remove("HEAPSIGHT").env_remove("MALLOC_ARENA_MAX");
    command.env_remove("MALLOC_CONF");
    command.envs(allocator.environment.iter().map(|(name, value)| (name, value)));
    if let Some(object) = &allocator.preload {
        command.env("LD_PRELOAD", object);
    }
    // A child counts the peak of the process image it replaces as its own. With anything to do
    // between, this becomes a fork, whose image holds this program's written pages alone.
    // SAFETY: The closure does nothing, which is safe after any fork.
    unsafe { command.pre_exec(|| Ok(())) };
}

/// What a process said that makes its measurement worthless: the loader and the allocators only
/// warn, and another allocator or another mode would be measured under the wrong name.
pub fn objection(messages: &str) -> Result<(), String> {
    let is_refusal = |line: &&str| {
        line.contains("cannot be preloaded")
            || line.contains("Invalid conf")
            || (line.starts_with("heapsight: ")
                && (line.ends_with("(ignored)") || line.contains("cannot write")))
    };
    match messages.lines().find(is_refusal) {
        Some(line) => Err(format!("what was to be measured is not there: {line}")),
        None => Ok(()),
    }
}

/// How a process ended, and what it took.
pub struct Ended {
    /// The status as the kernel gives it.
    pub status: i32,
    /// Seconds of processor time.
    pub cpu: f64,
    /// Its peak memory.
    pub peak_kib: u64,
}

/// Waits for the child.
pub fn wait(child: &Child) -> Result<Ended, String> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    let id = child.id() as libc::pid_t;
    loop {
        // SAFETY: Both places are valid for the results; the child has not been waited for, since
        // only this function waits.
        let reaped = unsafe { libc::wait4(id, &raw mut status, 0, usage.as_mut_ptr()) };
        if reaped == id {
            break;
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(format!("cannot be waited for: {error}"));
        }
    }
    // SAFETY: Zeroed bytes are a valid rusage, and wait4 filled them.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    Ok(Ended { status, cpu, peak_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0) })
}

/// Reads `operations nanoseconds peak_kib`.
fn own_clock(output: &[u8], cpu: f64) -> Option<Sample> {
    let text = std::str::from_utf8(output).ok()?;
    let mut numbers = text.split_whitespace().map(|word| word.parse::<u64>().ok());
    let (operations, nanoseconds, peak_kib) =
        (numbers.next()??, numbers.next()??, numbers.next()??);
    let time = nanoseconds as f64 / operations as f64;
    (operations > 0).then_some(Sample { time, cpu, peak_kib, output: 0 })
}

fn digest(output: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    output.hash(&mut hasher);
    hasher.finish()
}

/// A status in words.
pub fn describe(status: i32) -> String {
    if libc::WIFSIGNALED(status) {
        format!("signal {}", libc::WTERMSIG(status))
    } else {
        format!("exit code {}", libc::WEXITSTATUS(status))
    }
}

/// The last thing a process said.
pub fn last_line(messages: &str) -> &str {
    messages.lines().last().unwrap_or("it said nothing")
}

/// Everything in a file, from its start.
pub fn text_of(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // A message that cannot be read back costs a detail of an error, not the measurement.
    if file.rewind().and_then(|()| file.read_to_end(&mut bytes)).is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A file without a name, gone with its last descriptor.
pub fn tempfile() -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .mode(0o600)
        .open(std::env::temp_dir())
}
