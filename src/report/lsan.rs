//! The report in LeakSanitizer's form, for programs and scripts that read that.
//!
//! What is lost alone, or in a cycle, is a direct leak, as it is to LeakSanitizer; what it leads to
//! is an indirect one. A block of no bytes counts as one byte, which LeakSanitizer gives it.

use super::model::{Frame, Leak, LeakClass, LeakReport, Suppression};
use std::format;
use std::io::{self, Write};
use std::string::String;
use std::vec::Vec;

/// What of it is wanted.
#[derive(Clone, Debug)]
pub(crate) struct LsanForm {
    /// The functions and lines; otherwise modules and offsets alone.
    pub(crate) symbolize: bool,
    /// The leaked blocks one by one, if the report has them.
    pub(crate) objects: bool,
    /// Which suppressions were used.
    pub(crate) suppressions: bool,
    /// Call stacks, at most; zero: all.
    pub(crate) leaks_max: usize,
    /// Left out where the path of a source file begins with it.
    pub(crate) strip_path_prefix: String,
}

impl LsanForm {
    /// As LeakSanitizer's flags have it.
    pub(crate) const DEFAULT: Self = Self {
        symbolize: true,
        objects: false,
        suppressions: true,
        leaks_max: 0,
        strip_path_prefix: String::new(),
    };
}

const RULE: &str = "-----------------------------------------------------";

/// Writes the report; nothing, where there is nothing to tell.
pub(crate) fn write_lsan(
    report: &LeakReport,
    form: &LsanForm,
    sink: &mut dyn Write,
) -> io::Result<()> {
    if report.has_leaks() {
        let line = "=".repeat(65);
        writeln!(sink, "\n{line}")?;
        writeln!(sink, "=={}==ERROR: LeakSanitizer: detected memory leaks\n", report.pid)?;
        write_leaks(report, form, sink)?;
    }
    if form.suppressions {
        write_suppressions(&report.suppressions, sink)?;
    }
    if report.has_leaks() {
        let (bytes, blocks) =
            report.leaked().fold((0, 0), |sum, leak| (sum.0 + bytes_of(leak), sum.1 + leak.blocks));
        writeln!(
            sink,
            "SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {blocks} allocation(s)."
        )?;
    }
    Ok(())
}

fn write_leaks(report: &LeakReport, form: &LsanForm, sink: &mut dyn Write) -> io::Result<()> {
    let mut leaks: Vec<_> = report.leaked().collect();
    // Direct ones first, the most bytes first.
    leaks.sort_by_key(|leak| (kind(leak) == "Indirect", core::cmp::Reverse(bytes_of(leak))));
    let most = if form.leaks_max == 0 { leaks.len() } else { form.leaks_max };
    if most < leaks.len() {
        writeln!(sink, "The {most} top leak(s):")?;
    }
    for leak in leaks.into_iter().take(most) {
        let (kind, bytes, blocks) = (kind(leak), bytes_of(leak), leak.blocks);
        writeln!(sink, "{kind} leak of {bytes} byte(s) in {blocks} object(s) allocated from:")?;
        for (number, frame) in leak.frames.iter().enumerate() {
            writeln!(sink, "    #{number} {:#x} {}", frame.address, place(frame, form))?;
        }
        writeln!(sink)?;
        if form.objects && !leak.listed.is_empty() {
            writeln!(sink, "Objects leaked above:")?;
            for block in &leak.listed {
                writeln!(sink, "{:#x} ({} bytes)", block.address, block.size.max(1))?;
            }
            writeln!(sink)?;
        }
    }
    Ok(())
}

fn kind(leak: &Leak) -> &'static str {
    if leak.class == LeakClass::Indirect { "Indirect" } else { "Direct" }
}

fn bytes_of(leak: &Leak) -> u64 {
    if leak.bytes == 0 { leak.blocks } else { leak.bytes }
}

/// `in main leak.c:4`, or what of it is known.
fn place(frame: &Frame, form: &LsanForm) -> String {
    let module = frame.module.as_deref().unwrap_or("<unknown module>");
    let address = format!("({module}+{:#x})", frame.address);
    if !form.symbolize {
        return address;
    }
    let function = frame.function.as_deref().unwrap_or("??");
    match (&frame.file, frame.line) {
        (Some(file), line) => {
            let short = file.strip_prefix(&form.strip_path_prefix).unwrap_or(file);
            let line = line.map_or_else(String::new, |line| format!(":{line}"));
            format!("in {function} {short}{line}")
        }
        (None, _) => format!("in {function} {address}"),
    }
}

fn write_suppressions(rules: &[Suppression], sink: &mut dyn Write) -> io::Result<()> {
    let used: Vec<_> = rules.iter().filter(|rule| rule.blocks > 0).collect();
    if used.is_empty() {
        return Ok(());
    }
    writeln!(sink, "{RULE}\nSuppressions used:\n  count      bytes template")?;
    for Suppression { pattern, blocks, bytes, .. } in used {
        writeln!(sink, "{blocks:7} {bytes:10} {pattern}")?;
    }
    writeln!(sink, "{RULE}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{Block, MemoryStats};

    fn leak(class: LeakClass, blocks: u64, bytes: u64) -> Leak {
        let frame = |function: &str, line| Frame {
            function: Some(function.into()),
            file: Some("/build/shop.c".into()),
            line: Some(line),
            module: Some("/bin/shop".into()),
            address: 0x1139,
            inlined: false,
        };
        Leak {
            class,
            interior: false,
            runtime: false,
            blocks,
            bytes,
            threads: Vec::new(),
            truncated: false,
            frames: Vec::from([frame("add", 12), frame("main", 30)]),
            held_by: None,
            members: Vec::new(),
            listed: Vec::from([Block { address: 0x1000, size: bytes }]),
        }
    }

    fn text(report: &LeakReport, form: &LsanForm) -> String {
        let mut text = Vec::new();
        write_lsan(report, form, &mut text).expect("a vector takes everything");
        String::from_utf8(text).expect("text")
    }

    const FORM: LsanForm = LsanForm {
        symbolize: true,
        objects: false,
        suppressions: true,
        leaks_max: 0,
        strip_path_prefix: String::new(),
    };

    fn report(leaks: Vec<Leak>) -> LeakReport {
        LeakReport {
            program: "/bin/shop".into(),
            pid: 7,
            stats: MemoryStats::default(),
            leaks,
            suppressions: Vec::new(),
            notes: Vec::new(),
            overhead_bytes: 0,
            pause_ns: None,
            asked: None,
        }
    }

    #[test]
    fn the_form_is_as_leak_sanitizers() {
        let (lost, held) = (leak(LeakClass::Lost, 1, 0), leak(LeakClass::Indirect, 2, 64));
        let report = report(Vec::from([held, lost, leak(LeakClass::Reachable, 9, 900)]));
        let line = "=".repeat(65);
        let expected = format!(
            "\n{line}\n==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
             Direct leak of 1 byte(s) in 1 object(s) allocated from:\n    \
             #0 0x1139 in add /build/shop.c:12\n    #1 0x1139 in main /build/shop.c:30\n\n\
             Indirect leak of 64 byte(s) in 2 object(s) allocated from:\n    \
             #0 0x1139 in add /build/shop.c:12\n    #1 0x1139 in main /build/shop.c:30\n\n\
             SUMMARY: LeakSanitizer: 65 byte(s) leaked in 3 allocation(s).\n"
        );
        assert_eq!(text(&report, &FORM), expected);
        let form = LsanForm { strip_path_prefix: "/build/".into(), ..FORM };
        assert!(text(&report, &form).contains("in add shop.c:12\n"));
        let form = LsanForm { symbolize: false, leaks_max: 1, objects: true, ..FORM };
        let text = text(&report, &form);
        assert!(text.contains("The 1 top leak(s):\nDirect leak"), "{text}");
        assert!(text.contains("#1 0x1139 (/bin/shop+0x1139)\n"), "{text}");
        assert!(text.contains("Objects leaked above:\n0x1000 (1 bytes)\n"), "{text}");
        assert!(!text.contains("Indirect"), "{text}");
    }

    #[test]
    fn suppressions_that_were_used_are_named_with_and_without_leaks() {
        let rule = |pattern: &str, blocks| Suppression {
            pattern: pattern.into(),
            origin: "a.supp".into(),
            line: 1,
            owner: None,
            reason: None,
            expires: None,
            has_expired: false,
            blocks,
            bytes: 666 * blocks,
        };
        let mut report = report(Vec::new());
        assert_eq!(text(&report, &FORM), "");
        report.suppressions = Vec::from([rule("*add*", 1), rule("main", 0)]);
        let expected = format!(
            "{RULE}\nSuppressions used:\n  count      bytes template\n      \
             1        666 *add*\n{RULE}\n\n"
        );
        assert_eq!(text(&report, &FORM), expected);
        assert_eq!(text(&report, &LsanForm { suppressions: false, ..FORM }), "");
    }
}
