//! The unwinder for Linux on x86-64.
//!
//! | part | what it does |
//! |---|---|
//! | [`modules`], [`cfi`], [`expression`] | finds the description of a program counter, reads it |
//! | [`rule`], [`table`], [`slots`] | keeps what follows from it, in one word |
//! | [`step`], [`bounds`] | from a frame to its caller, reading only what is there |
//! | [`walk`](mod@walk), [`slow`] | whole stacks, by rules, and by the letter |
//! | [`cache`], [`stack`], [`front`], [`store`] | what has not changed since the last capture |
//! | [`last`], [`advance`] | the same at a glance: the last stack, and a few new frames on it |
//! | [`uncached`] | what is found out anew each time |

use super::names;

mod advance;
mod bounds;
mod cache;
mod cfi;
mod expression;
mod front;
mod last;
mod modules;
mod rule;
mod slots;
mod slow;
mod stack;
mod step;
mod store;
mod table;
mod uncached;
mod walk;

pub(crate) use cache::{Limit, StackCache};
pub(crate) use step::State;
pub(crate) use table::Rules;
pub(crate) use walk::{frame_around, walk};
