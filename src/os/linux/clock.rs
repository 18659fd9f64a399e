//! Time, coarse and cheap: purge decay needs tens of milliseconds, not nanoseconds.

/// Milliseconds of the monotonic clock, wrapping after 49 days; compare by wrapping difference.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "wraps by contract")]
pub(crate) fn coarse_ms() -> u32 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is writable; the clock exists on every Linux, so errno is not touched. This
    // goes through libc for its vDSO entry, which makes no system call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    (now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000) as u32
}
