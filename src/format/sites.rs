//! The file of guarded sites: call sites whose blocks were overrun or used after their end.
//!
//! ```text
//! heapsight guard sites, version 1
//! site 9c1b3f00a2d4e6f8 0123456789abcdef 24 # heap buffer overflow: ...
//! ```
//!
//! Text, a line a site: the hash of its innermost frame, that of its innermost frames together, the
//! bytes that were asked for. What follows `#` is for people. Lines are only ever added, each by
//! one write, so that processes may share a file; a line is taken back by hand.

use core::fmt::{Result as Written, Write};

/// The first line of every such file. It may come again where two processes began one.
pub(crate) const TITLE: &[u8] = b"heapsight guard sites, version 1";

/// A call site, told apart from run to run: by modules' build ids and offsets in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SiteKey {
    pub(crate) frame: u64,
    pub(crate) stack: u64,
}

/// A line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuardSite {
    pub(crate) key: SiteKey,
    /// Bytes that the block had.
    pub(crate) size: usize,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not begin as one.
    NoSites,
    /// So many lines make no sense, of which this is the first; the others count.
    Lines { count: usize, first: usize },
}

/// Visits the sites of a file, in the order in which they were added.
pub(crate) fn read(text: &[u8], mut visit: impl FnMut(GuardSite)) -> Result<(), Fault> {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    if lines.next() != Some(TITLE) && !text.is_empty() {
        return Err(Fault::NoSites);
    }
    let (mut count, mut first) = (0, 0);
    for (index, line) in lines.enumerate() {
        match parse(line) {
            Some(Some(site)) => visit(site),
            Some(None) => {}
            None => {
                count += 1;
                // Lines are counted from one, and the title was the first.
                first = if count == 1 { index + 2 } else { first };
            }
        }
    }
    if count == 0 { Ok(()) } else { Err(Fault::Lines { count, first }) }
}

/// A line's site, if it has one; `None`: it makes no sense.
fn parse(line: &[u8]) -> Option<Option<GuardSite>> {
    let said = line.split(|byte| *byte == b'#').next()?.trim_ascii();
    if said.is_empty() || line == TITLE {
        return Some(None);
    }
    let mut words = said.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    if words.next()? != b"site" {
        return None;
    }
    let mut number = |radix, digits| {
        let word = words.next().filter(|word| (1..=digits).contains(&word.len()))?;
        u64::from_str_radix(core::str::from_utf8(word).ok()?, radix).ok()
    };
    let key = SiteKey { frame: number(16, 16)?, stack: number(16, 16)? };
    let size = usize::try_from(number(10, 18)?).ok()?;
    words.next().is_none().then_some(Some(GuardSite { key, size }))
}

/// Writes the line of a site, without its end.
pub(crate) fn write(site: GuardSite, remark: &str, line: &mut dyn Write) -> Written {
    let GuardSite { key: SiteKey { frame, stack }, size } = site;
    write!(line, "site {frame:016x} {stack:016x} {size} # ")?;
    remark.chars().filter(|letter| !letter.is_control()).try_for_each(|it| line.write_char(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn all(text: &[u8]) -> (Vec<GuardSite>, Result<(), Fault>) {
        let mut sites = Vec::new();
        let result = read(text, |site| sites.push(site));
        (sites, result)
    }

    fn file(lines: &[&str]) -> Vec<u8> {
        let mut text = TITLE.to_vec();
        for line in lines {
            text.push(b'\n');
            text.extend(line.bytes());
        }
        text
    }

    #[test]
    fn what_makes_no_sense_is_named_and_the_rest_counts() {
        let title = core::str::from_utf8(TITLE).expect("text");
        let text =
            file(&["", "# said", "site 1 a 24", "sight 1 2 3", title, "site 2 b 8 #x", "si"]);
        let (sites, result) = all(&text);
        assert_eq!(sites.iter().map(|site| site.size).collect::<Vec<_>>(), [24, 8]);
        assert_eq!(result, Err(Fault::Lines { count: 2, first: 5 }));
        for line in ["site 1 2", "site 1 2 3 4", "site 1 2 -3", "site g 2 3", "site +1 2 3x"] {
            assert_eq!(all(&file(&[line])).1, Err(Fault::Lines { count: 1, first: 2 }), "{line}");
        }
    }

    #[test]
    fn other_files_are_none() {
        assert_eq!(all(b""), (Vec::new(), Ok(())));
        for text in [&b"\n"[..], b"# heapsight guard sites", b"\x7fELF", b"site 1 2 3"] {
            assert_eq!(all(text), (Vec::new(), Err(Fault::NoSites)));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            sites in prop::collection::vec(
                (any::<u64>(), any::<u64>(), 0..1usize << 40, ".{0,40}"), 0..20),
        ) {
            let (mut lines, mut written) = (Vec::new(), Vec::new());
            for (frame, stack, size, remark) in sites {
                let site = GuardSite { key: SiteKey { frame, stack }, size };
                let mut line = String::new();
                write(site, &remark, &mut line).expect("a string");
                prop_assert!(!line.contains('\n'));
                written.push(site);
                lines.push(line);
            }
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            prop_assert_eq!(all(&file(&lines)), (written, Ok(())));
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _any = all(&bytes);
            let mut text = file(&[""]);
            text.extend(bytes);
            let _any = all(&text);
        }
    }
}
