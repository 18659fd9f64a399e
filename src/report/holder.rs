//! Who holds a block, as data: the way to it from a root, and the members of a cycle.

use super::model::Frame;
use serde::{Deserialize, Serialize};
use std::string::String;
use std::vec::Vec;

/// The way from a root, or from a lost block, to a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Where it begins.
    pub root: Root,
    /// The blocks in between, the one that the root points to first.
    pub path: Vec<Hop>,
    /// How many more there are, before the last one of the path: a list may have millions.
    pub omitted: u64,
}

/// Where pointers to blocks are looked for, and one was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// What sort of place it is.
    pub kind: RootKind,
    /// The global variable, demangled.
    pub symbol: Option<String>,
    /// How far behind the start of the variable the pointer lies.
    pub offset: u64,
    /// Path of the executable or shared object that the address belongs to.
    pub module: Option<String>,
    /// Kernel id of the thread that it belongs to.
    pub thread: Option<u32>,
    /// That thread's name.
    pub thread_name: Option<String>,
    /// The function whose frame on the stack the pointer lies in.
    pub function: Option<String>,
    /// Address of the pointer; zero where there is none, as in a register.
    pub address: u64,
    /// Where a lost block was allocated.
    pub frames: Vec<Frame>,
}

/// The sorts of roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootKind {
    /// A global variable, or other writable data of a module.
    Global,
    /// The stack of a thread.
    Stack,
    /// A register of a thread.
    Registers,
    /// What a thread has of its own: thread-local variables, thread-specific data.
    Tls,
    /// A stack for signal handlers.
    AlternateStack,
    /// Memory that the program registered.
    Region,
    /// Other writable memory of the process.
    Mapping,
    /// No root: a lost block, or a cycle.
    Lost,
    /// No root: nothing holds the block, and the program has said that this is no leak.
    Ignored,
    /// No root: nothing holds the block, and a suppression says that this is no leak.
    Suppressed,
}

/// A block on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Where it is.
    pub address: u64,
    /// Bytes asked for, or usable where that is not known.
    pub size: u64,
    /// Where in it the pointer to the next one lies.
    pub offset: u64,
    /// Where it was allocated; empty if that was not recorded.
    pub frames: Vec<Frame>,
}

/// Blocks of a cycle that were allocated by the same calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Where they were allocated.
    pub frames: Vec<Frame>,
    /// How many they are, of all cycles of this kind.
    pub blocks: u64,
    /// Bytes asked for.
    pub bytes: u64,
}
