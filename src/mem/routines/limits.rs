//! From which size on which way is the fastest: derived from the caches of the machine.
//!
//! | up to, or from | what |
//! |---|---|
//! | half of the first level | a copy by registers: source and target are in it |
//! | the second level | a fill by registers; beyond, the processor's own instruction |
//! | 3/8 of the last level | a copy through the caches |
//! | 3/2 of the last level | a pattern through the caches |
//!
//! `docs/simd.md` has the measurements. Nothing is known at first, as asking is slow; the first
//! size that could be above a limit has the processor asked.

#[cfg(target_arch = "x86_64")]
use super::cpu::Caches;
use super::platform::{Functions, Platform};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Up to this, no processor has a limit.
pub(crate) const SURELY_SMALL: usize = 16 << 10;

/// See the module. Every field may be written at any time: any of its values is correct.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(super) platform: Platform,
    is_known: AtomicBool,
    has_strings: AtomicBool,
    first: AtomicUsize,
    second: AtomicUsize,
    third: AtomicUsize,
    copy_loop: AtomicUsize,
    copy_stream: AtomicUsize,
    fill_string: AtomicUsize,
    fill_stream: AtomicUsize,
}

impl Limits {
    pub(super) const fn new(platform: Platform) -> Self {
        Self {
            platform,
            is_known: AtomicBool::new(false),
            has_strings: AtomicBool::new(false),
            first: AtomicUsize::new(0),
            second: AtomicUsize::new(0),
            third: AtomicUsize::new(0),
            copy_loop: AtomicUsize::new(SURELY_SMALL),
            copy_stream: AtomicUsize::new(usize::MAX),
            fill_string: AtomicUsize::new(SURELY_SMALL),
            fill_stream: AtomicUsize::new(SURELY_SMALL),
        }
    }

    /// From now on the platform's routines are known.
    #[allow(dead_code, reason = "the interposing object finds them late")]
    pub(crate) fn set_platform(&self, functions: &Functions) {
        self.platform.set(functions);
    }

    pub(super) fn set_strings(&self, has_strings: bool) {
        self.has_strings.store(has_strings, Relaxed);
    }

    #[inline(always)]
    pub(super) fn copy_loop(&self) -> usize {
        self.copy_loop.load(Relaxed)
    }

    #[inline(always)]
    pub(super) fn copy_stream(&self) -> usize {
        self.copy_stream.load(Relaxed)
    }

    /// A copy that is neither small nor huge. Beyond the second level the processor's instruction
    /// wins over registers where they are `is_wide`, and there is no line that is shared
    /// (`is_aligned`); on processors without such registers it loses.
    #[inline(always)]
    pub(super) fn copies_by_string(&self, len: usize, is_aligned: bool, is_wide: bool) -> bool {
        let beyond = is_aligned && is_wide;
        self.has_strings.load(Relaxed) && (beyond || len < self.second.load(Relaxed))
    }

    #[inline(always)]
    pub(super) fn copy_prefetches(&self, len: usize) -> bool {
        len >= self.second.load(Relaxed)
    }

    #[inline(always)]
    pub(super) fn fill_string(&self) -> usize {
        self.fill_string.load(Relaxed)
    }

    #[inline(always)]
    pub(super) fn fill_stream(&self) -> usize {
        self.fill_stream.load(Relaxed)
    }

    /// Bytes of the caches, first level to third; zero where that is not known.
    pub(crate) fn caches(&self) -> [usize; 3] {
        self.learn();
        [&self.first, &self.second, &self.third].map(|bytes| bytes.load(Relaxed))
    }

    /// The limits, as names and numbers, for those who want to know.
    pub(crate) fn shown(&self) -> [usize; 4] {
        self.learn();
        [&self.copy_loop, &self.copy_stream, &self.fill_string, &self.fill_stream]
            .map(|bytes| bytes.load(Relaxed))
    }

    /// Knows the limits from now on.
    #[inline(always)]
    pub(super) fn learn(&self) {
        if !self.is_known.load(Relaxed) {
            self.ask();
        }
    }

    #[cold]
    #[inline(never)]
    fn ask(&self) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        let Caches { first, second, third } = Caches::detect();
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let [first, second, third] = [0; 3];
        self.set(first, second, third);
    }

    pub(super) fn set(&self, first: usize, second: usize, third: usize) {
        self.first.store(first, Relaxed);
        self.second.store(second, Relaxed);
        self.third.store(third, Relaxed);
        // A cache that is not known sets no limit.
        let or_none = |bytes: usize| if bytes == 0 { usize::MAX } else { bytes };
        let has_strings = self.has_strings.load(Relaxed);
        self.copy_loop.store((first / 2).max(SURELY_SMALL), Relaxed);
        self.copy_stream.store(or_none(third / 8 * 3), Relaxed);
        self.fill_string.store(if has_strings { or_none(second) } else { usize::MAX }, Relaxed);
        self.fill_stream.store(or_none(third / 2 * 3), Relaxed);
        self.is_known.store(true, Relaxed);
    }
}
