//! Which instance serves: chosen once, at the first call or by `simd=`, and then one load and one
//! indirect jump away.
//!
//! A routine's address is null until then, not that of a function that chooses: the latter would
//! have to be relocated, and an object that interposes `memcpy` is called before it is. Choosing
//! allocates nothing, locks nothing, and has the same outcome on every thread, so that several may
//! do it at once. Any routine serves any call correctly, so that a later choice needs no care
//! either.

#[cfg(target_arch = "x86_64")]
use super::cpu::Features;
use super::instance;
use super::limits::Limits;
use super::platform::Platform;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use super::x86::near;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering::Relaxed};

/// Whose routines serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tier {
    /// The platform's own; what it lacks goes word by word.
    Platform = 1,
    /// Sixteen bytes at a time.
    Sse2,
    /// Thirty-two.
    Avx2,
    /// Sixty-four, with masks.
    Avx512,
    /// Sixteen, of aarch64.
    Neon,
}

impl Tier {
    const ALL: [Self; 5] = [Self::Platform, Self::Sse2, Self::Avx2, Self::Avx512, Self::Neon];

    /// Whether this processor has it.
    pub(crate) fn is_there(self) -> bool {
        match self {
            Self::Platform => true,
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Self::Sse2 => true,
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Self::Avx2 => Features::detect().avx2.is_some(),
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Self::Avx512 => Features::detect().avx512.is_some(),
            Self::Neon => cfg!(all(target_arch = "aarch64", not(miri))),
            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            _ => false,
        }
    }

    /// Who serves if `wish` is wished for: the best, if the processor does not have that.
    pub(crate) fn serving(wish: Option<Self>) -> Self {
        wish.filter(|tier| tier.is_there()).unwrap_or_else(Self::best)
    }

    /// The best that wins anything over the platform's on this processor: see `docs/simd.md`.
    fn best() -> Self {
        let wins = [Self::Avx512, Self::Avx2];
        wins.into_iter().find(|tier| tier.is_there()).unwrap_or(Self::Platform)
    }
}

macro_rules! routines {
    ($(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),*) -> $out:ty $(, or $own:ident)?;
    )*) => {
        /// Where a C function goes that does not serve itself: whatever was chosen, or is now.
        #[allow(dead_code, reason = "some have no name in libc")]
        pub(crate) mod elsewhere {
            use super::*;
            $(
                /// # Safety
                /// As the C function of that kind.
                pub(crate) unsafe extern "C" fn $name(
                    $($argument: $type,)* routines: &Dispatch
                ) -> $out {
                    // SAFETY: the caller's.
                    unsafe { routines.$name($($argument),*) }
                }
            )*
        }

        /// The table of routines, with what they go by.
        #[derive(Debug)]
        pub(crate) struct Dispatch {
            $($name: AtomicPtr<()>,)*
            limits: Limits,
            tier: AtomicU8,
        }

        impl Dispatch {
            /// Nothing is chosen yet.
            pub(crate) const fn new(platform: Platform) -> Self {
                Self {
                    $($name: AtomicPtr::new(ptr::null_mut()),)*
                    limits: Limits::new(platform),
                    tier: AtomicU8::new(0),
                }
            }

            $(
                $(#[$doc])*
                ///
                /// # Safety
                /// As the C function of that kind.
                #[inline(always)]
                pub(crate) unsafe fn $name(&self, $($argument: $type),*) -> $out {
                    let mut routine = self.$name.load(Relaxed);
                    if routine.is_null() {
                        self.choose_first();
                        routine = self.$name.load(Relaxed);
                    }
                    // SAFETY: only routines of this type are stored there, and the platform's,
                    // which ignore the last argument.
                    let routine = unsafe {
                        mem::transmute::<
                            *mut (),
                            unsafe extern "C" fn($($type,)* &Limits) -> $out,
                        >(routine)
                    };
                    // SAFETY: the caller's; the processor has the instructions, or it would not
                    // have been chosen.
                    unsafe { routine($($argument,)* &self.limits) }
                }
            )*

            /// Has `tier` serve, which this processor has.
            #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
            fn install(&self, tier: Tier) {
                match tier {
                    Tier::Platform => {
                        $(self.$name.store(instance::words::$name as *mut (), Relaxed);)*
                    }
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    Tier::Sse2 => {
                        $(self.$name.store(instance::sse2::$name as *mut (), Relaxed);)*
                    }
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    Tier::Avx2 => {
                        $(self.$name.store(instance::avx2::$name as *mut (), Relaxed);)*
                        self.enter_near();
                    }
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    Tier::Avx512 => {
                        $(self.$name.store(instance::avx512::$name as *mut (), Relaxed);)*
                    }
                    #[cfg(all(target_arch = "aarch64", not(miri)))]
                    Tier::Neon => {
                        $(self.$name.store(instance::neon::$name as *mut (), Relaxed);)*
                    }
                    _ => {}
                }
                self.tier.store(tier as u8, Relaxed);
            }

            /// Has the platform serve where it has such a routine.
            fn forward(&self) {
                $($(
                    let own = self.limits.platform.$own.load(Relaxed);
                    self.$name.store(own, Relaxed);
                )?)*
            }
        }
    };
}

routines! {
    /// Copies, overlapping or not; the target.
    copy(to: *mut u8, from: *const u8, len: usize) -> *mut u8, or copy;
    /// Copies what will not be read soon.
    stream(to: *mut u8, from: *const u8, len: usize) -> *mut u8, or copy;
    /// Fills with a byte, the lowest eight bits.
    set(to: *mut u8, byte: i32, len: usize) -> *mut u8, or set;
    /// Fills with a pattern of eight bytes.
    fill(to: *mut u8, pattern: u64, len: usize) -> *mut u8;
    /// Which comes first?
    compare(a: *const u8, b: *const u8, len: usize) -> i32, or compare;
    /// Zero if they are equal.
    differs(a: *const u8, b: *const u8, len: usize) -> i32, or compare;
    /// The first offset at which they differ, or `len`.
    mismatch(a: *const u8, b: *const u8, len: usize) -> usize;
    /// The first byte that is `byte`, or null.
    find(from: *const u8, byte: i32, len: usize) -> *const u8, or find;
    /// The last one.
    find_last(from: *const u8, byte: i32, len: usize) -> *const u8, or find_last;
    /// The length of a C string.
    length(from: *const u8) -> usize, or length;
    /// The first offset that is not the pattern's, or `len`.
    verify(from: *const u8, pattern: u64, len: usize) -> usize;
}

/// What the ways in of [`super::x86::near`] need to know.
#[cfg(all(target_arch = "x86_64", not(miri)))]
impl Dispatch {
    pub(crate) const TIER_AT: usize = mem::offset_of!(Self, tier);
    pub(crate) const LIMITS_AT: usize = mem::offset_of!(Self, limits);
    pub(crate) const AVX2: u8 = Tier::Avx2 as u8;

    /// Has routines that have a way in of their own begin with it.
    fn enter_near(&self) {
        self.copy.store(near::copy as *mut (), Relaxed);
        self.set.store(near::set as *mut (), Relaxed);
        self.fill.store(near::fill as *mut (), Relaxed);
        self.compare.store(near::compare as *mut (), Relaxed);
        self.differs.store(near::differs as *mut (), Relaxed);
        self.find.store(near::find as *mut (), Relaxed);
        self.find_last.store(near::find_last as *mut (), Relaxed);
        self.length.store(near::length as *mut (), Relaxed);
    }
}

impl Dispatch {
    /// The first call of all.
    #[cold]
    #[inline(never)]
    fn choose_first(&self) {
        self.choose(None);
    }

    /// Has a tier serve from now on, the best for `None`. `false`: this processor does not have it,
    /// and the best serves.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn choose(&self, tier: Option<Tier>) -> bool {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        self.limits.set_strings(Features::detect().strings);
        let is_there = tier.is_none_or(Tier::is_there);
        let serves = Tier::serving(tier);
        let is_known = self.limits.platform.is_known();
        let baseline = if Tier::Sse2.is_there() { Tier::Sse2 } else { Tier::Platform };
        self.install(if serves == Tier::Platform && !is_known { baseline } else { serves });
        if serves == Tier::Platform && is_known {
            self.forward();
        }
        is_there
    }

    /// Who serves.
    pub(crate) fn tier(&self) -> Tier {
        if self.tier.load(Relaxed) == 0 {
            self.choose_first();
        }
        let chosen = self.tier.load(Relaxed);
        Tier::ALL.into_iter().find(|tier| *tier as u8 == chosen).unwrap_or(Tier::Platform)
    }

    /// What they go by.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}
