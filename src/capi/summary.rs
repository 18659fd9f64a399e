//! A summary of the heap for glibc's introspection functions.

use crate::runtime::inspect;
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

impl Summary {
    /// As text in the shape of glibc's `malloc_stats`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { used, slack, large, large_blocks, free, records, .. } = self;
        let system = used + slack;
        format!(
            "Arena 0:\nsystem bytes     = {system:>10}\nin use bytes     = {used:>10}\n\
             Total (incl. mmap):\nsystem bytes     = {:>10}\nin use bytes     = {:>10}\n\
             max mmap regions = {large_blocks:>10}\nmax mmap bytes   = {large:>10}\n\
             free spans       = {free:>10}\nheapsight records= {records:>10}\n",
            system + large,
            used + large,
        )
    }

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
