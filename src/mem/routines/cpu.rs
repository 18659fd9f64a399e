//! What the processor can do, and how large its caches are. The standard library would know the
//! former, but this floor goes without it.
//!
//! A hypervisor takes microseconds to answer `cpuid`. glibc has asked already, and from 2.33 on
//! hands out what it was told; only the caches are asked for here, when something large comes.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::mem;

/// Proof that the processor has AVX2, BMI and POPCNT, and that the system saves its registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

/// Proof of AVX-512 F, BW and VL, as for [`Avx2`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

const OSXSAVE: u32 = 1 << 27;
const POPCNT: u32 = 1 << 23;
const BMI1: u32 = 1 << 3;
const AVX2: u32 = 1 << 5;
const BMI2: u32 = 1 << 8;
const ERMS: u32 = 1 << 9;
const AVX512F: u32 = 1 << 16;
const AVX512BW: u32 = 1 << 30;
const AVX512VL: u32 = 1 << 31;

const NEEDS_AVX2: u32 = AVX2 | BMI1 | BMI2;
const NEEDS_AVX512: u32 = NEEDS_AVX2 | AVX512F | AVX512BW | AVX512VL;

/// State components that the system saves: SSE and AVX; and those of AVX-512.
const SAVES_AVX: u64 = 0b110;
const SAVES_AVX512: u64 = 0b1110_0110;

/// What matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    pub(crate) avx2: Option<Avx2>,
    pub(crate) avx512: Option<Avx512>,
    /// `rep movsb` and `rep stosb` are fast.
    pub(crate) strings: bool,
}

impl Features {
    const NONE: Self = Self { avx2: None, avx512: None, strings: false };

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn detect() -> Self {
        from_libc().unwrap_or_else(from_processor)
    }

    /// From leaf 1's ECX and leaf 7's EBX, of what is there and what the system allows.
    fn of(basic: u32, extended: u32, strings: bool) -> Self {
        let has = |needed: u32| basic & POPCNT != 0 && extended & needed == needed;
        Self {
            avx2: has(NEEDS_AVX2).then_some(Avx2(())),
            avx512: has(NEEDS_AVX512).then_some(Avx512(())),
            strings,
        }
    }
}

/// glibc's `struct cpuid_feature`: EAX to EDX as the processor says, and what of it may be used.
#[repr(C)]
struct Leaf {
    there: [u32; 4],
    usable: [u32; 4],
}

type LeafOf = unsafe extern "C" fn(u32) -> *const Leaf;

const EBX: usize = 1;
const ECX: usize = 2;

/// glibc's table, if this is a glibc that has one and the loader has told us where.
fn from_libc() -> Option<Features> {
    let address: *const ();
    // SAFETY: reads the place where the loader puts the address of the function: null if there is
    // none, or if it has not come to it yet.
    unsafe {
        core::arch::asm!(
            ".weak __x86_get_cpuid_feature_leaf",
            "mov {}, [rip + __x86_get_cpuid_feature_leaf@GOTPCREL]",
            out(reg) address,
            options(readonly, nostack, preserves_flags)
        );
    }
    if address.is_null() {
        return None;
    }
    // SAFETY: glibc's function of that name has this type.
    let leaf_of = unsafe { mem::transmute::<*const (), LeafOf>(address) };
    // SAFETY: any number may be asked for; zero and one stand for the leaves 1 and 7.
    let (basic, extended) = unsafe { (leaf_of(0).as_ref()?, leaf_of(1).as_ref()?) };
    // Before the loader has filled the table in, nothing is there.
    if basic.there[ECX] == 0 {
        return None;
    }
    let strings = extended.there[EBX] & ERMS != 0;
    Some(Features::of(basic.usable[ECX], extended.usable[EBX], strings))
}

fn from_processor() -> Features {
    if __cpuid(0).eax < 7 {
        return Features::NONE;
    }
    let (basic, extended) = (__cpuid(1).ecx, __cpuid_count(7, 0).ebx);
    let saved = if basic & OSXSAVE == 0 {
        0
    } else {
        // SAFETY: OSXSAVE says that the instruction is there.
        unsafe { saved_components() }
    };
    let mut usable = extended;
    if saved & SAVES_AVX != SAVES_AVX {
        usable &= !AVX2;
    }
    if saved & SAVES_AVX512 != SAVES_AVX512 {
        usable &= !AVX512F;
    }
    Features::of(basic, usable, extended & ERMS != 0)
}

#[target_feature(enable = "xsave")]
fn saved_components() -> u64 {
    // SAFETY: component 0 exists wherever the instruction does.
    unsafe { _xgetbv(0) }
}

impl Avx2 {
    #[cfg(test)]
    pub(crate) fn detect() -> Option<Self> {
        Features::detect().avx2
    }
}

impl Avx512 {
    #[cfg(test)]
    pub(crate) fn detect() -> Option<Self> {
        Features::detect().avx512
    }
}

/// Bytes of the data caches; 0 for one that there is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caches {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// What one core can use of the last level: on processors of several dies, its own die's.
    pub(crate) third: usize,
}

/// Intel's description of the caches, and AMD's in the same form.
const INTEL: u32 = 4;
const AMD: u32 = 0x8000_001d;
/// AMD: there is such a description.
const TOPOLOGY: u32 = 1 << 22;
const EXTENDED: u32 = 0x8000_0000;
const CACHES_MAX: u32 = 8;

impl Caches {
    /// Asks the processor, which may take some ten microseconds.
    pub(crate) fn detect() -> Self {
        let last = __cpuid(EXTENDED).eax;
        if last >= AMD && __cpuid(EXTENDED + 1).ecx & TOPOLOGY != 0 {
            Self::described_by(AMD)
        } else if __cpuid(0).eax >= INTEL {
            Self::described_by(INTEL)
        } else {
            Self::default()
        }
    }

    fn described_by(leaf: u32) -> Self {
        let mut caches = Self::default();
        for index in 0..CACHES_MAX {
            let part = __cpuid_count(leaf, index);
            let (kind, level) = (part.eax & 0x1f, part.eax >> 5 & 7);
            let ways = (part.ebx >> 22) as usize + 1;
            let partitions = (part.ebx >> 12 & 0x3ff) as usize + 1;
            let line = (part.ebx & 0xfff) as usize + 1;
            let bytes = ways * partitions * line * (part.ecx as usize + 1);
            match (kind, level) {
                (0, _) => break,
                (1 | 3, 1) => caches.first = bytes,
                (1 | 3, 2) => caches.second = bytes,
                (1 | 3, 3) => caches.third = bytes,
                _ => {}
            }
        }
        caches
    }
}
