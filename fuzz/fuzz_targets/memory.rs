//! The memory routines do what Rust's own slices do, wherever in a buffer, whatever the bytes.
#![no_main]

use heapsight::mem;
use libfuzzer_sys::fuzz_target;

/// Room behind the arbitrary bytes, so that pieces may lie in each other.
const ROOM: usize = 300;

fuzz_target!(|data: &[u8]| {
    let [a, b, c, d, bytes @ ..] = data else { return };
    let (from, to) = (usize::from(*a), usize::from(*b));
    let len = bytes.len().min(usize::from(*c) + 256 * usize::from(*d % 20));
    let mut buffer = vec![0x55; ROOM + bytes.len()];
    buffer[..bytes.len()].copy_from_slice(bytes);
    let len = len.min(buffer.len() - from.max(to).min(buffer.len()));
    let (from, to) = (from.min(buffer.len() - len), to.min(buffer.len() - len));

    let mut expected = buffer.clone();
    expected.copy_within(from..from + len, to);
    let mut moved = buffer.clone();
    mem::copy_within(&mut moved, from..from + len, to);
    assert!(moved == expected);

    let (piece, other) = (&buffer[from..from + len], &expected[to..to + len]);
    assert!(mem::equal(piece, other) && mem::first_difference(piece, other).is_none());
    let (left, right) = (&buffer[from..], &buffer[to..]);
    assert_eq!(mem::compare(left, right), left.cmp(right));
    let differs = left.iter().zip(right).position(|(x, y)| x != y);
    let ends = (left.len() != right.len()).then_some(left.len().min(right.len()));
    assert_eq!(mem::first_difference(left, right), differs.or(ends));
    assert_eq!(mem::equal(left, right), left == right);

    let wanted = *c;
    assert_eq!(mem::find(left, wanted), left.iter().position(|byte| *byte == wanted));
    assert_eq!(mem::find_last(left, wanted), left.iter().rposition(|byte| *byte == wanted));
    assert_eq!(mem::first_other(left, wanted), left.iter().position(|byte| *byte != wanted));

    let mut copied = vec![0; len];
    mem::copy(&mut copied, piece);
    assert!(copied == piece);
    mem::stream_copy(&mut copied, other);
    assert!(copied == other);
    mem::fill(&mut copied, wanted);
    assert!(copied.iter().all(|byte| *byte == wanted));
    mem::secure_zero(&mut copied);
    assert!(copied.iter().all(|byte| *byte == 0));

    let mut numbers = vec![0_u32; len];
    let number = u32::from_ne_bytes([*a, *b, *c, *d]);
    mem::fill_u32(&mut numbers[..len / 2], number);
    assert!(numbers[..len / 2].iter().all(|is| *is == number));
    assert!(numbers[len / 2..].iter().all(|is| *is == 0));
});
