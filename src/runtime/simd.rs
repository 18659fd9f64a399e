//! Whose memory routines serve this process: the wish of `simd=`, and what came of it.

use super::ENGINE;
use super::options::Simd;
use crate::base::text::Text;
use crate::mem::libc::platform;
use crate::mem::routines::dispatch::{Dispatch, Tier};
use crate::os::process;
use core::fmt::Write;

pub(crate) static ROUTINES: Dispatch = Dispatch::new(platform());

/// The routines of the process.
#[inline(always)]
pub(crate) fn routines() -> &'static Dispatch {
    &ROUTINES
}

/// Follows the option, and has the engine use what serves; says so if the processor cannot.
pub(super) fn follow(simd: Simd) {
    ENGINE.set_memory(&ROUTINES);
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

/// Makes memory zero, and does so also if nobody reads it afterwards.
///
/// # Safety
/// `len` bytes may be written.
#[inline]
pub(crate) unsafe fn secure_zero_raw(to: *mut u8, len: usize) {
    // SAFETY: the caller's.
    unsafe { routines().set(to, 0, len) };
    // To the compiler this reads the memory.
    #[cfg(not(miri))]
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {0} */", in(reg) to, options(nostack, preserves_flags));
    }
}

/// What serves, and by which limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Features {
    /// Whose routines: [`Simd::Off`] is the platform's. Never [`Simd::Auto`].
    pub simd: Simd,
    /// Bytes of the data caches, first level to third; zero where that is not known.
    pub caches: [usize; 3],
    /// Up to so many bytes a copy goes by registers.
    pub copy_by_registers: usize,
    /// From so many bytes on a copy goes past the caches.
    pub copy_past_caches: usize,
    /// From so many bytes on a fill with a byte goes by the processor's own instruction.
    pub fill_by_string: usize,
    /// From so many bytes on a fill with a longer pattern goes past the caches.
    pub fill_past_caches: usize,
}

/// What serves, and by which limits.
///
/// ```
/// use heapsight::options::Simd;
///
/// assert_ne!(heapsight::features().simd, Simd::Auto);
/// ```
#[must_use]
pub fn features() -> Features {
    let simd = serving();
    let limits = routines().limits();
    let [copy_by_registers, copy_past_caches, fill_by_string, fill_past_caches] = limits.shown();
    Features {
        simd,
        caches: limits.caches(),
        copy_by_registers,
        copy_past_caches,
        fill_by_string,
        fill_past_caches,
    }
}
