//! What is promised, as limits on the cells: those of the routines' plan, which were measured on a
//! processor with AVX-512, whatever this one has. Where that, or what else that one has, is what
//! wins, there is a second limit that must never be missed: not to lose. A promise that is missed
//! above it is not kept either, but says why.

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
    /// The least ratio.
    pub least: f64,
    /// The least ratio of a processor that lacks something, and what.
    lacking: Option<(f64, &'static str)>,
}

/// What came of a promise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It is kept.
    Kept,
    /// It is not, nor can it be here, for want of this; but nothing loses.
    NotHere(&'static str),
    /// It is not.
    Broken,
}

/// Ties within the noise of a quiet machine.
const TIE: f64 = 0.97;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Registers of 64 bytes, and masks.
const WIDE: &str = "AVX-512";
/// Zen 5 stores 64 bytes a cycle, others 32.
const STORES: &str = "stores of 64 bytes";
/// Pages of 2 MiB: the engine does not ask for them, for the reason that `docs/simd.md` gives.
const HUGE: &str = "huge pages: see simd.md";
/// A last-level cache that `rep movsb` and prefetching win in.
const CACHE: &str = "Zen 5's caches";

macro_rules! gates {
    ($($id:literal $what:literal: $routine:literal $how:literal $from:expr, $to:expr
        => $least:expr $(, or $floor:expr, without $why:expr)?;)*) => {
        &[$(Gate {
            id: $id, what: $what, routine: $routine, how: $how, from: $from, to: $to,
            least: $least, lacking: gates!(@ $($floor, $why)?),
        }),*]
    };
    (@) => { None };
    (@ $floor:expr, $why:expr) => { Some(($floor, $why)) };
}

/// All that are ratios. The sizes are this machine's, where the plan's are those of one with caches
/// of 48 KiB, 1 MiB and 32 MiB.
pub const GATES: &[Gate] = gates! {
    "G1" "copy 2.3-16 KiB": "memcpy" "aligned" 2304, 16 * KIB => 1.5, or TIE, without WIDE;
    "G1" "copy 2.3-16 KiB": "memcpy" "misaligned" 2304, 16 * KIB => 1.45, or TIE, without WIDE;
    "G2" "copy 24-512 KiB": "memcpy" "" 24 * KIB, 512 * KIB => TIE;
    "G3" "copy 1-8 MiB": "memcpy" "" MIB, 8 * MIB => 1.05, or TIE, without CACHE;
    "G4" "copy 12-128 MiB": "memcpy" "" 12 * MIB, 128 * MIB => 1.15;
    "G5" "fleet sizes up to 4 KiB": "fleet memcpy" "unlearnable" 4096, 4096
        => 2.3, or TIE, without WIDE;
    "G5" "the same, memmove's": "fleet memmove" "unlearnable" 4096, 4096
        => 2.3, or TIE, without WIDE;
    "G6" "fleet sizes up to 64 B": "fleet memcpy" "unlearnable" 64, 64
        => 3.0, or TIE, without WIDE;
    "G6" "the same": "fleet memcpy" "learnable" 64, 64 => TIE;
    "G8" "Rust, in place, beside a call": "inline" "" 0, 32 => 2.0;
    "G9" "fill 2.3-32 KiB": "memset" "" 2304, 32 * KIB => 1.5, or TIE, without STORES;
    "G9" "fill 64-512 KiB": "memset" "" 64 * KIB, 512 * KIB => 1.1, or TIE, without STORES;
    "G10" "fill from 1 MiB on": "memset" "" MIB, 128 * MIB => TIE;
    "G10b" "pattern up to 4 MiB": "memset64" "" 64, 4 * MIB => 0.95;
    "G10b" "pattern from 64 MiB on": "memset64" "" 64 * MIB, 128 * MIB => 1.15;
    "G11" "bcmp, fleet sizes": "fleet bcmp" "unlearnable" 4096, 4096
        => 1.15, or TIE, without WIDE;
    "G11" "memcmp 2-16 KiB": "memcmp" "aligned" 2 * KIB, 16 * KIB => 1.7, or TIE, without WIDE;
    "G11" "bcmp 2-16 KiB": "bcmp" "aligned" 2 * KIB, 16 * KIB => 1.7, or TIE, without WIDE;
    "G13" "memrchr 4-16 KiB": "memrchr" "" 4 * KIB, 16 * KIB => 1.7, or TIE, without WIDE;
    "G13" "strlen 4-16 KiB": "strlen" "" 4 * KIB, 16 * KIB => 1.7, or TIE, without WIDE;
    "G13" "memchr 4-16 KiB": "memchr" "" 4 * KIB, 16 * KIB => 1.3, or TIE, without WIDE;
    "G14" "leak scan beside words, 256 KiB": "scan" "no pointers" 256 * KIB, 256 * KIB
        => 5.0, or TIE, without WIDE;
    "G15" "verify from 256 B on": "memother" "" 256, 4096 => 4.0;
    "G16" "realloc of 64 MiB beside a copy": "realloc" "" 64 * MIB, 64 * MIB => 40.0;
    "G17" "calloc, first touch, from 4 MiB on": "calloc" "first touch" 4 * MIB, 64 * MIB
        => 5.0, or TIE, without HUGE;
    "G19" "before a hole, beside mid-page": "edge" "" 0, 64 => 0.5;
};

/// What a search for leaks reads at least, in GB/s: of half the first level, half the second, a
/// quarter of the last, and of memory (G14).
pub const SCANS: [(usize, f64); 4] =
    [(16 * KIB, 200.0), (256 * KIB, 150.0), (8 * MIB, 60.0), (128 * MIB, 30.0)];

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

    /// What came of it.
    pub fn verdict(&self, findings: &Findings, worst: f64) -> Verdict {
        let lacks = findings.features.simd != Simd::Avx512;
        match self.lacking {
            _ if worst >= self.least => Verdict::Kept,
            Some((floor, why)) if (lacks || why == HUGE) && worst >= floor => Verdict::NotHere(why),
            _ => Verdict::Broken,
        }
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

/// GB/s of a search for leaks, by bytes (G14).
pub fn scan_rate(findings: &Findings, len: usize) -> Option<f64> {
    let cells = findings.cells.iter();
    let mut of = cells
        .filter(|cell| cell.routine == "scan" && cell.len == len && cell.how == "one in a hundred");
    Some(len as f64 / of.next()?.times.get(1)?.time)
}

/// 1.5 cycles of a processor of 3.5 GHz.
pub const HOT_EXCESS: f64 = 0.43;
/// Nanoseconds that choosing may take (G18).
pub const FIRST_CALL: f64 = 1000.0;
/// Least ratio of whole programs (G12).
pub const PROGRAM: f64 = 0.99;

/// What is broken, in words: not what cannot be kept here.
pub fn broken(findings: &Findings) -> Vec<String> {
    let mut lines = Vec::new();
    for gate in GATES {
        let Some(worst) = gate.worst(findings) else { continue };
        if gate.verdict(findings, worst) == Verdict::Broken {
            let (id, what, how, least) = (gate.id, gate.what, gate.how(), gate.least);
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
