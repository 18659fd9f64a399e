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
            near::stores!(),
            "
    test dil, 7
    jnz 90f
            ",
            near::stores_beyond!(),
            "
90: vzeroupper
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
