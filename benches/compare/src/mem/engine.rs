//! What the engine does with memory instead of copying and filling it, beside glibc's `malloc`:
//! blocks that grow without a copy, zeros that need no filling, and words read for a search for
//! leaks.

use std::ffi::c_void;
use std::hint::black_box;

use super::cells::Cell;
use super::time::{Work, race};
use heapsight::ffi;

const MIB: usize = 1 << 20;
const PAGE: usize = 4096;

/// All cells.
pub fn measure(rounds: usize, largest: usize) -> Vec<Cell> {
    eprintln!("compare: mem: engine");
    let mut cells = Vec::new();
    scan(&mut cells, rounds, largest);
    let sizes = [1, 4, 16, 64].map(|count| count * MIB).into_iter();
    for len in sizes.filter(|len| *len <= largest) {
        let mut works: [Work<'_>; 2] = [copied(len), moved(len)];
        let times = race(&mut works, rounds.min(11));
        cells.push(Cell { routine: "realloc", len, how: "and back, beside a copy", times });
        for (how, gives_back) in [("first touch", true), ("again", false)] {
            let mut works: [Work<'_>; 2] =
                [zeroed(len, libc_zeroed, gives_back), zeroed(len, our_zeroed, gives_back)];
            let times = race(&mut works, rounds.min(11));
            cells.push(Cell { routine: "calloc", len, how, times });
        }
    }
    cells
}

/// Words, of which some lie in a range: word by word, and as a search for leaks does it.
fn scan(cells: &mut Vec<Cell>, rounds: usize, largest: usize) {
    const LOW: usize = 0x7000_0000_0000;
    const END: usize = LOW + (1 << 30);
    for len in [16 << 10, 256 << 10, 8 * MIB, 128 * MIB].into_iter().filter(|len| *len <= largest) {
        for (how, every) in [("no pointers", usize::MAX), ("one in a hundred", 100)] {
            let mut state = 1_usize;
            let mut word = |_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if state % every == 1 { LOW + (state >> 40) } else { state >> 20 }
            };
            let words: Vec<usize> = (0..len / 8).map(&mut word).collect();
            let words = &words;
            let theirs: Work<'_> = Box::new(move |calls| {
                for _ in 0..calls {
                    let mut found = Vec::with_capacity(512);
                    for word in black_box(words) {
                        if (LOW..END).contains(word) {
                            if found.len() == 512 {
                                found.clear();
                            }
                            found.push(std::ptr::from_ref(word).addr());
                        }
                    }
                    black_box(found);
                }
            });
            let ours: Work<'_> = Box::new(move |calls| {
                for _ in 0..calls {
                    black_box(ffi::count_pointers(black_box(words), LOW, END));
                }
            });
            let times = race(&mut [theirs, ours], rounds);
            cells.push(Cell { routine: "scan", len, how, times });
        }
    }
}

/// A block that doubles and halves, by `malloc`, `memcpy` and `free`.
fn copied<'w>(len: usize) -> Work<'w> {
    // SAFETY: a fresh block is written as far as it goes.
    let mut block = unsafe { libc::memset(libc::malloc(len), 1, len) };
    let mut is_long = false;
    Box::new(move |calls| {
        for _ in 0..calls {
            is_long = !is_long;
            // SAFETY: both blocks have `len` bytes at least; the old one is not used again.
            unsafe {
                let other = libc::malloc(if is_long { 2 * len } else { len });
                libc::memcpy(other, block, len);
                libc::free(block);
                block = other;
            }
        }
    })
}

/// The same, by the engine's `realloc`.
fn moved<'w>(len: usize) -> Work<'w> {
    let mut block = ffi::malloc(len);
    // SAFETY: a fresh block.
    unsafe { libc::memset(block, 1, len) };
    let mut is_long = false;
    Box::new(move |calls| {
        for _ in 0..calls {
            is_long = !is_long;
            block = black_box(ffi::realloc(block, if is_long { 2 * len } else { len }));
        }
    })
}

/// A block of zeros, and how it is freed, with its memory given back to the system or not.
type Zeroed = fn(usize) -> (*mut c_void, fn(*mut c_void, bool));

fn libc_zeroed(len: usize) -> (*mut c_void, fn(*mut c_void, bool)) {
    // SAFETY: always allowed.
    let block = unsafe { libc::calloc(1, len) };
    (block, |block, gives_back| {
        // SAFETY: the block is freed once.
        unsafe { libc::free(block) };
        if gives_back {
            // SAFETY: always allowed.
            unsafe { libc::malloc_trim(0) };
        }
    })
}

fn our_zeroed(len: usize) -> (*mut c_void, fn(*mut c_void, bool)) {
    (ffi::calloc(1, len), |block, gives_back| {
        ffi::free(block);
        if gives_back {
            ffi::trim();
        }
    })
}

/// A block of zeros, each page of which is written.
fn zeroed<'w>(len: usize, take: Zeroed, gives_back: bool) -> Work<'w> {
    Box::new(move |calls| {
        for _ in 0..calls {
            let (block, free) = take(len);
            for at in (0..len).step_by(PAGE) {
                // SAFETY: within the block.
                unsafe { block.cast::<u8>().add(at).write_volatile(1) };
            }
            free(block, gives_back);
        }
    })
}
