//! `heapsight why`: who holds a block.

use std::io::{self, Write};
use std::process::ExitCode;

use heapsight::{Asked, Frame, Leak, symbols};

use crate::args::leaking::{AnswerFormat, Which, WhyArgs};
use crate::ask::Process;
use crate::cmd::leaks::put;
use crate::failure::Failure;
use crate::view::numbers::count;

/// Groups that the text shows.
const SHOWN: usize = 20;

/// Asks, and prints who holds it.
pub(crate) fn why(args: &WhyArgs) -> Result<ExitCode, Failure> {
    let process = Process::find(&args.target, args.wait)?;
    let address = if let Which::At(address) = args.which { address } else { 0 };
    let report = process.ask(address)?;
    if let Which::At(address) = args.which {
        let Some(asked) = report.asked else {
            return Err(Failure::Check(format!(
                "process {} has not answered about {address:#x}: it runs on another version of \
                 Heapsight",
                process.pid()
            )));
        };
        let is_block = asked.block.is_some();
        put(None, |sink, colour| match args.format {
            AnswerFormat::Text => write_asked(&asked, sink, colour),
            AnswerFormat::Json => write_json(&asked, sink),
        })?;
        return Ok(if is_block { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let groups: Vec<_> = report.leaks.iter().filter(|group| mentions(group, &args.which)).collect();
    if groups.is_empty() {
        let what = match &args.which {
            Which::Line { file, line } => format!("{file}:{line}"),
            Which::Through(function) => function.clone(),
            Which::At(_) => String::new(),
        };
        return Err(Failure::Check(format!(
            "no block in use of process {} was allocated by way of '{what}': names are those of \
             'heapsight leaks {0}', and lines need debug information",
            process.pid()
        )));
    }
    put(None, |sink, colour| match args.format {
        AnswerFormat::Text => write_groups(&groups, sink, colour),
        AnswerFormat::Json => write_json(&groups, sink),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write_json(value: &impl serde::Serialize, mut sink: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut sink, value)?;
    writeln!(sink)
}

fn write_asked(asked: &Asked, sink: &mut dyn Write, colour: bool) -> io::Result<()> {
    let address = asked.address;
    let Some(block) = &asked.block else {
        return writeln!(sink, "{address:#x} is in no block in use: it is in {}", asked.place);
    };
    let place = match address - asked.start {
        0 => "starts".into(),
        offset => format!("lies {} into", count(offset, "byte")),
    };
    let size = count(block.bytes, "byte");
    writeln!(sink, "{address:#x} {place} a block of {size} at {:#x}", asked.start)?;
    write_group(block, block.bytes, sink, colour)
}

fn write_groups(groups: &[&Leak], sink: &mut dyn Write, colour: bool) -> io::Result<()> {
    let total = groups.iter().map(|group| group.bytes).sum();
    let blocks = groups.iter().map(|group| group.blocks).sum();
    let (bytes, blocks) = (count(total, "byte"), count(blocks, "block"));
    writeln!(sink, "{bytes} in {blocks} in use; of each call stack, who holds the largest:")?;
    for group in groups.iter().take(SHOWN) {
        write_group(group, total, sink, colour)?;
    }
    let more = groups.len().saturating_sub(SHOWN);
    if more > 0 {
        let more = count(more as u64, "more call stack");
        writeln!(sink, "\n  ... and {more}: --format json shows them all")?;
    }
    Ok(())
}

fn write_group(group: &Leak, total: u64, sink: &mut dyn Write, colour: bool) -> io::Result<()> {
    symbols::write_group(group, total, sink, colour)?;
    let Some(holder) = &group.held_by else {
        let line = match group.members.as_slice() {
            [] => "nothing holds it: no pointer to it was found",
            _ => "nothing holds it but the blocks of its own cycle",
        };
        return writeln!(sink, "      {line}");
    };
    for (number, hop) in holder.path.iter().enumerate() {
        let of = hop.frames.iter().find(|frame| !symbols::is_plumbing(frame));
        let from = of.and_then(|frame| frame.function.as_deref()).unwrap_or("??");
        let (size, offset) = (count(hop.size, "byte"), hop.offset);
        let address = hop.address;
        writeln!(
            sink,
            "        {}. a block of {size} at {address:#x} from {from}; the pointer is at offset \
             {offset}",
            number + 1
        )?;
        if holder.omitted > 0 && number + 2 == holder.path.len() {
            writeln!(sink, "        ... {} left out", count(holder.omitted, "block"))?;
        }
    }
    Ok(())
}

fn mentions(group: &Leak, which: &Which) -> bool {
    group.frames.iter().any(|frame| match which {
        Which::At(_) => false,
        Which::Line { file, line } => frame.line == Some(*line) && is_file(frame, file),
        Which::Through(name) => frame.function.as_deref().is_some_and(|own| is_named(own, name)),
    })
}

/// Whether the frame's file is that one, given by name or by the end of its path.
fn is_file(frame: &Frame, file: &str) -> bool {
    let end = frame.file.as_deref().and_then(|path| path.strip_suffix(file));
    end.is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

/// Whether a function goes by that name: whole, or without its scope, arguments and the like.
fn is_named(function: &str, name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    function.match_indices(name).any(|(at, _)| {
        let (before, after) = (&function[..at], &function[at + name.len()..]);
        let begins = !before.ends_with(is_word);
        // Not a scope of it: `cache` is not meant by `cache::new`.
        begins && !after.starts_with(is_word) && !after.starts_with("::")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_go_by_their_last_name() {
        assert!(is_named("make", "make"));
        assert!(is_named("shop::cache::Cache::add", "add"));
        assert!(is_named("char* pool::make<char>(unsigned long)", "pool::make"));
        assert!(!is_named("shop::cache::new", "cache"));
        assert!(!is_named("remake", "make") && !is_named("maker", "make"));
    }

    #[test]
    fn files_go_by_the_end_of_their_path() {
        let frame = Frame { file: Some("/src/a/b.c".into()), ..Frame::default() };
        assert!(
            is_file(&frame, "b.c") && is_file(&frame, "a/b.c") && is_file(&frame, "/src/a/b.c")
        );
        assert!(!is_file(&frame, ".c") && !is_file(&frame, "c/b.c"));
    }
}
