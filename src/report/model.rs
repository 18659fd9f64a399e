//! What a report says, as data.

use super::asked::Asked;
use super::holder::{Holder, Member};
use serde::{Deserialize, Serialize};
use std::format;
use std::string::String;
use std::vec::Vec;

/// Statistics of the tracked blocks.
///
/// Bytes are those asked for. A `realloc` counts as one allocation of the new size and one
/// deallocation of the old, whether the block moved or not. A peak is the largest value that the
/// process-wide counter of current blocks (or bytes) ever held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryStats {
    /// Blocks ever allocated.
    pub total_allocations: u64,
    /// Blocks in use.
    pub current_allocations: u64,
    /// Most blocks in use at one moment.
    pub peak_allocations: u64,
    /// Blocks ever freed.
    pub total_deallocations: u64,
    /// Bytes ever allocated.
    pub bytes_allocated: u64,
    /// Bytes ever freed.
    pub bytes_deallocated: u64,
    /// Bytes in use.
    pub current_bytes: u64,
    /// Most bytes in use at one moment.
    pub peak_bytes: u64,
}

/// What became of a block that is still there.
///
/// In the order of reports. All but [`Self::Reachable`] are leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeakClass {
    /// Nothing points to it, or nothing but itself.
    Lost,
    /// It belongs to blocks that point to each other in a ring, and nothing else points to them.
    Cycle,
    /// Only lost blocks, or blocks of a cycle, lead to it: it goes when they do.
    Indirect,
    /// It is reachable by pointers into the middle of blocks alone, and the option
    /// `interior=possible` says that these are no proof.
    Possible,
    /// The program can still get at it. Not a leak.
    Reachable,
}

impl LeakClass {
    /// Every class, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::Lost, Self::Cycle, Self::Indirect, Self::Possible, Self::Reachable];

    /// Whether blocks of the class are leaks.
    #[must_use]
    pub const fn is_leak(self) -> bool {
        !matches!(self, Self::Reachable)
    }
}

/// One call of a stack, innermost first. A physical frame may be several of these: all but the last
/// are then marked as inlined.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frame {
    /// Demangled name.
    pub function: Option<String>,
    /// Path of the source file, as the compiler recorded it.
    pub file: Option<String>,
    /// Line in it.
    pub line: Option<u32>,
    /// Path of the executable or shared object.
    pub module: Option<String>,
    /// Address of the call in the module as it lies on disk, or in memory without a module.
    pub address: u64,
    /// The compiler put the function's body into its caller.
    pub inlined: bool,
}

/// The blocks of one call stack and one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// What became of them.
    pub class: LeakClass,
    /// They are reachable by a pointer into the middle of a block, somewhere on the way to them.
    pub interior: bool,
    /// A run-time library keeps them on purpose, as libc does the buffer of `stdout`. Whatever
    /// their class, they are no leak of the program.
    pub runtime: bool,
    /// How many.
    pub blocks: u64,
    /// Bytes asked for.
    pub bytes: u64,
    /// Kernel ids of the threads that allocated them.
    pub threads: Vec<u32>,
    /// The stack was deeper than what was kept.
    pub truncated: bool,
    /// The stack.
    pub frames: Vec<Frame>,
    /// Who holds the largest of them; nobody holds what is lost.
    pub held_by: Option<Holder>,
    /// All blocks of the cycle by call stack, these included. Empty for every other class.
    pub members: Vec<Member>,
    /// The blocks one by one, where these were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<Block>,
}

/// A rule that says which leaks are known, and what it has matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Which names it is for, as in `leak:PATTERN`.
    pub pattern: String,
    /// Where it stands: the path of a file, or what else it was given by.
    pub origin: String,
    /// The line there.
    pub line: u32,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it is there.
    pub reason: Option<String>,
    /// Its last day, `YYYY-MM-DD`.
    pub expires: Option<String>,
    /// That day is over: it suppresses nothing.
    pub has_expired: bool,
    /// Blocks that would count as leaked without it. What they alone lead to is not among them, and
    /// does not count either.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A leaked block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Where it is.
    pub address: u64,
    /// Bytes asked for.
    pub size: u64,
}

impl Frame {
    /// The call as its source line tells it; without a line, the address still does.
    pub(super) fn without_address(&self) -> Self {
        let address = if self.line.is_some() { 0 } else { self.address };
        Self { address, ..self.clone() }
    }
}

impl Leak {
    /// Whether the program leaked these blocks.
    #[must_use]
    pub const fn is_leak(&self) -> bool {
        self.class.is_leak() && !self.runtime
    }

    /// Takes in what was allocated by the same calls. The larger group knows the larger block, and
    /// the cycle of that.
    pub(super) fn absorb(&mut self, other: Self) {
        if other.bytes > self.bytes {
            self.held_by = other.held_by;
            self.members = other.members;
        }
        self.blocks += other.blocks;
        self.bytes += other.bytes;
        self.truncated |= other.truncated;
        self.listed.extend_from_slice(&other.listed);
        self.threads.extend_from_slice(&other.threads);
        self.threads.sort_unstable();
        self.threads.dedup();
    }
}

/// What is still there, by class and call stack: leaks first, the biggest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LeakReport {
    /// Path of the program.
    pub program: String,
    /// Its process id.
    pub pid: u32,
    /// Statistics at the time of the report.
    pub stats: MemoryStats,
    /// All groups, those that do not count as leaks included, in the order of their classes.
    pub leaks: Vec<Leak>,
    /// The suppressions that were in force, or would have been, in the order of their files.
    #[serde(default)]
    pub suppressions: Vec<Suppression>,
    /// Sentences that qualify the numbers: what could not be recorded, and why.
    pub notes: Vec<String>,
    /// Bytes of Heapsight's own records.
    pub overhead_bytes: u64,
    /// Nanoseconds for which the program stood still, where it went on while a copy was looked at.
    #[serde(default)]
    pub pause_ns: Option<u64>,
    /// What was asked about besides, by `heapsight why`.
    #[serde(default)]
    pub asked: Option<Asked>,
}

impl LeakReport {
    /// The groups of one class, those that run-time libraries keep included.
    pub fn of_class(&self, class: LeakClass) -> impl Iterator<Item = &Leak> {
        self.leaks.iter().filter(move |leak| leak.class == class)
    }

    /// The groups that count as leaked.
    pub fn leaked(&self) -> impl Iterator<Item = &Leak> {
        self.leaks.iter().filter(|leak| leak.is_leak())
    }

    /// Blocks that count as leaked.
    #[must_use]
    pub fn leaked_blocks(&self) -> u64 {
        self.leaked().map(|leak| leak.blocks).sum()
    }

    /// Bytes that count as leaked.
    #[must_use]
    pub fn leaked_bytes(&self) -> u64 {
        self.leaked().map(|leak| leak.bytes).sum()
    }

    /// Whether anything counts as leaked.
    #[must_use]
    pub fn has_leaks(&self) -> bool {
        self.leaked().next().is_some()
    }

    /// The report in one sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let sites = self.leaked().count();
        if sites == 0 && self.stats.total_allocations == 0 {
            return format!("no leaks: nothing of {} was tracked", self.program);
        }
        if sites > 0 {
            return format!(
                "{} in {} at {} leaked by {}",
                count(self.leaked_bytes(), "byte"),
                count(self.leaked_blocks(), "block"),
                count(sites as u64, "call stack"),
                self.program
            );
        }
        let still: Vec<_> = self.leaks.iter().filter(|leak| !leak.runtime).collect();
        if still.is_empty() {
            return format!("no leaks: {} freed all it allocated", self.program);
        }
        format!(
            "no leaks: {}, {} still reachable in {}",
            count(still.iter().map(|leak| leak.blocks).sum(), "block"),
            count(still.iter().map(|leak| leak.bytes).sum(), "byte"),
            self.program
        )
    }
}

/// `1 block`, `1,234 blocks`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with its thousands set apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = format!("{number}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((count(1, "block"), count(2, "block")), ("1 block".into(), "2 blocks".into()));
    }
}
