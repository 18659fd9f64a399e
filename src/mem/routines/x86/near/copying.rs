//! Copies and fills: every byte of up to eight registers by as many as it takes, overlapping in the
//! middle, all loads before all stores; what is longer, four registers a turn.

/// All loads, then all stores; a loop, between ends that are loaded before and stored behind it,
/// where neither cache nor page is a matter; what is left, elsewhere.
macro_rules! copy {
    ($first:literal, $limits:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    mov rax, rdi
    cmp rdx, 32
    jb 20f
    vmovdqu ymm0, [rsi]
    cmp rdx, 64
    ja 30f
    vmovdqu ymm1, [rsi + rdx - 32]
    vmovdqu [rdi], ymm0
    vmovdqu [rdi + rdx - 32], ymm1
    vzeroupper
    ret
    .p2align 6
20: cmp edx, 16
    jae 21f
    cmp edx, 8
    jae 22f
    cmp edx, 4
    jae 23f
    // Three, two or one: the first, the middle and the last are all.
    test edx, edx
    jz 24f
    movzx r8d, byte ptr [rsi]
    movzx r9d, byte ptr [rsi + rdx - 1]
    mov ecx, edx
    shr ecx
    movzx r10d, byte ptr [rsi + rcx]
    mov [rdi], r8b
    mov [rdi + rcx], r10b
    mov [rdi + rdx - 1], r9b
24: ret
    .p2align 4
21: vmovdqu xmm0, [rsi]
    vmovdqu xmm1, [rsi + rdx - 16]
    vmovdqu [rdi], xmm0
    vmovdqu [rdi + rdx - 16], xmm1
    ret
    .p2align 4
22: mov r8, [rsi]
    mov r9, [rsi + rdx - 8]
    mov [rdi], r8
    mov [rdi + rdx - 8], r9
    ret
    .p2align 4
23: mov r8d, [rsi]
    mov r9d, [rsi + rdx - 4]
    mov [rdi], r8d
    mov [rdi + rdx - 4], r9d
    ret
45: test rcx, rcx
    jnz 60f
    vzeroupper
    ret
            ",
            $last,
            "
    .p2align 6
30: cmp rdx, 256
    ja 40f
    vmovdqu ymm1, [rsi + 32]
    vmovdqu ymm2, [rsi + rdx - 64]
    vmovdqu ymm3, [rsi + rdx - 32]
    cmp edx, 128
    jbe 31f
    vmovdqu ymm4, [rsi + 64]
    vmovdqu ymm5, [rsi + 96]
    vmovdqu ymm6, [rsi + rdx - 128]
    vmovdqu ymm7, [rsi + rdx - 96]
    .p2align 6
    vmovdqu [rdi], ymm0
    vmovdqu [rdi + 32], ymm1
    vmovdqu [rdi + 64], ymm4
    vmovdqu [rdi + 96], ymm5
    vmovdqu [rdi + rdx - 128], ymm6
    vmovdqu [rdi + rdx - 96], ymm7
    vmovdqu [rdi + rdx - 64], ymm2
    vmovdqu [rdi + rdx - 32], ymm3
    vzeroupper
    ret
    .p2align 5
31: vmovdqu [rdi], ymm0
    vmovdqu [rdi + 32], ymm1
    vmovdqu [rdi + rdx - 64], ymm2
    vmovdqu [rdi + rdx - 32], ymm3
    vzeroupper
    ret
    .p2align 6
40: cmp rdx, {small}
    ja 90f
    mov rcx, rdi
    sub rcx, rsi
    cmp rcx, rdx
    jb 45b
    // Loads that look, by their low bits, like what was just stored wait for it.
    test ch, 15
    jz 46f
47: vmovdqu ymm5, [rsi + rdx - 32]
    vmovdqu ymm6, [rsi + rdx - 64]
    vmovdqu ymm7, [rsi + rdx - 96]
    vmovdqu ymm8, [rsi + rdx - 128]
    // The loop ends where the last four begin.
    lea rdx, [rdi + rdx - 128]
    sub rsi, rdi
    or rdi, 31
    inc rdi
    .p2align 6
51: vmovdqu ymm1, [rsi + rdi]
    vmovdqu ymm2, [rsi + rdi + 32]
    vmovdqu ymm3, [rsi + rdi + 64]
    vmovdqu ymm4, [rsi + rdi + 96]
    vmovdqa [rdi], ymm1
    vmovdqa [rdi + 32], ymm2
    vmovdqa [rdi + 64], ymm3
    vmovdqa [rdi + 96], ymm4
    sub rdi, -128
    cmp rdi, rdx
    jb 51b
    .p2align 5
    vmovdqu [rdx + 96], ymm5
    vmovdqu [rdx + 64], ymm6
    vmovdqu [rdx + 32], ymm7
    vmovdqu [rdx], ymm8
    vmovdqu [rax], ymm0
    vzeroupper
    ret
    // Backwards, unless that would overwrite what is still to be read.
    .p2align 6
46: neg rcx
    cmp rcx, rdx
    jb 47b
60: vmovdqu ymm5, [rsi + rdx - 32]
    vmovdqu ymm6, [rsi + 32]
    vmovdqu ymm7, [rsi + 64]
    vmovdqu ymm8, [rsi + 96]
    // The loop ends where the first four end.
    lea rcx, [rdi + rdx]
    sub rsi, rdi
    lea rdx, [rcx - 1]
    and rdx, -32
    sub rdi, -128
    .p2align 6
61: vmovdqu ymm1, [rsi + rdx - 32]
    vmovdqu ymm2, [rsi + rdx - 64]
    vmovdqu ymm3, [rsi + rdx - 96]
    vmovdqu ymm4, [rsi + rdx - 128]
    vmovdqa [rdx - 32], ymm1
    vmovdqa [rdx - 64], ymm2
    vmovdqa [rdx - 96], ymm3
    vmovdqa [rdx - 128], ymm4
    add rdx, -128
    cmp rdx, rdi
    ja 61b
    .p2align 5
    vmovdqu [rax], ymm0
    vmovdqu [rax + 32], ymm6
    vmovdqu [rax + 64], ymm7
    vmovdqu [rax + 96], ymm8
    vmovdqu [rcx - 32], ymm5
    vzeroupper
    ret
90: vzeroupper
            ",
            $limits,
            "jmp {long}",
            ".p2align 6",
            small = const near::SURELY_SMALL,
            long = sym near::long::copy_long,
            $($operands)*
        )
    };
}
pub(crate) use copy;

/// Overlapping stores, or a loop between such at the ends; what is left, elsewhere.
macro_rules! set {
    ($first:literal, $limits:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    mov rax, rdi
    vmovd xmm0, esi
    cmp rdx, 32
    jb 20f
    vpbroadcastb ymm0, xmm0
    cmp rdx, 64
    ja 30f
    vmovdqu [rdi], ymm0
    vmovdqu [rdi + rdx - 32], ymm0
    vzeroupper
    ret
    .p2align 6
20: vpbroadcastb xmm0, xmm0
    cmp edx, 16
    jae 21f
    cmp edx, 8
    jae 22f
    cmp edx, 4
    jae 23f
    test edx, edx
    jz 24f
    mov [rdi], sil
    mov [rdi + rdx - 1], sil
    shr edx
    mov [rdi + rdx], sil
24: ret
    .p2align 4
21: vmovdqu [rdi], xmm0
    vmovdqu [rdi + rdx - 16], xmm0
    ret
    .p2align 4
22: vmovq [rdi], xmm0
    vmovq [rdi + rdx - 8], xmm0
    ret
    .p2align 4
23: vmovd [rdi], xmm0
    vmovd [rdi + rdx - 4], xmm0
    ret
            ",
            $last,
            near::stores!(),
            near::stores_beyond!(),
            "90: vzeroupper",
            $limits,
            "jmp {long}",
            ".p2align 6",
            small = const near::SURELY_SMALL,
            long = sym near::long::set_long,
            $($operands)*
        )
    };
}
pub(crate) use set;
