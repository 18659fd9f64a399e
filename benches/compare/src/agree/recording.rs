//! What a recorder counted of one run, in a shape that both recorders have.

use std::collections::HashMap;

/// Stacks are compared by this many innermost calls: heaptrack records some sixty.
pub const CALLS: usize = 50;

/// A call: the module's file name, and the address in it that the call returns to. Symbols play no
/// part, so the two readers of debug information cannot disagree about it.
pub type Call = (u32, u64);

/// The calls that lead to an allocation, the innermost first.
pub type Stack = Vec<Call>;

/// What is counted of a call stack, or of them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Allocations, reallocations among them.
    pub blocks: u64,
    /// Bytes asked for by them.
    pub bytes: u64,
    /// Blocks never freed.
    pub left: u64,
    /// Bytes never freed.
    pub left_bytes: u64,
}

impl Counts {
    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.bytes += other.bytes;
        self.left += other.left;
        self.left_bytes += other.left_bytes;
    }
}

/// One run.
#[derive(Default)]
pub struct Recording {
    /// Everything that was counted.
    pub totals: Counts,
    /// The most bytes in use at once.
    pub peak: u64,
    /// What the peak would be if a block that is moved were counted twice while it is copied.
    pub peak_moving: u64,
    /// By call stack.
    pub stacks: HashMap<Stack, Counts>,
    /// Names of the functions at a call, the innermost first, as far as they are known.
    pub names: HashMap<Call, Vec<String>>,
    /// Stacks that began with the C++ library's operator new, which was left out.
    pub new_calls: usize,
}

impl Recording {
    /// Counts a stack of whatever depth.
    pub fn count(&mut self, mut stack: Stack, counts: Counts) {
        stack.truncate(CALLS);
        self.stacks.entry(stack).or_default().add(counts);
    }

    /// The sum over all call stacks.
    pub fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        self.stacks.values().for_each(|counts| sum.add(*counts));
        sum
    }
}

/// Numbers for names of modules, the same for both recordings.
#[derive(Default)]
pub struct Modules {
    names: Vec<String>,
}

impl Modules {
    /// The number of a module, by the last part of its path.
    pub fn number(&mut self, path: &str) -> u32 {
        let name = path.rsplit('/').next().unwrap_or(path);
        let place = self.names.iter().position(|known| known == name);
        let place = place.unwrap_or_else(|| {
            self.names.push(name.to_string());
            self.names.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// The name of a module.
    pub fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("?", String::as_str)
    }
}
