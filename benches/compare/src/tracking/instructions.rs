//! Sampling beside no tracking, in instructions: a part in a hundred drowns in any clock.

use super::callgrind;
use super::cases::Case;
use super::setups::Setups;
use crate::programs::Scratch;

/// What a program executed, without tracking and with sampling.
pub struct Instructions {
    /// The program.
    pub name: String,
    /// Instructions with `track=off`.
    pub off: u64,
    /// Instructions with `track=sample:512K`.
    pub sample: u64,
}

impl Instructions {
    /// Sampling over no tracking.
    pub fn ratio(&self) -> f64 {
        self.sample as f64 / self.off.max(1) as f64
    }
}

/// Counts every program but servers, which answer as time allows.
pub fn count(
    cases: &[Case],
    setups: &Setups,
    scratch: &Scratch,
    absent: &mut Vec<String>,
) -> Vec<Instructions> {
    let (Some(off), Some(sample)) = (setups.column("off"), setups.column("sample")) else {
        absent.push("Instruction counts: they need the setups off and sample".to_string());
        return Vec::new();
    };
    let mut counts = Vec::new();
    for case in cases.iter().filter(|case| case.server.is_none()) {
        eprintln!("compare: instructions of {}", case.row.name);
        let count = |column: usize| callgrind::run(&case.row, &setups.all[column], scratch);
        match count(off).and_then(|off| count(sample).map(|sample| (off.total, sample.total))) {
            Ok((off, sample)) => {
                counts.push(Instructions { name: case.row.name.clone(), off, sample });
            }
            Err(message) => {
                eprintln!("compare: {message}");
                absent.push(format!("Instruction counts of {message}"));
            }
        }
    }
    counts
}
