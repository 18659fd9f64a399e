//! Whose memory routines serve this process: the wish of `simd=`, and what came of it.

use super::ENGINE;
use super::options::Simd;
use crate::base::text::Text;
use crate::mem::routines::dispatch::{Dispatch, Tier};
use crate::os::process;
use core::fmt::Write;

/// The routines of the process.
#[inline(always)]
pub(crate) fn routines() -> &'static Dispatch {
    &ENGINE.memory
}

/// Follows the option; says so if the processor cannot.
pub(super) fn follow(simd: Simd) {
    if !routines().choose(tier_of(simd)) {
        let mut line = Text::<160>::new();
        let (wish, serves) = (simd.name(), serving().name());
        let _cut = writeln!(
            line,
            "heapsight: this processor has nothing for 'simd={wish}': '{serves}' serves"
        );
        process::write(2, line.as_bytes());
    }
}

/// What serves.
pub(crate) fn serving() -> Simd {
    match routines().tier() {
        Tier::Platform => Simd::Off,
        Tier::Sse2 => Simd::Sse2,
        Tier::Avx2 => Simd::Avx2,
        Tier::Avx512 => Simd::Avx512,
        Tier::Neon => Simd::Neon,
    }
}

const fn tier_of(simd: Simd) -> Option<Tier> {
    match simd {
        Simd::Auto => None,
        Simd::Avx512 => Some(Tier::Avx512),
        Simd::Avx2 => Some(Tier::Avx2),
        Simd::Sse2 => Some(Tier::Sse2),
        Simd::Neon => Some(Tier::Neon),
        Simd::Off => Some(Tier::Platform),
    }
}
