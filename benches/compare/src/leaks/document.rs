//! The page `docs/leaks-agreement.md`.

use std::fmt::Write as _;

use super::Compared;
use super::options::Options;
use super::reasons::{agree, others, reason};
use super::tools::Lost;

/// Renders everything.
pub fn render(compared: &[Compared], absent: &[&str], options: &Options) -> String {
    let mut text = String::from(HEAD);
    let _ = writeln!(text, "| program | Heapsight | LeakSanitizer | valgrind |\n|---|---|---|---|");
    for one in compared {
        let theirs = others(one).map(|(tool, theirs)| match agree(&one.ours, theirs) {
            true => "the same".to_string(),
            false => {
                let mark = if reason(one.name, tool, theirs).is_some() { "" } else { " **?**" };
                format!("{}{mark}", shown(theirs))
            }
        });
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            one.name,
            shown(&one.ours),
            theirs[0],
            theirs[1]
        );
    }
    let alike = |one: &&Compared| others(one).iter().all(|(_, theirs)| agree(&one.ours, theirs));
    let _ = writeln!(
        text,
        "\nOf {} programs the three agree on {}.\n\n## What differs, and who is wrong\n",
        compared.len(),
        compared.iter().filter(alike).count()
    );
    for one in compared {
        for (tool, theirs) in others(one) {
            if !agree(&one.ours, theirs) {
                let why = reason(one.name, tool, theirs).unwrap_or("**Nobody knows yet.**");
                let _ = writeln!(text, "- **{}, {tool:?}**: {why}", one.name);
            }
        }
    }
    let _ = writeln!(text, "\n## What was run\n");
    for one in compared {
        let _ = writeln!(text, "- `{}`", one.command.replace('|', "\\|"));
    }
    if !absent.is_empty() {
        let _ = writeln!(text, "\nNot on this machine: {}.", absent.join(", "));
    }
    if !options.only.is_empty() {
        let _ = writeln!(text, "\nThis is a part of the programs (`--only`).");
    }
    text
}

const HEAD: &str = "\
# Do other tools call the same blocks lost?

Written by a command of this repository:

    cargo build --release
    cargo run --release --manifest-path benches/compare/Cargo.toml -- leaks \\
        --out docs/leaks-agreement.md

Each program runs once under each of three tools, and is built for none of them: Heapsight
(`leaks=on`), LeakSanitizer's library from gcc, preloaded, and valgrind (`--leak-check=full`). Given
are the blocks and bytes that a program has lost at its exit, those of its children left out, as
*lost alone* + *lost with those*: LeakSanitizer's direct and indirect leaks, valgrind's definitely
and indirectly lost; Heapsight's `lost` and `cycle`, and `indirect`, what language run-times keep on
purpose included, because the others do not tell it apart.

";

/// `30 blocks, 8325 bytes + 15 blocks, 44060 bytes`
fn shown(lost: &Result<Lost, String>) -> String {
    match lost {
        Ok(lost) if *lost == Lost::default() => "nothing".to_string(),
        Ok(Lost { direct, indirect }) => {
            let more = match indirect.blocks {
                0 => String::new(),
                blocks => format!(" + {blocks} blocks, {} bytes", indirect.bytes),
            };
            format!("{} blocks, {} bytes{more}", direct.blocks, direct.bytes)
        }
        Err(why) => format!("none: {why}"),
    }
}
