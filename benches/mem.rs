//! The memory routines against the C library's, by criterion: copy, fill, compare, find.
//!
//! The whole picture, with mixtures of sizes, programs and gates, is `compare mem`'s
//! (`benches/compare`), which takes turns within a round.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use heapsight::mem;
use std::hint::black_box;

const SIZES: [usize; 6] = [16, 64, 512, 4096, 65_536, 1 << 20];

fn memory(criterion: &mut Criterion) {
    let source = vec![0xaa_u8; 1 << 20];
    let mut target = vec![0xaa_u8; 1 << 20];
    for size in SIZES {
        let (from, to) = (&source[..size], &mut target[..size]);
        let mut group = criterion.benchmark_group("mem");
        group.throughput(Throughput::Bytes(size as u64));
        let mut both = |name: &str, ours: &mut dyn FnMut(), theirs: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(format!("{name}/heapsight"), size), |bencher| {
                bencher.iter(&mut *ours);
            });
            group.bench_function(BenchmarkId::new(format!("{name}/std"), size), |bencher| {
                bencher.iter(&mut *theirs);
            });
        };
        let (mut own, mut other) = (to.to_vec(), to.to_vec());
        both("copy", &mut || mem::copy(black_box(&mut own), black_box(from)), &mut || {
            black_box(&mut other).copy_from_slice(black_box(from))
        });
        both("fill", &mut || mem::fill(black_box(&mut own), black_box(7)), &mut || {
            black_box(&mut other).fill(black_box(7))
        });
        own.fill(0xaa);
        both("equal", &mut || assert!(mem::equal(black_box(&own), black_box(from))), &mut || {
            assert!(black_box(from) == black_box(&*to))
        });
        both("find", &mut || assert!(mem::find(black_box(from), 1).is_none()), &mut || {
            assert!(!black_box(from).contains(&1))
        });
        group.finish();
    }
}

criterion_group!(benches, memory);
criterion_main!(benches);
