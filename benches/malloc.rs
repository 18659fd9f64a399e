//! The Rust face against the system allocator: pairs, batches and growth, by criterion.
//!
//! Ratios between allocators in whole programs, and against other allocators, are the business of
//! `benches/compare`.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use heapsight::Heapsight;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

const BATCH: usize = 256;

/// One allocation and its deallocation.
fn pair(allocator: &impl GlobalAlloc, layout: Layout) {
    // SAFETY: the layout is not empty, and the block is freed with it.
    unsafe {
        let block = black_box(allocator.alloc(black_box(layout)));
        allocator.dealloc(block, layout);
    }
}

/// Many allocations, then as many deallocations in reverse.
fn batch(allocator: &impl GlobalAlloc, layout: Layout) {
    // SAFETY: as in `pair`.
    unsafe {
        let blocks: [*mut u8; BATCH] = std::array::from_fn(|_| allocator.alloc(black_box(layout)));
        for block in black_box(blocks).into_iter().rev() {
            allocator.dealloc(block, layout);
        }
    }
}

/// A block that grows from 16 bytes to a mebibyte by doubling.
fn grow(allocator: &impl GlobalAlloc) {
    let mut layout = Layout::new::<[u64; 2]>();
    // SAFETY: as in `pair`.
    unsafe {
        let mut block = allocator.alloc(layout);
        while layout.size() < 1 << 20 {
            let size = layout.size() * 2;
            block = black_box(allocator.realloc(block, layout, size));
            layout = Layout::from_size_align_unchecked(size, layout.align());
        }
        allocator.dealloc(block, layout);
    }
}

fn compare(criterion: &mut Criterion, name: &str, size: usize, run: [&dyn Fn(); 2]) {
    let mut group = criterion.benchmark_group(name);
    for (allocator, run) in ["heapsight", "system"].into_iter().zip(run) {
        group.bench_function(BenchmarkId::new(allocator, size), |bencher| bencher.iter(run));
    }
    group.finish();
}

fn malloc(criterion: &mut Criterion) {
    let heap = Heapsight::new();
    for size in [16, 64, 256, 1024, 8192, 65536] {
        let layout = Layout::from_size_align(size, 8).expect("a layout");
        let runs: [&dyn Fn(); 2] = [&|| pair(&heap, layout), &|| pair(&System, layout)];
        compare(criterion, "pair", size, runs);
        let runs: [&dyn Fn(); 2] = [&|| batch(&heap, layout), &|| batch(&System, layout)];
        compare(criterion, "batch", size, runs);
    }
    compare(criterion, "grow", 1 << 20, [&|| grow(&heap), &|| grow(&System)]);
}

criterion_group!(benches, malloc);
criterion_main!(benches);
