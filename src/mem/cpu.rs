//! What the processor can do, asked of the processor. The standard library would know, but this
//! floor goes without it.

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

/// Proof that the processor has AVX2, and that the system saves its registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

/// Proof of AVX-512 F and VL, as for [`Avx2`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(());

const OSXSAVE: u32 = 1 << 27;
const AVX2: u32 = 1 << 5;
const BMI1: u32 = 1 << 3;
const BMI2: u32 = 1 << 8;
const AVX512F: u32 = 1 << 16;
const AVX512VL: u32 = 1 << 31;
const POPCNT: u32 = 1 << 23;

/// State components that the system saves: SSE and AVX; and those of AVX-512.
const SAVES_AVX: u64 = 0b110;
const SAVES_AVX512: u64 = 0b1110_0110;

/// The extended features, and the state components that the system saves.
fn features() -> Option<(u32, u64)> {
    if __cpuid(0).eax < 7 {
        return None;
    }
    let basic = __cpuid(1).ecx;
    if basic & OSXSAVE == 0 || basic & POPCNT == 0 {
        return None;
    }
    // SAFETY: OSXSAVE says that the instruction is there.
    let saved = unsafe { saved_components() };
    Some((__cpuid_count(7, 0).ebx, saved))
}

#[target_feature(enable = "xsave")]
fn saved_components() -> u64 {
    // SAFETY: component 0 exists wherever the instruction does.
    unsafe { _xgetbv(0) }
}

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        let needed = AVX2 | BMI1 | BMI2;
        features()
            .filter(|(has, saved)| has & needed == needed && saved & SAVES_AVX == SAVES_AVX)
            .map(|_| Self(()))
    }
}

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        let needed = AVX512F | AVX512VL | BMI1 | BMI2;
        features()
            .filter(|(has, saved)| has & needed == needed && saved & SAVES_AVX512 == SAVES_AVX512)
            .map(|_| Self(()))
    }
}
