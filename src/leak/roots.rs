//! Roots: memory that is in use by itself.

/// A piece of memory whose pointers count, in whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) origin: Origin,
}

/// What a root is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Variables of a module; the address tells which.
    Global,
    /// Stack of a thread, from its stack pointer on; the kernel's id.
    Stack { thread: u32 },
    /// Registers of a thread.
    Registers { thread: u32 },
    /// Thread-local variables and the thread's control block.
    Tls { thread: u32 },
    /// Memory outside of the heap that something reachable points to.
    Mapping,
}
