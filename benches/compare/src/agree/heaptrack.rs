//! heaptrack's data: the raw file for where modules were loaded, the interpreted one for the rest.
//!
//! Both are lines of hexadecimal numbers. In the interpreted file `s` is a string, `i` an
//! instruction with its module and functions, `t` a call from an instruction, `a` a size with its
//! stack, and each `+` and `-` is an event. Strings, instructions and stacks count from one.

use std::collections::HashMap;

use super::recording::{Call, Counts, Modules, Recording, Stack};

/// One mapping of a module: its path, its base, and its segments.
struct Loaded {
    path: String,
    base: u64,
    segments: Vec<(u64, u64)>,
}

/// Reads one run.
pub fn read(raw: &str, interpreted: &str, modules: &mut Modules) -> Result<Recording, String> {
    let mut reader = Reader { loaded: loaded(raw), ..Reader::default() };
    for (number, line) in interpreted.lines().enumerate() {
        reader
            .line(line, modules)
            .ok_or_else(|| format!("heaptrack's data, line {}: `{line}`", number + 1))?;
    }
    Ok(reader.finish())
}

/// The modules of a raw file: `x` names the program, `m` a module with its base and segments.
fn loaded(raw: &str) -> Vec<Loaded> {
    let (mut program, mut found) = (String::new(), Vec::new());
    for line in raw.lines() {
        if let Some(text) = line.strip_prefix("x ") {
            program = text.split_once(' ').map_or("", |(_, path)| path).to_string();
        } else if let Some(text) = line.strip_prefix("m ")
            && let Some(module) = module(text, &program)
        {
            found.push(module);
        }
    }
    found
}

/// `length path base {offset size}...`
fn module(text: &str, program: &str) -> Option<Loaded> {
    let (length, rest) = text.split_once(' ')?;
    let length = usize::from_str_radix(length, 16).ok()?;
    let (path, numbers) = (rest.get(..length)?, rest.get(length..)?);
    let numbers: Vec<u64> = numbers.split_whitespace().map_while(hexadecimal).collect();
    let (base, segments) = numbers.split_first()?;
    let path = if path == "x" { program } else { path };
    let segments = segments.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    Some(Loaded { path: path.to_string(), base: *base, segments })
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word, 16).ok()
}

#[derive(Default)]
struct Reader<'text> {
    loaded: Vec<Loaded>,
    strings: Vec<&'text str>,
    instructions: Vec<Instruction<'text>>,
    /// Instruction and caller.
    traces: Vec<(usize, usize)>,
    /// Size and stack.
    kinds: Vec<(u64, usize)>,
    counts: HashMap<usize, Counts>,
    recording: Recording,
    now: u64,
    /// What the event before gave back, if it was a free.
    freed: u64,
}

struct Instruction<'text> {
    call: Call,
    functions: Vec<&'text str>,
    is_new: bool,
}

impl<'text> Reader<'text> {
    /// Takes one line; nothing if it makes no sense.
    fn line(&mut self, line: &'text str, modules: &mut Modules) -> Option<()> {
        let (kind, rest) = line.split_at_checked(2).unwrap_or((line, ""));
        match kind {
            "s " => self.strings.push(rest.split_once(' ')?.1),
            "i " => {
                let instruction = self.instruction(rest, modules)?;
                self.instructions.push(instruction);
            }
            "t " | "a " => {
                let (first, second) = rest.split_once(' ')?;
                let (first, second) = (hexadecimal(first)?, hexadecimal(second)? as usize);
                match kind {
                    "t " => self.traces.push((first as usize, second)),
                    _ => self.kinds.push((first, second)),
                }
            }
            "+ " | "- " => self.event(kind == "+ ", hexadecimal(rest)? as usize)?,
            _ => {}
        }
        Some(())
    }

    fn string(&self, number: u64) -> &'text str {
        let place = (number as usize).checked_sub(1);
        place.and_then(|place| self.strings.get(place)).copied().unwrap_or("")
    }

    /// `address module {function file line}...`, a function without a place standing alone.
    fn instruction(&self, text: &str, modules: &mut Modules) -> Option<Instruction<'text>> {
        let numbers: Vec<u64> = text.split(' ').map_while(hexadecimal).collect();
        let (address, path) = (*numbers.first()?, self.string(*numbers.get(1).unwrap_or(&0)));
        let is_in = |module: &&Loaded| {
            let lies = |(offset, size): &(u64, u64)| {
                (module.base + offset..module.base + offset + size).contains(&address)
            };
            module.path == path && module.segments.iter().any(lies)
        };
        // A later module may lie where an earlier one was.
        let base = self.loaded.iter().rev().find(is_in).map_or(0, |module| module.base);
        let functions: Vec<&str> =
            numbers[2.min(numbers.len())..].iter().step_by(3).map(|it| self.string(*it)).collect();
        let is_new = path.contains("libstdc++")
            && functions.last().is_some_and(|name| name.starts_with("operator new"));
        Some(Instruction { call: (modules.number(path), address - base), functions, is_new })
    }

    fn event(&mut self, comes: bool, kind: usize) -> Option<()> {
        let (size, stack) = *self.kinds.get(kind)?;
        let counts = self.counts.entry(stack).or_default();
        if comes {
            counts.add(Counts { blocks: 1, bytes: size, left: 1, left_bytes: size });
            let moving = self.now + self.freed + size;
            self.now += size;
            self.recording.peak = self.recording.peak.max(self.now);
            self.recording.peak_moving = self.recording.peak_moving.max(moving);
            self.freed = 0;
        } else {
            counts.left = counts.left.checked_sub(1)?;
            counts.left_bytes -= size;
            self.now -= size;
            self.freed = size;
        }
        Some(())
    }

    fn finish(mut self) -> Recording {
        for (stack, counts) in std::mem::take(&mut self.counts) {
            let calls = self.calls(stack);
            self.recording.totals.add(counts);
            self.recording.count(calls, counts);
        }
        for instruction in self.instructions {
            let names = instruction.functions.iter().map(ToString::to_string);
            self.recording.names.insert(instruction.call, names.collect());
        }
        self.recording
    }

    /// The calls of a stack. heaptrack replaces malloc alone, so a C++ block's innermost call is
    /// in the library's operator new; Heapsight replaces that as well.
    fn calls(&mut self, mut stack: usize) -> Stack {
        let mut calls = Stack::new();
        while stack > 0 {
            let Some((instruction, caller)) = self.traces.get(stack - 1) else { break };
            stack = *caller;
            let Some(instruction) = self.instructions.get(instruction.wrapping_sub(1)) else {
                break;
            };
            if calls.is_empty() && instruction.is_new {
                self.recording.new_calls += 1;
            } else {
                calls.push(instruction.call);
            }
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &str = "x 8 /bin/one\nm 1 x 1000 0 500\nm 6 /b/two 8000 0 100 200 100\n";
    const DATA: &str = "v 10400 3\ns 8 /bin/one\ns 6 /b/two\ns 4 main\ns 3 get\n\
        i 1010 1 3\ni 8210 2 4 0 0\nt 1 0\nt 2 1\na 10 2\na 30 2\n+ 0\n- 0\n+ 1\nc 5\n";

    #[test]
    fn events_are_counted_by_stack() {
        let mut modules = Modules::default();
        let read = read(RAW, DATA, &mut modules).expect("well-formed");
        let counts = Counts { blocks: 2, bytes: 0x40, left: 1, left_bytes: 0x30 };
        assert_eq!((read.totals, read.sum()), (counts, counts));
        assert_eq!((read.peak, read.peak_moving), (0x30, 0x40));
        let stack = vec![(modules.number("two"), 0x210), (modules.number("one"), 0x10)];
        assert_eq!(read.stacks.get(&stack), Some(&counts));
        assert_eq!(read.names.get(&stack[1]), Some(&vec!["main".to_string()]));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let message = read("", "+ 7\n", &mut Modules::default()).err().expect("refused");
        assert!(message.contains("line 1"), "{message}");
    }
}
