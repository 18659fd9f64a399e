//! The world, stopped: where each thread is, as far as anybody can tell.
//!
//! Who stops it, and how, is the business of a higher floor. Having a [`World`] means that no
//! thread but the caller's changes memory, or is among those that could not be stopped.

use super::scratch::{NoMemory, Vector};

/// A thread, as it was found. Zero stands for what is not known.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Thread {
    /// The kernel's id.
    pub(crate) id: u32,
    pub(crate) is_stopped: bool,
    /// Its thread pointer.
    pub(crate) pointer: usize,
    /// Where its stack begins, as far as the program's code uses it.
    pub(crate) sp: usize,
    /// Its frame pointer and program counter there.
    pub(crate) fp: usize,
    pub(crate) pc: usize,
    /// Where its other registers are kept, in whole words: start and end.
    pub(crate) registers: (usize, usize),
    /// And its vector registers, in which copying keeps whole blocks for a moment.
    pub(crate) vectors: (usize, usize),
    /// Its alternate signal stack: start and end.
    pub(crate) alternate: (usize, usize),
}

/// Bytes below the stack pointer that a function may use without moving it.
pub(crate) const RED_ZONE: usize = if cfg!(target_arch = "x86_64") { 128 } else { 0 };

impl Thread {
    /// A thread of which nothing is known.
    pub(crate) const fn unknown(id: u32) -> Self {
        Self {
            id,
            is_stopped: false,
            pointer: 0,
            sp: 0,
            fp: 0,
            pc: 0,
            registers: (0, 0),
            vectors: (0, 0),
            alternate: (0, 0),
        }
    }
}

/// What the C library tells of its threads; zero where it does not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Library {
    /// Bytes of thread-local variables in front of a thread pointer.
    pub(crate) tls: usize,
    /// Bytes of the thread's control block behind it.
    pub(crate) control: usize,
    /// Where in the block the kernel's id of the thread is.
    pub(crate) id_offset: usize,
    /// And where the result of its function is, once that has returned.
    pub(crate) result: usize,
    /// Thread pointer of the process's first thread.
    pub(crate) first: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) threads: Vector<Thread>,
    /// The process's id, which is that of its first thread.
    pub(crate) process: u32,
    pub(crate) library: Library,
    /// Memory of Heapsight's own that is no root: start and end.
    pub(crate) own: (usize, usize),
}

impl World {
    /// Ids of the threads that could not be stopped.
    pub(crate) fn unstopped_ids(&self) -> Result<Vector<u32>, NoMemory> {
        let mut ids = Vector::new();
        for thread in self.threads.iter().filter(|thread| !thread.is_stopped) {
            ids.push(thread.id)?;
        }
        Ok(ids)
    }
}
