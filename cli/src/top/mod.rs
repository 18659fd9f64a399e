//! The live view: a state that keys and fresh snapshots change, and a picture of it.
//!
//! | module | answers |
//! |---|---|
//! | [`app`] | what does a key do, and what does a fresh snapshot change? |
//! | [`rows`] | what is in the tables, and in which order? |
//! | [`draw`], [`detail`] | how does it look? |
//! | [`screen`] | whose terminal is it, and when is it given back? |

pub(crate) mod app;
mod detail;
mod draw;
pub(crate) mod rows;
pub(crate) mod screen;
#[cfg(test)]
mod tests;
