//! Comparisons: which comes first.

/// Four registers of each, from an address and `rsi` behind it on: `eax` is zero if they are equal.
macro_rules! four {
    ($at:literal) => {
        concat!(
            "
    vmovdqu ymm1, [",
            $at,
            "]
    vpcmpeqb ymm1, ymm1, [",
            $at,
            " + rsi]
    vmovdqu ymm2, [",
            $at,
            " + 32]
    vpcmpeqb ymm2, ymm2, [",
            $at,
            " + rsi + 32]
    vmovdqu ymm3, [",
            $at,
            " + 64]
    vpcmpeqb ymm3, ymm3, [",
            $at,
            " + rsi + 64]
    vmovdqu ymm4, [",
            $at,
            " + 96]
    vpcmpeqb ymm4, ymm4, [",
            $at,
            " + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
            "
        )
    };
}
pub(crate) use four;

/// Which comes first? Before a page's end, up to 15 bytes as numbers whose first byte is on top.
macro_rules! compare {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    cmp rdx, 32
    jb 20f
    vmovdqu ymm0, [rdi]
    vpcmpeqb ymm0, ymm0, [rsi]
    vpmovmskb eax, ymm0
    inc eax
    jnz 40f
    cmp rdx, 64
    jbe 37f
    vmovdqu ymm0, [rdi + 32]
    vpcmpeqb ymm0, ymm0, [rsi + 32]
    cmp rdx, 128
    jbe 36f
    vpmovmskb eax, ymm0
    inc eax
    jnz 42f
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rsi + 96]
    cmp rdx, 256
    ja 60f
    vmovdqu ymm5, [rdi + rdx - 128]
    vpcmpeqb ymm5, ymm5, [rsi + rdx - 128]
    vmovdqu ymm6, [rdi + rdx - 96]
    vpcmpeqb ymm6, ymm6, [rsi + rdx - 96]
    vmovdqu ymm1, [rdi + rdx - 64]
    vpcmpeqb ymm1, ymm1, [rsi + rdx - 64]
    vmovdqu ymm2, [rdi + rdx - 32]
    vpcmpeqb ymm2, ymm2, [rsi + rdx - 32]
    vpand ymm7, ymm3, ymm4
    vpand ymm7, ymm7, ymm5
    vpand ymm7, ymm7, ymm6
    vpand ymm7, ymm7, ymm1
    vpand ymm7, ymm7, ymm2
    vpmovmskb eax, ymm7
    inc eax
    jnz 32f
    vzeroupper
    ret
    .p2align 5
37: vmovdqu ymm0, [rdi + rdx - 32]
    vpcmpeqb ymm0, ymm0, [rsi + rdx - 32]
    vpmovmskb eax, ymm0
    inc eax
    jnz 41f
    vzeroupper
    ret
    // Behind so many bytes, one differs: the lowest zero of the mask, or one of the mask and one.
    .p2align 6
42: tzcnt ecx, eax
    movzx eax, byte ptr [rdi + rcx + 32]
    movzx ecx, byte ptr [rsi + rcx + 32]
    sub eax, ecx
    vzeroupper
    ret
41: lea rcx, [rdx - 32]
43: add rdi, rcx
    add rsi, rcx
40: tzcnt ecx, eax
    movzx eax, byte ptr [rdi + rcx]
    movzx ecx, byte ptr [rsi + rcx]
    sub eax, ecx
    vzeroupper
    ret
            ",
            $last,
            "
    // Less than a register: of what differs, the first bits.
    .p2align 6
20: test edx, edx
    jz 25f
    mov eax, edi
    or eax, esi
    and eax, 4095
    cmp eax, 4096 - 32
    ja 29f
    vmovdqu ymm0, [rdi]
    vpcmpeqb ymm0, ymm0, [rsi]
    vpmovmskb eax, ymm0
    not eax
    bzhi eax, eax, edx
    jnz 40b
    vzeroupper
    ret
25: xor eax, eax
    ret
    .p2align 6
36: vmovdqu ymm1, [rdi + rdx - 64]
    vpcmpeqb ymm1, ymm1, [rsi + rdx - 64]
    vmovdqu ymm2, [rdi + rdx - 32]
    vpcmpeqb ymm2, ymm2, [rsi + rdx - 32]
    vpand ymm3, ymm0, ymm1
    vpand ymm3, ymm3, ymm2
    vpmovmskb eax, ymm3
    inc eax
    jnz 31f
    vzeroupper
    ret
    .p2align 5
32: vpmovmskb eax, ymm3
    mov ecx, 64
    inc eax
    jnz 43b
    vpmovmskb eax, ymm4
    mov ecx, 96
    inc eax
    jnz 43b
    vpmovmskb eax, ymm5
    lea rcx, [rdx - 128]
    inc eax
    jnz 43b
    vpmovmskb eax, ymm6
    lea rcx, [rdx - 96]
    inc eax
    jnz 43b
    jmp 33f
31: vpmovmskb eax, ymm0
    mov ecx, 32
    inc eax
    jnz 43b
33: vpmovmskb eax, ymm1
    lea rcx, [rdx - 64]
    inc eax
    jnz 43b
    vpmovmskb eax, ymm2
    lea rcx, [rdx - 32]
    inc eax
    jmp 43b
    // Four registers a turn, aligned, the last at the end. The loop begins in the middle of a line.
    .p2align 6
60: vpand ymm5, ymm3, ymm4
    vpmovmskb eax, ymm5
    inc eax
    jnz 32b
    lea rdx, [rdi + rdx - 128]
    sub rsi, rdi
    sub rdi, -128
    and rdi, -32
    .p2align 5
51:
            ",
            near::four!("rdi"),
            "
    jnz 52f
    sub rdi, -128
    cmp rdi, rdx
    jb 51b
    sub rdi, rdx
    cmp edi, 64
    jae 58f
            ",
            near::four!("rdx"),
            "
    jnz 55f
    vzeroupper
    ret
    // Up to two registers are left.
    .p2align 5
58: vmovdqu ymm4, [rdx + 96]
    vpcmpeqb ymm4, ymm4, [rdx + rsi + 96]
    cmp edi, 96
    jb 56f
    vpmovmskb eax, ymm4
    inc eax
    jnz 57f
    vzeroupper
    ret
    .p2align 5
56: vmovdqu ymm3, [rdx + 64]
    vpcmpeqb ymm3, ymm3, [rdx + rsi + 64]
    vpand ymm5, ymm3, ymm4
    vpmovmskb eax, ymm5
    inc eax
    jnz 59f
    vzeroupper
    ret
57: lea rdi, [rdx + 96]
    jmp 54f
59: lea rdi, [rdx + 64]
    jmp 53f
55: mov rdi, rdx
    .p2align 4
52: vpmovmskb eax, ymm1
    inc eax
    jnz 54f
    vpmovmskb eax, ymm2
    add rdi, 32
    inc eax
    jnz 54f
    add rdi, 32
53: vpmovmskb eax, ymm3
    inc eax
    jnz 54f
    vpmovmskb eax, ymm4
    add rdi, 32
    inc eax
54: tzcnt ecx, eax
    add rdi, rcx
    movzx eax, byte ptr [rdi]
    movzx ecx, byte ptr [rdi + rsi]
    sub eax, ecx
    vzeroupper
    ret
29: cmp edx, 16
    jae 21f
    cmp edx, 8
    jae 22f
    cmp edx, 4
    jae 23f
    cmp edx, 1
    je 24f
    // Two or three: the first two, and below them the last.
    movzx eax, word ptr [rdi]
    movzx ecx, word ptr [rsi]
    bswap eax
    bswap ecx
    shr eax, 1
    shr ecx, 1
    movzx edi, byte ptr [rdi + rdx - 1]
    movzx esi, byte ptr [rsi + rdx - 1]
    or eax, edi
    or ecx, esi
    sub eax, ecx
    ret
24: movzx eax, byte ptr [rdi]
    movzx ecx, byte ptr [rsi]
    sub eax, ecx
    ret
    .p2align 4
23: mov eax, [rdi]
    mov ecx, [rsi]
    cmp eax, ecx
    jne 26f
    mov eax, [rdi + rdx - 4]
    mov ecx, [rsi + rdx - 4]
    cmp eax, ecx
    jne 26f
    xor eax, eax
    ret
    .p2align 4
22: mov rax, [rdi]
    mov rcx, [rsi]
    cmp rax, rcx
    jne 26f
    mov rax, [rdi + rdx - 8]
    mov rcx, [rsi + rdx - 8]
    cmp rax, rcx
    jne 26f
    xor eax, eax
    ret
26: bswap rax
    bswap rcx
    cmp rax, rcx
    sbb eax, eax
    or eax, 1
    ret
    .p2align 4
21: vmovdqu xmm0, [rdi]
    vpcmpeqb xmm0, xmm0, [rsi]
    vpmovmskb eax, xmm0
    sub eax, 0xffff
    jnz 27f
    vmovdqu xmm0, [rdi + rdx - 16]
    vpcmpeqb xmm0, xmm0, [rsi + rdx - 16]
    vpmovmskb eax, xmm0
    sub eax, 0xffff
    jnz 28f
    ret
28: lea rcx, [rdx - 16]
    add rdi, rcx
    add rsi, rcx
27: tzcnt ecx, eax
    movzx eax, byte ptr [rdi + rcx]
    movzx ecx, byte ptr [rsi + rcx]
    sub eax, ecx
    ret
            ",
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use compare;
