//! Why two tools differ: what was found out, program by program, and who is wrong.

use super::Compared;
use super::tools::{Lost, Tool};

/// A known difference between Heapsight and another tool.
struct Reason {
    program: &'static str,
    tool: Tool,
    why: &'static str,
}

const REASONS: &[Reason] = &[
    Reason {
        program: "cc1",
        tool: Tool::LeakSanitizer,
        why: "LeakSanitizer is wrong: the blocks are held by cc1's garbage-collected memory, which \
              it maps itself, and LeakSanitizer looks into no such memory. valgrind and Heapsight \
              do, and find nothing lost.",
    },
    Reason {
        program: "ruby",
        tool: Tool::LeakSanitizer,
        why: "LeakSanitizer is wrong: Ruby keeps its objects in pages that it maps itself, and \
              LeakSanitizer looks into no such memory; whatever objects hold is lost to it.",
    },
    Reason {
        program: "ruby",
        tool: Tool::Valgrind,
        why: "Neither is wrong: the process is not the same. At its end Ruby unmaps the pages of \
              its objects from the lowest address on, but only half of them (26 of 52 here, on any \
              allocator: the loop counts up to a number that each page makes smaller). The kernel \
              maps downwards, so that natively the older half stays, with the classes and methods \
              that hold most blocks; valgrind maps upwards, and the older half goes. What only the \
              unmapped pages held is lost.",
    },
    Reason {
        program: "gdb",
        tool: Tool::Valgrind,
        why: "A block of 4 bytes of 1,180, the last of a list: its address still lies in a \
              register or on the stack at exit, where Heapsight and LeakSanitizer take it for a \
              pointer. valgrind runs the program on a processor of its own, and its registers are \
              others. Neither is wrong by its own rule; the block is lost.",
    },
];

/// What is known of a difference; `None`: nothing.
pub fn reason(program: &str, tool: Tool, theirs: &Result<Lost, String>) -> Option<&'static str> {
    if tool == Tool::LeakSanitizer && theirs.as_ref().is_err_and(|why| why.contains("SIGSEGV")) {
        return Some(
            "LeakSanitizer is wrong: preloaded, its library crashes this program. What it would \
             have found is not known.",
        );
    }
    let known = REASONS.iter().find(|known| known.program == program && known.tool == tool);
    known.map(|known| known.why)
}

/// Whether two searches have called the same lost.
pub fn agree(ours: &Result<Lost, String>, theirs: &Result<Lost, String>) -> bool {
    matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours == theirs)
}

/// The other tools, and what they found.
pub fn others(one: &Compared) -> [(Tool, &Result<Lost, String>); 2] {
    [(Tool::LeakSanitizer, &one.lsan), (Tool::Valgrind, &one.valgrind)]
}

/// Differences that nothing is known of.
pub fn unexplained(one: &Compared) -> Vec<String> {
    others(one)
        .into_iter()
        .filter(|(tool, theirs)| {
            !agree(&one.ours, theirs) && reason(one.name, *tool, theirs).is_none()
        })
        .map(|(tool, _)| format!("{}: {tool:?} differs, and nobody knows why", one.name))
        .collect()
}
