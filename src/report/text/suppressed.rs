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
        writeln!(sink, "      {}", line(rule))?;
    }
    let idle = suppressions.iter().filter(|rule| rule.blocks == 0);
    for (number, rule) in idle.enumerate() {
        if number == 0 {
            writeln!(sink)?;
        }
        writeln!(sink, "  {}", style.dim(&line(rule)))?;
    }
    Ok(())
}

/// A line each, as above.
pub(in crate::report) fn lines(suppressions: &[Suppression]) -> Vec<String> {
    suppressions.iter().map(line).collect()
}

/// What has become of a suppression.
fn line(rule: &Suppression) -> String {
    let (name, about) = (name(rule), about(rule));
    if rule.blocks > 0 {
        let size = format!("{} in {}", bytes(rule.bytes), count(rule.blocks, "block"));
        return format!("{size} by {name}{about}");
    }
    match &rule.expires {
        Some(last) if rule.has_expired => {
            format!("the suppression {name} has expired on {last}{about}")
        }
        _ => format!("the suppression {name} suppressed nothing{about}"),
    }
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
