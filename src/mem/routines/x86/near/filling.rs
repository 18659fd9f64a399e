//! Fills with a pattern of eight bytes, a whole number of times: the same stores as those of a byte
//! ([`super::copying`]). What ends within a pattern, or begins within one and is long, goes
//! elsewhere, for the pattern turns there.

/// Overlapping stores, or a loop between such at the ends; what is left, elsewhere.
macro_rules! fill {
    ($($first:literal)+, $limits:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $($first,)+
            "
    mov rax, rdi
    vmovq xmm0, rsi
    test dl, 7
    jnz 80f
    cmp rdx, 32
    jb 20f
    vpbroadcastq ymm0, xmm0
    cmp rdx, 64
    ja 30f
    vmovdqu [rdi], ymm0
    vmovdqu [rdi + rdx - 32], ymm0
    vzeroupper
    ret
    .p2align 6
20: cmp edx, 8
    ja 21f
    jb 24f
    mov [rdi], rsi
24: ret
    .p2align 4
21: mov [rdi], rsi
    mov [rdi + 8], rsi
    mov [rdi + rdx - 8], rsi
    ret
            ",
            $last,
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
    ja 79f
    test dil, 7
    jnz 79f
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
79: vzeroupper
80:
            ",
            $limits,
            "jmp {generic}",
            ".p2align 6",
            small = const near::SURELY_SMALL,
            generic = sym near::long::fill,
            $($operands)*
        )
    };
}
pub(crate) use fill;
