//! The stores of a fill of more than two registers: those of a byte ([`super::copying`]) and those
//! of a pattern ([`super::filling`]) differ in what comes before. `ymm0` is full of it, `rdi` the
//! target, and `rdx` its length.

/// Overlapping stores; at 90, which follows, what is longer than `small`.
macro_rules! stores {
    () => {
        "
    .p2align 6
30: vmovdqu [rdi], ymm0
    vmovdqu [rdi + 32], ymm0
    cmp rdx, 128
    jbe 31f
    vmovdqu [rdi + 64], ymm0
    vmovdqu [rdi + 96], ymm0
    cmp rdx, 256
    jbe 32f
    cmp rdx, {small}
    ja 90f
        "
    };
}
pub(crate) use stores;

/// A loop for what is longer than eight registers, and the ends of what is not.
macro_rules! stores_beyond {
    () => {
        "
    // The loop ends where the last four begin.
    lea rdx, [rdi + rdx - 128]
    sub rdi, -128
    and rdi, -32
    .p2align 6
51: vmovdqa [rdi], ymm0
    vmovdqa [rdi + 32], ymm0
    vmovdqa [rdi + 64], ymm0
    vmovdqa [rdi + 96], ymm0
    sub rdi, -128
    cmp rdi, rdx
    jb 51b
    vmovdqu [rdx], ymm0
    vmovdqu [rdx + 32], ymm0
    vmovdqu [rdx + 64], ymm0
    vmovdqu [rdx + 96], ymm0
    vzeroupper
    ret
    .p2align 6
31: vmovdqu [rdi + rdx - 64], ymm0
    vmovdqu [rdi + rdx - 32], ymm0
    vzeroupper
    ret
    .p2align 5
32: vmovdqu [rdi + rdx - 128], ymm0
    vmovdqu [rdi + rdx - 96], ymm0
    vmovdqu [rdi + rdx - 64], ymm0
    vmovdqu [rdi + rdx - 32], ymm0
    vzeroupper
    ret
        "
    };
}
pub(crate) use stores_beyond;
