//! The machine the figures belong to, and whether it was busy with something else.

use std::fs;

/// Processes that wanted to run before the comparison started; from here on it was not alone.
const BUSY: f64 = 0.5;

/// What is known of the machine before anything runs.
pub struct Machine {
    /// Its description in one line.
    pub description: String,
    /// The load average of the last minute.
    pub load: f64,
}

impl Machine {
    /// Looks at the machine; to be called first, since building and measuring are a load too.
    pub fn observe() -> Self {
        let load = line("/proc/loadavg")
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .unwrap_or(0.0);
        Self { description: describe(), load }
    }

    /// Whether other work competes with the comparison.
    pub fn is_busy(&self) -> bool {
        self.load > BUSY
    }
}

/// Processor, count of processors, memory, kernel, and the kernel's huge page setting.
fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(0, |count| count.get());
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches("kB").trim().parse::<u64>().ok())
        .map_or_else(|| "unknown memory".to_string(), |kib| format!("{} GiB", kib >> 20));
    let kernel = line("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_string());
    let huge = line("/sys/kernel/mm/transparent_hugepage/enabled")
        .and_then(|text| Some(text.split_once('[')?.1.split_once(']')?.0.to_string()))
        .unwrap_or_else(|| "unknown".to_string());
    format!(
        "{model}, {processors} processors, {memory}; Linux {kernel}, transparent huge pages: {huge}"
    )
}

fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.lines().next().map(str::to_string)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_string())
}
