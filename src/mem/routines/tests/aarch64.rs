//! The intrinsics of aarch64 that the instance uses, spelled out: their names, types and meaning
//! are those of Arm's intrinsics reference, so that the instance is compiled and run on any
//! processor.

#![expect(non_camel_case_types, reason = "the names are Arm's")]

use super::super::instance::instance;
use super::super::limits::Limits;
use super::super::neon::Neon;
use super::super::vector::Far;
use super::super::{compare, copy, fill, find, verify};
use super::bytes::Bytes;

instance! { neon of Neon }

pub(in super::super) type uint8x16_t = Bytes<16>;
/// Two, eight and one lanes of the sixteen and eight bytes.
pub(in super::super) type uint64x2_t = [u64; 2];
pub(in super::super) type uint16x8_t = [u16; 8];
pub(in super::super) type uint8x8_t = [u8; 8];
pub(in super::super) type uint64x1_t = u64;

pub(in super::super) unsafe fn vld1q_u8(from: *const u8) -> uint8x16_t {
    // SAFETY: the caller's.
    Bytes(unsafe { from.cast::<[u8; 16]>().read() })
}

pub(in super::super) unsafe fn vst1q_u8(to: *mut u8, value: uint8x16_t) {
    // SAFETY: the caller's.
    unsafe { to.cast::<[u8; 16]>().write(value.0) }
}

pub(in super::super) fn vdupq_n_u64(value: u64) -> uint64x2_t {
    [value; 2]
}

pub(in super::super) fn vdupq_n_u8(value: u8) -> uint8x16_t {
    Bytes([value; 16])
}

pub(in super::super) fn vreinterpretq_u8_u64(lanes: uint64x2_t) -> uint8x16_t {
    Bytes(core::array::from_fn(|at| lanes[at / 8].to_le_bytes()[at % 8]))
}

pub(in super::super) fn veorq_u8(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
    a.map2(b, |x, y| x ^ y)
}

pub(in super::super) fn vorrq_u8(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
    a.map2(b, |x, y| x | y)
}

pub(in super::super) fn vminq_u8(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
    a.map2(b, u8::min)
}

/// All ones where a lane is zero.
pub(in super::super) fn vceqzq_u8(value: uint8x16_t) -> uint8x16_t {
    value.map2(value, |byte, _| if byte == 0 { 0xff } else { 0 })
}

pub(in super::super) fn vreinterpretq_u16_u8(value: uint8x16_t) -> uint16x8_t {
    core::array::from_fn(|at| u16::from_le_bytes([value.0[2 * at], value.0[2 * at + 1]]))
}

/// Shifts each lane right, and keeps its lower half.
pub(in super::super) fn vshrn_n_u16<const N: i32>(lanes: uint16x8_t) -> uint8x8_t {
    lanes.map(|lane| (lane >> N) as u8)
}

pub(in super::super) fn vreinterpret_u64_u8(lanes: uint8x8_t) -> uint64x1_t {
    u64::from_le_bytes(lanes)
}

pub(in super::super) fn vget_lane_u64<const LANE: i32>(value: uint64x1_t) -> u64 {
    assert_eq!(LANE, 0, "there is one lane");
    value
}

/// The greatest lane.
pub(in super::super) fn vmaxvq_u8(value: uint8x16_t) -> u8 {
    value.0.into_iter().max().unwrap_or_default()
}
