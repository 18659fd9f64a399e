//! A summary of the heap for glibc's introspection functions.

use crate::runtime::inspect;
use core::fmt;
use std::format;
use std::string::String;

/// Sums over the heap, in bytes unless they say otherwise. Exact for a program that is not
/// allocating meanwhile, and for its other threads up to the blocks they hold ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Blocks in use that share slabs, rounded to their size class.
    pub used: usize,
    /// Their number.
    pub blocks: usize,
    /// Bytes of slabs that no block uses.
    pub slack: usize,
    /// Blocks in use that are spans of their own.
    pub large: usize,
    /// Their number.
    pub large_blocks: usize,
    /// Spans in no use.
    pub free: usize,
    /// Heapsight's own records.
    pub records: usize,
}

/// Takes the summary. Linear in the number of spans.
pub fn summary() -> Summary {
    let census = inspect::census();
    Summary {
        used: census.used,
        blocks: census.blocks,
        slack: census.slack,
        large: census.large,
        large_blocks: census.large_blocks,
        free: census.footprint.free,
        records: census.records,
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} blocks in use, {} bytes ({} large, {} bytes); {} bytes slack in slabs, \
             {} bytes in free spans, {} bytes of records",
            self.blocks + self.large_blocks,
            self.used + self.large,
            self.large_blocks,
            self.large,
            self.slack,
            self.free,
            self.records
        )
    }
}

impl Summary {
    /// As XML in the shape of glibc's `malloc_info`.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let Self { used, blocks, slack, large, large_blocks, free, .. } = self;
        let system = used + slack + large + free;
        format!(
            "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n\
             <total type=\"fast\" count=\"0\" size=\"0\"/>\n\
             <total type=\"rest\" count=\"1\" size=\"{slack}\"/>\n\
             <total type=\"used\" count=\"{blocks}\" size=\"{used}\"/>\n\
             <system type=\"current\" size=\"{system}\"/>\n\
             <system type=\"max\" size=\"{system}\"/>\n\
             <aspace type=\"total\" size=\"{system}\"/>\n\
             <aspace type=\"mprotect\" size=\"{system}\"/>\n</heap>\n\
             <total type=\"fast\" count=\"0\" size=\"0\"/>\n\
             <total type=\"rest\" count=\"1\" size=\"{slack}\"/>\n\
             <total type=\"mmap\" count=\"{large_blocks}\" size=\"{large}\"/>\n\
             <system type=\"current\" size=\"{system}\"/>\n\
             <system type=\"max\" size=\"{system}\"/>\n\
             <aspace type=\"total\" size=\"{system}\"/>\n\
             <aspace type=\"mprotect\" size=\"{system}\"/>\n</malloc>\n"
        )
    }
}
