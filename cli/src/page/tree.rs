//! A call tree in lines.

use std::fmt::{self, Write};

use super::{BOLD, DIM, HEAD};
use crate::view::metric::Metric;
use crate::view::numbers::{printable, share};
use crate::view::tree::{Labels, Tree};

/// Parts smaller than a hundredth of the whole go into one line.
const LEAST_SHARE: u64 = 100;
/// Deeper calls are not shown: no terminal is that wide.
const DEPTH_MAX: usize = 100;

/// Writes a tree of functions.
pub(crate) fn write(
    out: &mut String,
    title: &str,
    metric: Metric,
    labels: &Labels,
    tree: &Tree,
) -> fmt::Result {
    writeln!(out, "\n{HEAD}{title}{HEAD:#}")?;
    let total = tree.nodes[0].inclusive.value;
    let mut page = Page { out, metric, labels, tree, total, least: total.div_ceil(LEAST_SHARE) };
    page.children(0, &mut Vec::new())
}

struct Page<'a> {
    out: &'a mut String,
    metric: Metric,
    labels: &'a Labels,
    tree: &'a Tree,
    total: u64,
    least: u64,
}

impl Page<'_> {
    fn children(&mut self, node: usize, trunk: &mut Vec<bool>) -> fmt::Result {
        if trunk.len() > DEPTH_MAX {
            return Ok(());
        }
        let tree = self.tree;
        let (children, rest) = tree.large_children(node, self.least.max(1));
        let own = tree.nodes[node].own;
        let ends_here = node != 0 && own.value >= self.least.max(1) && !children.is_empty();
        let lines = children.len() + usize::from(rest.value > 0) + usize::from(ends_here);
        for (number, child) in (1..).zip(children) {
            let name = printable(self.labels.name(tree.nodes[*child].label));
            let value = tree.nodes[*child].inclusive.value;
            // A single child stays in its parent's column and repeats no number, so that long
            // chains stay in sight.
            let is_chain = lines == 1;
            let shown = (!is_chain || node == 0).then_some(value);
            self.line(trunk, number == lines, shown, &format!("{BOLD}{name}{BOLD:#}"))?;
            if !is_chain {
                trunk.push(number != lines);
            }
            self.children(*child, trunk)?;
            if !is_chain {
                trunk.pop();
            }
        }
        if ends_here {
            let is_last = rest.value == 0;
            self.line(trunk, is_last, Some(own.value), &format!("{DIM}(by itself){DIM:#}"))?;
        }
        if rest.value > 0 {
            self.line(trunk, true, Some(rest.value), &format!("{DIM}(smaller ones){DIM:#}"))?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        trunk: &[bool],
        is_last: bool,
        value: Option<u64>,
        name: &str,
    ) -> fmt::Result {
        let text = value.map(|value| self.metric.text(value)).unwrap_or_default();
        let share = value.map(|value| share(value, self.total)).unwrap_or_default();
        let bars: String = trunk.iter().map(|goes_on| if *goes_on { "│ " } else { "  " }).collect();
        let branch = if is_last { "└ " } else { "├ " };
        writeln!(self.out, "  {text:>10} {share:>9}  {DIM}{bars}{branch}{DIM:#}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tree::Share;

    #[test]
    fn chains_stay_in_their_column_and_crumbs_in_one_line() {
        let mut labels = Labels::default();
        for name in ["main", "run", "a", "b", "c"] {
            labels.number(name);
        }
        let share = |value| Share { value, blocks: 1 };
        let tree = Tree::of([
            (vec![0, 1, 2], share(900)),
            (vec![0, 1, 3], share(95)),
            (vec![0, 1, 4], share(5)),
        ]);
        let mut page = String::new();
        write(&mut page, "Callees", Metric::Count, &labels, &tree).expect("written");
        let page = anstream::adapter::strip_str(&page).to_string();
        assert_eq!(
            page.lines().collect::<Vec<_>>(),
            [
                "",
                "Callees",
                "       1,000     100 %  └ main",
                "                        └ run",
                "         900      90 %  ├ a",
                "          95       9 %  ├ b",
                "           5 under 1 %  └ (smaller ones)",
            ]
        );
    }
}
