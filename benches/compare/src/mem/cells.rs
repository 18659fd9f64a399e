//! What is measured: each cell a routine, a size, an alignment, and glibc's time beside ours.

use std::hint::black_box;

use super::routines::{
    Compare, Find, Move, Set, compares, copies, equals, finds, finds_last, lengths, pattern, sets,
    streams, verify,
};
use super::time::{Timed, Work, median, race};

/// One cell of the tables.
pub struct Cell {
    /// The table it belongs to.
    pub routine: &'static str,
    /// Bytes; the largest, where sizes are drawn.
    pub len: usize,
    /// What else there is to say: an alignment, a mixture.
    pub how: &'static str,
    /// glibc's, ours, and the memchr crate's where it has such a routine.
    pub times: Vec<Timed>,
}

/// Of several passes over the same cells the middle: what a busy neighbour does to one of them, for
/// as long as a cell takes, the others do not have.
pub fn middle(passes: &[Vec<Cell>]) -> Vec<Cell> {
    let Some(first) = passes.first() else { return Vec::new() };
    let of = |cell: usize, variant: usize| {
        let timed = || passes.iter().filter_map(move |pass| pass.get(cell)?.times.get(variant));
        let time = median(timed().map(|timed| timed.time).collect());
        Timed { time, ratio: median(timed().map(|timed| timed.ratio).collect()) }
    };
    let middle = |(index, cell): (usize, &Cell)| Cell {
        times: (0..cell.times.len()).map(|variant| of(index, variant)).collect(),
        ..*cell
    };
    first.iter().enumerate().map(middle).collect()
}

/// Sizes of copies and fills.
const SIZES: &[usize] = &[
    1,
    4,
    8,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    768,
    1024,
    1536,
    2048,
    2304,
    3072,
    4096,
    8192,
    16384,
    24576,
    32768,
    65536,
    131_072,
    262_144,
    524_288,
    1 << 20,
    2 << 20,
    4 << 20,
    8 << 20,
    12 << 20,
    16 << 20,
    32 << 20,
    64 << 20,
    128 << 20,
];
/// The largest of them, and room for an alignment.
const MOST: usize = (128 << 20) + SPARE;
const SPARE: usize = 8192;

/// Memory that cells work on.
pub struct Ground {
    source: Vec<u8>,
    target: Vec<u8>,
    rounds: usize,
    largest: usize,
}

impl Ground {
    /// Takes the memory, touched.
    pub fn new(rounds: usize, largest: usize) -> Self {
        let most = MOST.min(largest + SPARE);
        Self { source: vec![0xaa; most], target: vec![0xaa; most], rounds, largest }
    }

    /// Addresses aligned to a page's beginning, and so many bytes on.
    fn places(&mut self, from: usize, to: usize) -> (*const u8, *mut u8) {
        let page = |address: *const u8| address.align_offset(4096);
        let (source, target) = (self.source.as_ptr(), self.target.as_mut_ptr());
        (source.wrapping_add(page(source) + from), target.wrapping_add(page(target) + to))
    }

    fn sizes(&self) -> impl Iterator<Item = usize> + use<> {
        let largest = self.largest;
        SIZES.iter().copied().filter(move |len| *len <= largest)
    }

    /// What comes from memory hangs on who else uses it: that takes more rounds to tell from a tie.
    fn rounds_of(&self, len: usize) -> usize {
        if len > 256 << 10 { 2 * self.rounds } else { self.rounds }
    }

    /// All cells.
    pub fn measure(&mut self, only: &str) -> Vec<Cell> {
        let mut cells = Vec::new();
        type Part = fn(&mut Ground, &mut Vec<Cell>);
        let parts: [(&str, Part); 7] = [
            ("copy", Self::copy),
            ("fill", Self::fill),
            ("compare", Self::compare),
            ("find", Self::find),
            ("verify", Self::verify),
            ("edge", Self::edge),
            ("inline", Self::inline),
        ];
        for (name, part) in parts {
            if name.contains(only) {
                eprintln!("compare: mem: {name}");
                part(self, &mut cells);
            }
        }
        cells
    }

    fn copy(&mut self, cells: &mut Vec<Cell>) {
        for (how, from, to) in [("aligned", 0, 0), ("misaligned", 13, 39), ("apart", 13, 1063)] {
            for len in self.sizes() {
                let (from, to) = self.places(from, to);
                let times = race(&mut moving(copies(), to, from, len), self.rounds_of(len));
                cells.push(Cell { routine: "memcpy", len, how, times });
            }
        }
        let largest = self.largest;
        for len in [1 << 20, 16 << 20, 64 << 20].into_iter().filter(|len| *len <= largest) {
            let (from, to) = self.places(0, 0);
            let times = race(&mut moving(streams(), to, from, len), self.rounds_of(len));
            cells.push(Cell { routine: "stream_copy", len, how: "aligned", times });
        }
    }

    fn fill(&mut self, cells: &mut Vec<Cell>) {
        for (how, value) in [("with 0", 0), ("with 0xaa", 0xaa)] {
            for len in self.sizes() {
                let (_, to) = self.places(0, 0);
                let work = |set: Set| -> Work<'_> {
                    Box::new(move |calls| {
                        for _ in 0..calls {
                            // SAFETY: the ground's own memory.
                            unsafe { set(to.cast(), value, black_box(len)) };
                        }
                    })
                };
                let times = race(&mut sets().map(work), self.rounds_of(len));
                cells.push(Cell { routine: "memset", len, how, times });
            }
        }
        for len in self.sizes().filter(|len| len % 8 == 0) {
            let (_, to) = self.places(0, 0);
            let work = |ours| -> Work<'_> {
                Box::new(move |calls| (0..calls).for_each(|_| pattern(ours, to, black_box(len))))
            };
            let times = race(&mut [false, true].map(work), self.rounds_of(len));
            cells.push(Cell { routine: "memset64", len, how: "beside wmemset", times });
        }
    }

    fn compare(&mut self, cells: &mut Vec<Cell>) {
        for (routine, pair) in [("memcmp", compares()), ("bcmp", equals())] {
            for (how, from, to) in [("aligned", 0, 0), ("misaligned", 13, 39)] {
                self.source.fill(0xaa);
                self.target.fill(0xaa);
                for len in self.sizes().filter(|len| *len <= 16 << 20) {
                    let (a, b) = self.places(from, to);
                    let times = race(&mut comparing(pair, a, b, len), self.rounds_of(len));
                    cells.push(Cell { routine, len, how, times });
                }
            }
        }
    }

    fn find(&mut self, cells: &mut Vec<Cell>) {
        self.source.fill(0xaa);
        for len in self.sizes().filter(|len| *len <= 64 << 20) {
            let (from, _) = self.places(0, 0);
            // SAFETY: the ground's own memory.
            let bytes = unsafe { std::slice::from_raw_parts(from, len) };
            let work = |find: Find| -> Work<'_> {
                Box::new(move |calls| {
                    for _ in 0..calls {
                        // SAFETY: as above.
                        black_box(unsafe { find(from.cast(), 1, black_box(len)) });
                    }
                })
            };
            let theirs: Work<'_> = Box::new(move |calls| {
                (0..calls).for_each(|_| {
                    black_box(memchr::memchr(1, black_box(bytes)));
                });
            });
            let mut works = Vec::from(finds().map(work));
            works.push(theirs);
            let times = race(&mut works, self.rounds_of(len));
            cells.push(Cell { routine: "memchr", len, how: "absent", times });
            let theirs: Work<'_> = Box::new(move |calls| {
                (0..calls).for_each(|_| {
                    black_box(memchr::memrchr(1, black_box(bytes)));
                });
            });
            let mut works = Vec::from(finds_last().map(work));
            works.push(theirs);
            let times = race(&mut works, self.rounds_of(len));
            cells.push(Cell { routine: "memrchr", len, how: "absent", times });
        }
        for len in self.sizes().filter(|len| *len <= 64 << 20) {
            let (from, _) = self.places(0, 0);
            let at = from.addr() - self.source.as_ptr().addr() + len;
            self.source[at] = 0;
            let work = |length: super::routines::Length| -> Work<'_> {
                Box::new(move |calls| {
                    for _ in 0..calls {
                        // SAFETY: a zero ends it.
                        black_box(unsafe { length(black_box(from.cast())) });
                    }
                })
            };
            let times = race(&mut lengths().map(work), self.rounds_of(len));
            self.source[at] = 0xaa;
            cells.push(Cell { routine: "strlen", len, how: "aligned", times });
        }
    }

    fn verify(&mut self, cells: &mut Vec<Cell>) {
        self.source.fill(0xaa);
        for len in [16, 32, 64, 128, 256, 1024, 4096, 16384, 65536, 1 << 20] {
            let bytes = &self.source[..len];
            let work = |ours| -> Work<'_> {
                Box::new(move |calls| {
                    (0..calls).for_each(|_| {
                        black_box(verify(ours, black_box(bytes)));
                    });
                })
            };
            let times = race(&mut [false, true].map(work), self.rounds);
            cells.push(Cell { routine: "memother", len, how: "beside words", times });
        }
    }

    /// Ours alone: in the middle of a page, and at its end, behind which nothing may be touched.
    fn edge(&mut self, cells: &mut Vec<Cell>) {
        let hole = super::hole::Page::new();
        for len in [8, 16, 24, 32, 48, 63] {
            let [_, copy] = copies();
            let (_, to) = self.places(0, 0);
            let work = |from: *const u8| moving([copy; 2], to, from, len).into_iter().next();
            let works = [hole.middle(), hole.end().wrapping_sub(len)].map(work);
            let mut works: Vec<_> = works.into_iter().flatten().collect();
            let times = race(&mut works, self.rounds);
            cells.push(Cell { routine: "edge", len, how: "our memcpy before a hole", times });
        }
    }

    /// A call of libc's, and Rust's way in, which needs none.
    fn inline(&mut self, cells: &mut Vec<Cell>) {
        for len in [4, 8, 16, 24, 32] {
            let (from, to) = self.places(0, 0);
            let call = moving(copies(), to, from, len).into_iter().next();
            let inlined: Work<'_> = Box::new(move |calls| {
                for _ in 0..calls {
                    let len = black_box(len);
                    // SAFETY: the ground's own memory, and two pieces of it.
                    unsafe {
                        let source = std::slice::from_raw_parts(from, len);
                        heapsight::mem::copy(std::slice::from_raw_parts_mut(to, len), source);
                    }
                    black_box(to);
                }
            });
            let mut works: Vec<_> = call.into_iter().chain([inlined]).collect();
            let times = race(&mut works, self.rounds);
            cells.push(Cell { routine: "inline", len, how: "mem::copy beside memcpy", times });
        }
    }
}

fn moving<'w>(pair: [Move; 2], to: *mut u8, from: *const u8, len: usize) -> [Work<'w>; 2] {
    pair.map(|copy| -> Work<'w> {
        Box::new(move |calls| {
            for _ in 0..calls {
                // SAFETY: the ground's own memory.
                unsafe { copy(to.cast(), from.cast(), black_box(len)) };
            }
        })
    })
}

fn comparing<'w>(pair: [Compare; 2], a: *const u8, b: *const u8, len: usize) -> [Work<'w>; 2] {
    pair.map(|compare| -> Work<'w> {
        Box::new(move |calls| {
            for _ in 0..calls {
                // SAFETY: the ground's own memory.
                black_box(unsafe { compare(a.cast(), b.cast(), black_box(len)) });
            }
        })
    })
}
