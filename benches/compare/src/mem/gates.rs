//! What is promised, as limits on the cells. The promises were measured on a processor with
//! AVX-512; on one without, a range in which registers of 64 bytes win must only not lose.

use heapsight::options::Simd;

use super::Findings;

/// One promise.
pub struct Gate {
    /// Its number in the plan of the routines.
    pub id: &'static str,
    /// What it is about.
    pub what: &'static str,
    routine: &'static str,
    how: &'static str,
    from: usize,
    to: usize,
    /// The least ratio with AVX-512, and without.
    least: [f64; 2],
}

/// Ties within the noise of a quiet machine.
const TIE: f64 = 0.97;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

macro_rules! gates {
    ($($id:literal $what:literal: $routine:literal $how:literal $from:expr, $to:expr
        => $wide:expr, $narrow:expr;)*) => {
        &[$(Gate {
            id: $id, what: $what, routine: $routine, how: $how, from: $from, to: $to,
            least: [$wide, $narrow],
        }),*]
    };
}

/// All that are ratios.
pub const GATES: &[Gate] = gates! {
    "G1" "copy 2.3-16 KiB": "memcpy" "aligned" 2304, 16 * KIB => 1.5, TIE;
    "G1" "copy 2.3-16 KiB": "memcpy" "misaligned" 2304, 16 * KIB => 1.45, TIE;
    "G2" "copy 32-512 KiB": "memcpy" "" 32 * KIB, 512 * KIB => TIE, TIE;
    "G3" "copy 1-8 MiB": "memcpy" "" MIB, 8 * MIB => 1.05, TIE;
    "G4" "copy 12-128 MiB": "memcpy" "" 12 * MIB, 128 * MIB => 1.15, 1.15;
    "G5" "fleet sizes up to 4 KiB": "fleet memcpy" "unlearnable" 4096, 4096 => 2.3, TIE;
    "G5" "fleet sizes up to 4 KiB": "fleet memmove" "unlearnable" 4096, 4096 => 2.3, TIE;
    "G6" "fleet sizes up to 64 B": "fleet memcpy" "unlearnable" 64, 64 => 3.0, TIE;
    "G6" "the same, learnable": "fleet memcpy" "learnable" 64, 64 => TIE, TIE;
    "G8" "Rust, in place, beside a call": "inline" "" 0, 32 => 2.0, 1.5;
    "G9" "fill 2.3-16 KiB": "memset" "" 2304, 16 * KIB => 1.5, TIE;
    "G9" "fill 64-512 KiB": "memset" "" 64 * KIB, 512 * KIB => 1.1, TIE;
    "G10" "fill from 1 MiB on": "memset" "" MIB, 128 * MIB => TIE, TIE;
    "G10b" "pattern up to 4 MiB": "memset64" "" 64, 4 * MIB => 0.95, 0.95;
    "G10b" "pattern from 64 MiB on": "memset64" "" 64 * MIB, 128 * MIB => 1.15, 1.15;
    "G11" "bcmp, fleet sizes": "fleet bcmp" "unlearnable" 4096, 4096 => 1.15, TIE;
    "G11" "compare 2-16 KiB": "memcmp" "aligned" 2 * KIB, 16 * KIB => 1.7, TIE;
    "G11" "bcmp 2-16 KiB": "bcmp" "aligned" 2 * KIB, 16 * KIB => 1.7, TIE;
    "G13" "memrchr 4-16 KiB": "memrchr" "" 4 * KIB, 16 * KIB => 1.7, TIE;
    "G13" "strlen 4-16 KiB": "strlen" "" 4 * KIB, 16 * KIB => 1.7, TIE;
    "G13" "memchr 4-16 KiB": "memchr" "" 4 * KIB, 16 * KIB => 1.3, TIE;
    "G15" "verify from 256 B on": "memother" "" 256, 4096 => 4.0, 4.0;
    "G19" "before a hole, beside mid-page": "edge" "" 0, 64 => 0.5, 0.5;
};

impl Gate {
    /// The worst ratio of the cells it is about; `None`: not measured.
    pub fn worst(&self, findings: &Findings) -> Option<f64> {
        let cells = findings.cells.iter().filter(|cell| {
            cell.routine == self.routine
                && (self.how.is_empty() || cell.how == self.how)
                && (self.from..=self.to).contains(&cell.len)
        });
        cells.filter_map(|cell| cell.times.get(1)).map(|ours| ours.ratio).reduce(f64::min)
    }

    /// The least ratio on this processor.
    pub fn least(&self, findings: &Findings) -> f64 {
        self.least[usize::from(findings.features.simd != Simd::Avx512)]
    }

    /// The alignment or mixture, if it is about one.
    pub fn how(&self) -> &'static str {
        self.how
    }
}

/// How many nanoseconds slower than glibc's the worst small hot copy is (G7).
pub fn hot_excess(findings: &Findings) -> Option<f64> {
    let small = findings.cells.iter().filter(|cell| {
        matches!(cell.routine, "memcpy" | "memset" | "memcmp" | "memchr") && cell.len <= 512
    });
    small.map(|cell| cell.times[1].time - cell.times[0].time).reduce(f64::max)
}

/// 1.5 cycles of a processor of 3.5 GHz.
pub const HOT_EXCESS: f64 = 0.43;
/// Nanoseconds that choosing may take (G18).
pub const FIRST_CALL: f64 = 1000.0;
/// Least ratio of whole programs (G12).
pub const PROGRAM: f64 = 0.99;

/// What is not kept, in words.
pub fn broken(findings: &Findings) -> Vec<String> {
    let mut lines = Vec::new();
    for gate in GATES {
        let least = gate.least(findings);
        if let Some(worst) = gate.worst(findings).filter(|worst| *worst < least) {
            let (id, what, how) = (gate.id, gate.what, gate.how());
            lines.push(format!("{id}, {what} {how}: x{worst:.2}, not x{least:.2}"));
        }
    }
    if let Some(excess) = hot_excess(findings).filter(|excess| *excess > HOT_EXCESS) {
        lines.push(format!("G7: {excess:.2} ns slower than glibc, more than {HOT_EXCESS}"));
    }
    if findings.first_call > FIRST_CALL {
        lines.push(format!("G18: choosing takes {:.0} ns", findings.first_call));
    }
    for program in findings.programs.iter().filter(|program| program.ratio < PROGRAM) {
        lines.push(format!("{}: x{:.3}, not x{PROGRAM}", program.name, program.ratio));
    }
    lines
}
