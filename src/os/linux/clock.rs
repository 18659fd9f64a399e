//! Time: coarse and cheap for purge decay, fine and cheap for what is recorded of blocks.

/// Milliseconds of the monotonic clock, wrapping after 49 days; compare by wrapping difference.
#[expect(clippy::cast_possible_truncation, reason = "wraps by contract")]
pub(crate) fn coarse_ms() -> u32 {
    (read(libc::CLOCK_MONOTONIC_COARSE) / 1_000_000) as u32
}

/// Nanoseconds of the monotonic clock.
pub(crate) fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970.
pub(crate) fn wall_ns() -> u64 {
    read(libc::CLOCK_REALTIME)
}

#[expect(clippy::cast_sign_loss, reason = "these clocks are never negative")]
fn read(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is writable; the clocks exist on every Linux, so errno is not touched. This
    // goes through libc for its vDSO entry, which makes no system call.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The processor's constant-rate counter, in units of about half a microsecond: a few nanoseconds
/// to read. How long a unit is, is found by reading it beside [`monotonic_ns`].
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 has the instruction; Linux leaves it to user code.
        unsafe { core::arch::x86_64::_rdtsc() >> 10 }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let count: u64;
        // SAFETY: reads the virtual counter, which Linux leaves to user code.
        unsafe {
            core::arch::asm!("mrs {}, cntvct_el0", out(reg) count, options(nostack, nomem));
        }
        count >> 4
    }
}
