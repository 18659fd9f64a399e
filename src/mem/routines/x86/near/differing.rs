//! Comparisons: whether there is a difference, no matter where.

/// Zero if they are equal: no branch up to four registers but those that tell sizes apart.
macro_rules! differs {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    cmp rdx, 32
    jb 20f
    vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rsi]
    cmp rdx, 64
    ja 30f
    vmovdqu ymm2, [rdi + rdx - 32]
    vpcmpeqb ymm2, ymm2, [rsi + rdx - 32]
    vpand ymm0, ymm1, ymm2
    vpmovmskb eax, ymm0
    inc eax
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
    vzeroupper
    ret
25: xor eax, eax
    ret
    .p2align 6
30: vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rsi + 32]
    cmp rdx, 128
    jbe 36f
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
    vpand ymm7, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm7, ymm7, ymm5
    vpand ymm0, ymm0, ymm6
    vmovdqu ymm5, [rdi + rdx - 64]
    vpcmpeqb ymm5, ymm5, [rsi + rdx - 64]
    vmovdqu ymm6, [rdi + rdx - 32]
    vpcmpeqb ymm6, ymm6, [rsi + rdx - 32]
    vpand ymm7, ymm7, ymm5
    vpand ymm0, ymm0, ymm6
    vpand ymm0, ymm0, ymm7
    vpmovmskb eax, ymm0
    inc eax
    vzeroupper
    ret
    .p2align 6
36: vmovdqu ymm3, [rdi + rdx - 64]
    vpcmpeqb ymm3, ymm3, [rsi + rdx - 64]
    vmovdqu ymm4, [rdi + rdx - 32]
    vpcmpeqb ymm4, ymm4, [rsi + rdx - 32]
    vpand ymm0, ymm1, ymm2
    vpand ymm3, ymm3, ymm4
    vpand ymm0, ymm0, ymm3
    vpmovmskb eax, ymm0
    inc eax
    vzeroupper
    ret
    // Four registers a turn: the first at the start, then aligned, the last at the end. The loop
    // begins in the middle of a line.
    .p2align 6
    .fill 56, 1, 0xcc
60: vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
    jnz 52f
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
52: vzeroupper
    ret
    // Up to two registers are left.
    .p2align 5
58: vmovdqu ymm4, [rdx + 96]
    vpcmpeqb ymm4, ymm4, [rdx + rsi + 96]
    cmp edi, 96
    jb 56f
    vpmovmskb eax, ymm4
    inc eax
    vzeroupper
    ret
    .p2align 5
56: vmovdqu ymm3, [rdx + 64]
    vpcmpeqb ymm3, ymm3, [rdx + rsi + 64]
    vpand ymm5, ymm3, ymm4
    vpmovmskb eax, ymm5
    inc eax
    vzeroupper
    ret
29: cmp edx, 16
    jae 21f
    cmp edx, 8
    jae 22f
    cmp edx, 4
    jae 23f
    movzx eax, byte ptr [rdi]
    movzx ecx, byte ptr [rdi + rdx - 1]
    xor al, [rsi]
    xor cl, [rsi + rdx - 1]
    shr edx
    movzx r8d, byte ptr [rdi + rdx]
    xor r8b, [rsi + rdx]
    or eax, ecx
    or eax, r8d
    ret
    .p2align 4
21: vmovdqu xmm0, [rdi]
    vpcmpeqb xmm0, xmm0, [rsi]
    vmovdqu xmm1, [rdi + rdx - 16]
    vpcmpeqb xmm1, xmm1, [rsi + rdx - 16]
    vpand xmm0, xmm0, xmm1
    vpmovmskb eax, xmm0
    sub eax, 0xffff
    ret
    .p2align 4
22: mov rax, [rdi]
    mov rcx, [rdi + rdx - 8]
    xor rax, [rsi]
    xor rcx, [rsi + rdx - 8]
    or rcx, rax
    setne al
    movzx eax, al
    ret
    .p2align 4
23: mov eax, [rdi]
    mov ecx, [rdi + rdx - 4]
    xor eax, [rsi]
    xor ecx, [rsi + rdx - 4]
    or eax, ecx
    ret
            ",
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use differs;
