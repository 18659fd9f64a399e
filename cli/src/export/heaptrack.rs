//! heaptrack's data file, as `heaptrack_print` and `heaptrack_gui` read it: gzipped lines of
//! hexadecimal numbers.
//!
//! ```text
//!   s text                          a string; they are numbered from 1
//!   i address module {function file line}...   an instruction, innermost call first
//!   t instruction caller            a call stack; numbered from 1, 0 is the root
//!   a size stack                    a kind of allocation; numbered from 0
//!   c milliseconds   + kind   - kind           time passes; a block comes; a block goes
//! ```
//!
//! The file is a list of events, and a ledger has none: [`super::replay`] makes some that lead to
//! the same totals, peak and rest.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::replay::{Batch, Course};
use super::{Entry, Profile};
use crate::view::stacks::{Call, file_name, label};

/// More events than these are not written: from then on an event stands for several blocks.
const EVENTS_MAX: u64 = 4_000_000;
/// Of the program that we say we are, and of the file.
const VERSIONS: &str = "10400 2";
const PAGE_SIZE: u64 = 4096;

/// For heaptrack a block is temporary if its kind is the one that came last, and after each free
/// that is kind 0: so no block may be of it.
const UNUSED: usize = 0;
/// A kind of no bytes that never comes. When it goes, heaptrack forgets what came last, and the
/// block that goes next is none of the temporary ones.
const NOTHING: usize = 1;

/// Writes the file. The answer is how many blocks one in the file stands for.
pub(crate) fn write(profile: &Profile<'_>, sink: &mut dyn Write) -> io::Result<u64> {
    let gzip = GzEncoder::new(sink, Compression::fast());
    let mut file = File::new(io::BufWriter::new(gzip));
    let scale = file.write(profile)?;
    file.out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()?;
    Ok(scale)
}

/// The file in the making, and the numbers of what it has already.
struct File<W: Write> {
    out: W,
    strings: HashMap<String, usize>,
    instructions: HashMap<String, usize>,
    /// Of frames as they are in the ledger, by their index and how many calls are shown.
    frames: HashMap<(u32, usize), usize>,
    stacks: HashMap<(usize, usize), usize>,
    kinds: HashMap<(u64, usize), usize>,
}

/// A call stack's number and what becomes of its blocks.
type Plan = (usize, Course);

impl<W: Write> File<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            strings: HashMap::new(),
            instructions: HashMap::new(),
            frames: HashMap::new(),
            stacks: HashMap::new(),
            kinds: HashMap::new(),
        }
    }

    fn write(&mut self, profile: &Profile<'_>) -> io::Result<u64> {
        let process = &profile.snapshot.process;
        writeln!(self.out, "v {VERSIONS}")?;
        let command: Vec<_> = process.command.iter().map(|word| plain(word)).collect();
        writeln!(self.out, "X {}", command.join(" "))?;
        writeln!(self.out, "I {PAGE_SIZE:x} 0")?;
        let mut plans = Vec::new();
        for entry in &profile.entries {
            plans.push((self.stack(profile, entry)?, Course::to(&entry.counters)));
        }
        let blocks = plans.iter().fold(0u64, |sum, (_, plan)| sum.saturating_add(plan.blocks()));
        let scale = (blocks / (EVENTS_MAX / 2)).max(1);
        plans.iter_mut().for_each(|(_, course)| *course = course.coarser(scale));
        self.events(profile, &plans)?;
        Ok(scale)
    }

    /// What happens, in the order that [`super::replay`] tells.
    fn events(&mut self, profile: &Profile<'_>, plans: &[Plan]) -> io::Result<()> {
        let Some((first, _)) = plans.first() else { return Ok(()) };
        for _ in [UNUSED, NOTHING] {
            writeln!(self.out, "a 0 {first:x}")?;
        }
        self.time(0)?;
        for (stack, course) in plans {
            for kind in self.kinds(*stack, course.temporary)? {
                writeln!(self.out, "+ {kind:x}\n- {kind:x}")?;
            }
            for kind in self.kinds(*stack, course.passing)? {
                writeln!(self.out, "+ {kind:x}\n- {NOTHING:x}\n- {kind:x}")?;
            }
        }
        self.time(profile.snapshot.totals.peak_ns)?;
        for (stack, course) in plans {
            self.come(*stack, course.peaking)?;
            self.come(*stack, course.lasting)?;
        }
        let resident = profile.snapshot.timeline.iter().map(|point| point.resident).max();
        writeln!(self.out, "R {:x}", resident.unwrap_or(0) / PAGE_SIZE)?;
        self.time(profile.snapshot.process.elapsed_ns)?;
        for (stack, course) in plans {
            for kind in self.kinds(*stack, course.peaking)? {
                writeln!(self.out, "- {NOTHING:x}\n- {kind:x}")?;
            }
        }
        for (stack, course) in plans {
            self.come(*stack, course.late)?;
        }
        Ok(())
    }

    fn come(&mut self, stack: usize, batch: Batch) -> io::Result<()> {
        for kind in self.kinds(stack, batch)? {
            writeln!(self.out, "+ {kind:x}")?;
        }
        Ok(())
    }

    /// Milliseconds from the start.
    fn time(&mut self, ns: u64) -> io::Result<()> {
        writeln!(self.out, "c {:x}", ns / 1_000_000)
    }

    /// The kind of each block of a batch.
    fn kinds(
        &mut self,
        stack: usize,
        batch: Batch,
    ) -> io::Result<impl Iterator<Item = usize> + use<W>> {
        let mut kinds = Vec::new();
        for (size, blocks) in batch.sizes() {
            kinds.push((self.kind(size, stack)?, blocks));
        }
        Ok(kinds.into_iter().flat_map(|(kind, blocks)| (0..blocks).map(move |_| kind)))
    }

    fn kind(&mut self, size: u64, stack: usize) -> io::Result<usize> {
        let next = self.kinds.len() + NOTHING + 1;
        let kind = *self.kinds.entry((size, stack)).or_insert(next);
        if kind == next {
            writeln!(self.out, "a {size:x} {stack:x}")?;
        }
        Ok(kind)
    }

    fn string(&mut self, text: &str) -> io::Result<usize> {
        let text = plain(text);
        if text.is_empty() {
            return Ok(0);
        }
        let next = self.strings.len() + 1;
        if let Some(number) = self.strings.get(&text) {
            return Ok(*number);
        }
        writeln!(self.out, "s {text}")?;
        self.strings.insert(text, next);
        Ok(next)
    }

    /// The number of a call stack, from the root on.
    fn stack(&mut self, profile: &Profile<'_>, entry: &Entry<'_>) -> io::Result<usize> {
        let mut place = 0;
        if let Some(ending) = entry.ending() {
            let name = self.string(ending)?;
            let instruction = self.instruction(format!("0 0 {name:x} 0 0"))?;
            place = self.child(place, instruction)?;
        }
        let physical: Vec<_> = entry.physical().collect();
        for calls in physical.into_iter().rev() {
            let instruction = self.calls(profile, calls)?;
            place = self.child(place, instruction)?;
        }
        Ok(place)
    }

    fn calls(&mut self, profile: &Profile<'_>, calls: &[Call<'_>]) -> io::Result<usize> {
        let key = (calls[0].index, calls.len());
        let is_common = calls.iter().all(|call| matches!(call.frame, Cow::Borrowed(_)));
        if let Some(number) = self.frames.get(&key).filter(|_| is_common) {
            return Ok(*number);
        }
        let number = self.new_instruction(profile, calls)?;
        if is_common {
            self.frames.insert(key, number);
        }
        Ok(number)
    }

    fn new_instruction(&mut self, profile: &Profile<'_>, calls: &[Call<'_>]) -> io::Result<usize> {
        let frame = profile.snapshot.frames[calls[0].index as usize];
        let module = calls[0].frame.module.as_deref().map_or("", file_name);
        let module = self.string(module)?;
        let mut line = format!("{:x} {module:x}", frame.address);
        for call in calls {
            let function = self.string(&label(&call.frame))?;
            let file = self.string(call.frame.file.as_deref().unwrap_or_default())?;
            let number = call.frame.line.unwrap_or(0);
            line += &format!(" {function:x} {file:x} {number:x}");
        }
        self.instruction(line)
    }

    fn instruction(&mut self, line: String) -> io::Result<usize> {
        let next = self.instructions.len() + 1;
        if let Some(number) = self.instructions.get(&line) {
            return Ok(*number);
        }
        writeln!(self.out, "i {line}")?;
        self.instructions.insert(line, next);
        Ok(next)
    }

    fn child(&mut self, parent: usize, instruction: usize) -> io::Result<usize> {
        let next = self.stacks.len() + 1;
        let number = *self.stacks.entry((parent, instruction)).or_insert(next);
        if number == next {
            writeln!(self.out, "t {instruction:x} {parent:x}")?;
        }
        Ok(number)
    }
}

/// A text of one line.
fn plain(text: &str) -> String {
    crate::view::numbers::printable(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;
    use heapsight::ledger::Snapshot;
    use proptest::prelude::*;
    use std::io::Read;

    /// What heaptrack's reader makes of the events: allocations, temporary ones, bytes at the peak
    /// and at the end.
    fn replayed(snapshot: &Snapshot) -> [u64; 4] {
        let names = sample::names();
        let mut sink = Vec::new();
        write(&Profile::of(snapshot, &names), &mut sink).expect("written");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&sink[..]).read_to_string(&mut text).expect("gzipped text");
        let (mut sizes, mut last) = (Vec::new(), 0);
        let [mut count, mut temporary, mut peak, mut live] = [0; 4];
        let number = |text: &str| u64::from_str_radix(text, 16).expect("a number");
        for line in text.lines() {
            let mut words = line.split(' ');
            let (mode, mut next) = (words.next(), || number(words.next().expect("a word")));
            match mode {
                Some("a") => sizes.push(next()),
                Some("+") => {
                    last = next();
                    count += 1;
                    live += sizes[last as usize];
                    peak = peak.max(live);
                }
                Some("-") => {
                    let kind = next();
                    live -= sizes[kind as usize];
                    temporary += u64::from(std::mem::take(&mut last) == kind);
                }
                _ => {}
            }
        }
        [count, temporary, peak, live]
    }

    #[test]
    fn the_file_declares_before_it_uses() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let mut sink = Vec::new();
        assert_eq!(write(&Profile::of(&snapshot, &names), &mut sink).expect("written"), 1);
        let mut text = String::new();
        flate2::read::GzDecoder::new(&sink[..]).read_to_string(&mut text).expect("gzipped text");
        let expected = "v 10400 2\nX ./shop --open a b\nI 1000 0\ns [no call stack]\ni 0 0 1 0 0\n\
                        t 1 0\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("i 401200 4 7 6 e 8 6 1f\n"), "{text}");
    }

    proptest! {
        #[test]
        fn the_events_lead_to_the_sums(snapshot in sample::any_snapshot()) {
            let sum = |of: fn(&heapsight::ledger::Counters) -> u64| -> u64 {
                snapshot.used_sites().map(|(_, site)| of(&site.counters)).sum()
            };
            let [count, temporary, peak, live] = replayed(&snapshot);
            prop_assert_eq!(count, sum(|it| it.allocations));
            prop_assert_eq!(temporary, sum(|it| it.temporary));
            prop_assert_eq!(live, sum(|it| it.live_bytes));
            // Arbitrary counters may have more in use at the end than at what they call the peak.
            let at_peak = sum(|it| it.at_peak_bytes);
            prop_assert!(peak >= at_peak && (live > at_peak || peak >= live));
        }
    }
}
