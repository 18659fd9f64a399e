//! What is at an address that somebody has asked about.

use super::model::Leak;
use serde::{Deserialize, Serialize};
use std::string::String;

/// An address, and what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The address.
    pub address: u64,
    /// Start of the block that it belongs to, in use or not; zero: to none.
    pub start: u64,
    /// Usable bytes of that block.
    pub usable: u64,
    /// The block, as a group of one; `None`: there is none in use.
    pub block: Option<Leak>,
    /// Where the address lies, if there is no block in use.
    pub place: String,
}
