//! Every variant finds what a plain loop finds, and reads no byte beside its words.

use super::*;
use proptest::prelude::*;
use std::vec::Vec;

type Scan = unsafe fn(usize, usize, Range, &mut Batch) -> usize;

fn naive(words: &[usize], range: Range) -> Vec<usize> {
    words
        .iter()
        .filter(|word| **word >= range.low && **word - range.low < range.len)
        .map(|word| core::ptr::from_ref(word).addr())
        .collect()
}

/// All hits of a piece of memory, batch by batch.
unsafe fn all_hits(scan: Scan, from: usize, to: usize, range: Range) -> Vec<usize> {
    let (mut batch, mut at, mut found) = (Batch::new(), from, Vec::new());
    while at < to {
        // SAFETY: the caller's.
        let next = unsafe { scan(at, to, range, &mut batch) };
        assert!(next > at && next <= to, "a scan gets on");
        found.extend_from_slice(batch.hits());
        at = next;
    }
    found
}

fn bounds_of(words: &[usize]) -> (usize, usize) {
    let range = words.as_ptr_range();
    (range.start.expose_provenance(), range.end.addr())
}

/// Words of which about one in `step` lies in the range, and the others close by or anywhere.
fn words(range: Range) -> impl Strategy<Value = Vec<usize>> {
    let inside = (0..range.len.max(1)).prop_map(move |offset| range.low.wrapping_add(offset));
    let edges = proptest::sample::select(std::vec![
        0,
        usize::MAX,
        range.low,
        range.low.wrapping_sub(1),
        range.low.wrapping_add(range.len),
        range.low.wrapping_add(range.len).wrapping_sub(1),
    ]);
    let word = prop_oneof![2 => inside, 2 => edges, 6 => any::<usize>(), 6 => Just(0)];
    proptest::collection::vec(word, 0..300)
}

fn range() -> impl Strategy<Value = Range> {
    let low = prop_oneof![
        Just(0x7f12_3400_0000usize),
        Just(0),
        Just(1 << 63),
        Just((1 << 63) - 4096),
        Just(usize::MAX - (1 << 20)),
        any::<usize>(),
    ];
    let len = prop_oneof![Just(0usize), Just(1), Just(1 << 20), Just(1 << 40), Just(usize::MAX)];
    // A range of addresses does not wrap around.
    (low, len).prop_map(|(low, len)| Range { low, len: len.min(usize::MAX - low) })
}

macro_rules! stamp {
    ($name:ident, $scan:expr, $has:expr) => {
        mod $name {
            use super::*;

            proptest! {
                #[test]
                fn agrees_with_a_plain_loop(
                    (range, words) in range().prop_flat_map(|range| (Just(range), words(range))),
                    skip in 0usize..9,
                ) {
                    if $has {
                        let words = &words[skip.min(words.len())..];
                        let (from, to) = bounds_of(words);
                        // SAFETY: the words are the slice's, and the processor has what it takes.
                        let found = unsafe { all_hits($scan, from, to, range) };
                        prop_assert_eq!(found, naive(words, range));
                    }
                }
            }

            #[test]
            fn full_batches_lose_nothing() {
                if !$has {
                    return;
                }
                for len in BATCH - 40..BATCH + 40 {
                    let words: Vec<usize> = (1..=len).collect();
                    let (from, to) = bounds_of(&words);
                    let range = Range::between(1, len + 1);
                    // SAFETY: as above.
                    assert_eq!(unsafe { all_hits($scan, from, to, range) }.len(), len);
                }
            }

            #[test]
            #[cfg(not(any(miri, heapsight_mock)))]
            fn nothing_beside_the_words_is_read() {
                if !$has {
                    return;
                }
                let page = super::Page::between_holes();
                for len in 0..70 {
                    for (from, to) in
                        [(page.start, page.start + len * WORD), (page.end - len * WORD, page.end)]
                    {
                        let range = Range::between(0, 1);
                        // SAFETY: within the page, which is readable and all zero.
                        assert_eq!(unsafe { all_hits($scan, from, to, range) }.len(), len);
                    }
                }
            }
        }
    };
}

stamp!(by_words, portable::scan, true);
#[cfg(all(target_arch = "x86_64", not(miri)))]
stamp!(by_avx2, avx2::scan, Avx2::detect().is_some());
#[cfg(all(target_arch = "x86_64", not(miri)))]
stamp!(by_avx512, avx512::scan, Avx512::detect().is_some());

/// A readable page with holes on both sides.
#[cfg(not(any(miri, heapsight_mock)))]
struct Page {
    start: usize,
    end: usize,
}

#[cfg(not(any(miri, heapsight_mock)))]
impl Page {
    fn between_holes() -> Self {
        const PAGE: usize = 64 << 10;
        let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh mapping disturbs nothing.
        let start = unsafe {
            libc::mmap(core::ptr::null_mut(), 3 * PAGE, libc::PROT_NONE, anonymous, -1, 0)
        };
        assert_ne!(start, libc::MAP_FAILED);
        let start = start.expose_provenance() + PAGE;
        // SAFETY: the middle of the mapping just made.
        let done = unsafe {
            libc::mprotect(
                core::ptr::with_exposed_provenance_mut(start),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        assert_eq!(done, 0);
        Self { start, end: start + PAGE }
    }
}

/// The processor that runs this is asked as the standard library asks it.
#[test]
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn the_processor_has_what_it_says() {
    use std::is_x86_feature_detected;
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl");
    assert_eq!(Avx2::detect().is_some(), avx2);
    assert_eq!(Avx512::detect().is_some(), avx512);
    assert_eq!(matches!(Scanner::up_to(Tier::Avx512), Scanner::Avx512(_)), avx512);
    assert!(matches!(Scanner::up_to(Tier::Sse2), Scanner::Portable));
}
