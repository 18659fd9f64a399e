//! Floor 2: what makes misuse of a block visible: bytes that nobody but a mistake changes, and
//! freed blocks that nobody reuses for a while. Mechanisms, which know nothing of heaps or reports.
//!
//! | module | answers |
//! |---|---|
//! | [`family`] | which functions belong together? |
//! | [`pattern`] | what lies behind a block, in a fresh one, in a freed one, and is it intact? |
//! | [`choice`], [`listed`] | which blocks get a guard, where not all do? |
//! | [`quarantine`] | which freed blocks are kept, and for how long? |
//! | [`archive`] | what was known of those that are kept no more? |

pub(crate) mod archive;
pub(crate) mod choice;
pub(crate) mod family;
pub(crate) mod listed;
pub(crate) mod pattern;
pub(crate) mod quarantine;
