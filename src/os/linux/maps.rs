//! What is mapped into this process, as the kernel lists it.

use super::file::File;

/// A mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mapping<'a> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// Writes are seen by other processes that map the same.
    pub(crate) shared: bool,
    /// Number of the file; zero: memory alone.
    pub(crate) inode: u64,
    /// Path of the file, or a word in brackets; mostly empty for memory alone.
    pub(crate) name: &'a [u8],
}

/// Longer lines are cut: the name is what comes last.
const LINE: usize = 4096;

/// Visits all mappings, ascending. `false`: the system does not tell.
///
/// The kernel reads its own list in steps: what is mapped or unmapped meanwhile may be missed.
pub(crate) fn for_each(mut visit: impl FnMut(Mapping<'_>)) -> bool {
    let Some(file) = File::open(c"/proc/self/maps", 0) else { return false };
    let mut buffer = [0u8; LINE];
    let (mut len, mut is_rest) = (0, false);
    loop {
        let read = file.read(&mut buffer[len..]);
        len += read;
        let mut start = 0;
        while let Some(end) = buffer[start..len].iter().position(|byte| *byte == b'\n') {
            let line = &buffer[start..start + end];
            if !is_rest {
                Mapping::parse(line).into_iter().for_each(&mut visit);
            }
            (start, is_rest) = (start + end + 1, false);
        }
        if read == 0 {
            return true;
        }
        if start == 0 && len == buffer.len() {
            // A line that fills the buffer: its beginning tells all but the end of its name.
            if !is_rest {
                Mapping::parse(&buffer).into_iter().for_each(&mut visit);
            }
            (len, is_rest) = (0, true);
        } else {
            buffer.copy_within(start..len, 0);
            len -= start;
        }
    }
}

impl<'a> Mapping<'a> {
    /// Reads a line: `START-END ACCESS OFFSET DEVICE INODE NAME`.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let (range, rest) = word(line)?;
        let (access, rest) = word(rest)?;
        let (_offset, rest) = word(rest)?;
        let (_device, rest) = word(rest)?;
        let (inode, name) = word(rest)?;
        let dash = range.iter().position(|byte| *byte == b'-')?;
        let [read, write, _, share, ..] = *access else { return None };
        Some(Self {
            start: hex(&range[..dash])?,
            end: hex(&range[dash + 1..])?,
            readable: read == b'r',
            writable: write == b'w',
            shared: share == b's',
            inode: decimal(inode)?,
            name: name.trim_ascii_start(),
        })
    }
}

/// The first word, and what follows it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn hex(digits: &[u8]) -> Option<usize> {
    let is_number = (1..=2 * size_of::<usize>()).contains(&digits.len());
    is_number.then_some(())?;
    digits.iter().try_fold(0usize, |number, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)? as usize)
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn this_stack_is_mapped() {
        let here = 0;
        let here = &raw const here as usize;
        let mut found = 0;
        assert!(for_each(|mapping| {
            if (mapping.start..mapping.end).contains(&here) {
                assert!(mapping.readable && mapping.writable && !mapping.shared);
                found += 1;
            }
        }));
        assert_eq!(found, 1);
    }

    #[test]
    fn lines_that_are_none_are_refused() {
        for line in
            ["", "7f00", "7f00-7f10 rw", "x-y rw-p 0 0:0 0", "1-2 rw-p 0 0:0 x", "12 rw-p 0 0 0"]
        {
            assert_eq!(Mapping::parse(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            start: usize, end: usize, inode: u64, bits in 0u8..8, name in "(/[a-z ]{1,9})?",
        ) {
            let [readable, writable, shared] = [bits & 1 == 1, bits & 2 == 2, bits & 4 == 4];
            let line = format!(
                "{start:x}-{end:x} {}{}-{} 00001000 fe:01 {inode}      {name}",
                if readable { 'r' } else { '-' },
                if writable { 'w' } else { '-' },
                if shared { 's' } else { 'p' },
            );
            let name = name.as_bytes();
            let mapping = Mapping { start, end, readable, writable, shared, inode, name };
            prop_assert_eq!(Mapping::parse(line.as_bytes()), Some(mapping));
        }

        #[test]
        fn any_line_is_read_or_refused(line: std::vec::Vec<u8>) {
            if let Some(mapping) = Mapping::parse(&line) {
                prop_assert!(line.len() > mapping.name.len().to_string().len());
            }
        }
    }
}
