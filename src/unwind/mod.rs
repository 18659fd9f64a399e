//! Floor 2: from "here" to the return addresses of all callers.
//!
//! Every module carries call frame information: for each program counter, how to get from the
//! registers there to those of the caller. Walking the stack with it is exact, in binaries without
//! frame pointers too, and as usually done slow. Three observations make it fast:
//!
//! 1. A program returns to few different addresses. What to do at each is worked out once and fits
//!    in a word ([`native::table`]), and doing it takes a few instructions.
//! 2. Successive stacks of a thread share most of their frames. What is shared is found by
//!    comparing a few words of the stack, not by walking it ([`native::cache`]).
//! 3. A stack is its innermost frame and the stack of the caller. So stacks have numbers, and what
//!    has not changed has its number already ([`StackNames`]).
//!
//! Nothing is guessed. What the tables do not say ends a walk, which tells how ([`End`]).
//!
//! No loader lock is taken (glibc's `_dl_find_object`), nothing is allocated but pages, and memory
//! is read only where the kernel has said that there is some.
//!
//! All this is for Linux on x86-64; elsewhere the platform's unwinder walks (`platform`). Here only
//! tests ask it.

pub(crate) use names::{End, Frame, Registers, StackNames};

mod names;

#[cfg(any(test, not(all(target_arch = "x86_64", target_os = "linux", not(miri)))))]
mod platform;

#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
mod native;
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
pub(crate) use native::{Limit, Rules, StackCache, State, frame_around, walk};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
mod portable;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", not(miri))))]
pub(crate) use portable::{Limit, Rules, StackCache, State, frame_around, walk};

#[cfg(test)]
mod tests;
