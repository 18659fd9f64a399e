//! The routines over plain memory: copy, fill, compare, find, verify.
//!
//! Three layers, by kind:
//!
//! | module | what |
//! |---|---|
//! | [`vector`] | what the algorithms need of a register, a dozen operations |
//! | [`copy`], [`fill`], [`compare`], [`find`], [`verify`] | each algorithm, over any register |
//! | `x86`, `neon`, [`words`] | the registers |
//! | [`instance`] | algorithms × registers, as functions |
//! | [`platform`] | the platform's functions, in the same form |
//! | [`dispatch`], [`limits`], `cpu` | which serves, and which way from which size on |
//!
//! No routine calls `memcpy` or its kin, not even where the compiler would like to
//! ([`vector::opaque`]): the object that interposes these names is made of this folder alone, and
//! would call itself. It names nothing outside of the folder for the same reason. There is no
//! static here; whoever uses the routines owns a [`dispatch::Dispatch`].

mod compare;
mod copy;
#[cfg(target_arch = "x86_64")]
pub(crate) mod cpu;
pub(crate) mod dispatch;
mod fill;
mod find;
mod instance;
pub(crate) mod limits;
#[cfg(any(target_arch = "aarch64", test))]
mod neon;
pub(crate) mod platform;
#[cfg(test)]
mod tests;
mod vector;
mod verify;
mod words;
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(crate) mod x86;
