//! What code has unwind information: by reading all of a file's, without any index.

use gimli::{BaseAddresses, CieOrFde, EhFrame, LittleEndian, UnwindSection};
use heapsight::ledger::{Frame, FrameKind, Snapshot};
use object::{Object, ObjectSection};
use std::collections::HashMap;
use std::fs;
use std::ops::Range;

/// By path of the file, the addresses in it that are described.
#[derive(Default)]
pub(crate) struct Described(HashMap<String, Vec<Range<u64>>>);

impl Described {
    /// Whether there is unwind information for the instruction that is executed in this frame.
    pub(crate) fn is_described(&mut self, frame: &Frame, snapshot: &Snapshot) -> bool {
        let Some(module) = frame.module.map(|module| &snapshot.modules[module]) else {
            return false;
        };
        let inside = frame.address - u64::from(frame.kind != FrameKind::Exact) - module.bias;
        let ranges = self.0.entry(module.path.clone()).or_insert_with_key(|path| read(path));
        ranges.iter().any(|range| range.contains(&inside))
    }
}

/// What a file describes. One that is no file, like the kernel's, describes nothing here.
fn read(path: &str) -> Vec<Range<u64>> {
    let Ok(bytes) = fs::read(path) else { return Vec::new() };
    let file = object::File::parse(&*bytes).expect("an object file");
    let Some(section) = file.section_by_name(".eh_frame") else { return Vec::new() };
    let bases = BaseAddresses::default().set_eh_frame(section.address());
    let data = section.uncompressed_data().expect("unwind information");
    let frames = EhFrame::new(&data, LittleEndian);
    let mut entries = frames.entries(&bases);
    let mut ranges = Vec::new();
    while let Ok(Some(entry)) = entries.next() {
        if let CieOrFde::Fde(partial) = entry
            && let Ok(fde) = partial.parse(EhFrame::cie_from_offset)
        {
            ranges.push(fde.initial_address()..fde.initial_address() + fde.len());
        }
    }
    ranges
}
