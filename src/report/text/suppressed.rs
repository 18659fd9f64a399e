//! What suppressions have kept out of the report, and which of them nobody needs.

use super::{Style, bytes, printable};
use crate::report::model::{Suppression, count};
use std::format;
use std::io::{self, Write};
use std::string::String;
use std::vec::Vec;

/// Writes a line for each suppression that was used, has expired or was not needed.
pub(super) fn write(
    suppressions: &[Suppression],
    sink: &mut dyn Write,
    style: Style,
) -> io::Result<()> {
    let is_used = |rule: &&Suppression| rule.blocks > 0;
    let used: Vec<_> = suppressions.iter().filter(is_used).collect();
    if !used.is_empty() {
        let sum = used.iter().fold((0, 0), |sum, rule| (sum.0 + rule.blocks, sum.1 + rule.bytes));
        let head = format!("suppressed: {} in {}", bytes(sum.1), count(sum.0, "block"));
        writeln!(sink, "\n  {}", style.bold(&head))?;
    }
    for rule in used {
        let size = format!("{} in {}", bytes(rule.bytes), count(rule.blocks, "block"));
        writeln!(sink, "      {size} by {}{}", name(rule), about(rule))?;
    }
    let idle = suppressions.iter().filter(|rule| rule.blocks == 0);
    for (number, rule) in idle.enumerate() {
        if number == 0 {
            writeln!(sink)?;
        }
        let why = match &rule.expires {
            Some(last) if rule.has_expired => format!("has expired on {last}"),
            _ => String::from("suppressed nothing"),
        };
        let line = format!("the suppression {} {why}{}", name(rule), about(rule));
        writeln!(sink, "  {}", style.dim(&line))?;
    }
    Ok(())
}

/// `leak:pool_grow (known.supp:3)`
fn name(rule: &Suppression) -> String {
    format!("leak:{} ({}:{})", printable(&rule.pattern), printable(&rule.origin), rule.line)
}

/// `, net-team: upstream bug 1234`
fn about(rule: &Suppression) -> String {
    let known: Vec<_> =
        [&rule.owner, &rule.reason].into_iter().flatten().map(|text| printable(text)).collect();
    if known.is_empty() { String::new() } else { format!(", {}", known.join(": ")) }
}
