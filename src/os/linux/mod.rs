//! Linux, by direct system calls (x86-64 and aarch64).

pub(crate) mod clock;
pub(crate) mod copy;
pub(crate) mod crew;
mod file;
pub(crate) mod futex;
pub(crate) mod maps;
pub(crate) mod memory;
pub(crate) mod object;
pub(crate) mod process;
mod syscall;
pub(crate) mod tasks;
pub(crate) mod thread;
