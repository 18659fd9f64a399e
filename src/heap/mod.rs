//! Floor 3: the heap engine.
//!
//! A program asks a *heap*, which belongs to its thread, for blocks. The heap cuts them from
//! *slabs*, each holding blocks of one size class; a slab is a *span*, a run of 64 KiB *slices* of
//! a *region*, which is a large reservation of addresses. What is known of a span stands in a
//! record found from any address by arithmetic ([`region`]), never in the memory of the user.
//!
//! | word | meaning | module |
//! |---|---|---|
//! | region | reserved addresses, with their records | [`region`], [`directory`], [`space`] |
//! | slice | 64 KiB of a region | [`class`] |
//! | span | run of slices | [`directory`], [`bins`], [`zones`] |
//! | slab | span cut into blocks of one size class | [`slab`], [`queue`] |
//! | block | what the user gets | [`block`] |
//! | large block | a span that is one block | [`large`] |
//! | sized free | a free that names the size of its block | [`sized`] |
//! | guarded block | a large block beside inaccessible pages | [`guarded`] |
//! | heap | a thread's slabs, and its blocks ready to hand out | [`local`], [`doors`], [`refill`] |
//! | remote free | a block freed by a thread that does not own its slab | [`remote`] |
//! | abandon, adopt | what happens to a heap when its thread ends | [`orphans`] |
//! | observer | whoever wants to hear of blocks: tracking | [`observe`] |
//!
//! The fast paths stand alone in [`alloc`] and [`free`]; right behind them are the short ways of
//! [`plain`] and [`tracked`]. The engine knows nothing of tracking but a trait and a bit: a tracked
//! heap keeps its ready lists empty and its slabs flagged, so that both paths fall into the cold
//! ones by tests that are there anyway.
//!
//! Locks, in the order they may be taken: late and private heap, orphans, records, space.

pub(crate) mod alloc;
mod bins;
pub(crate) mod block;
pub(crate) mod census;
mod check;
pub(crate) mod class;
mod directory;
mod doors;
pub(crate) mod engine;
pub(crate) mod fork;
pub(crate) mod free;
pub(crate) mod frozen;
pub(crate) mod guarded;
mod large;
pub(crate) mod local;
pub(crate) mod locate;
pub(crate) mod observe;
mod orphans;
mod plain;
mod queue;
pub(crate) mod records;
mod refill;
mod region;
mod remote;
mod resize;
mod sampled;
mod shared;
mod sized;
pub(crate) mod slab;
pub(crate) mod space;
pub(crate) mod tracked;
pub(crate) mod watched;
mod zones;

#[cfg(test)]
mod tests;
