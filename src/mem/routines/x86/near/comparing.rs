//! Comparisons.

/// Which comes first? Up to 15 bytes as numbers whose first byte is on top.
macro_rules! compare {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    cmp rdx, 32
    jb 20f
    cmp rdx, 128
    ja 50f
    vmovdqu ymm0, [rdi]
    vpcmpeqb ymm0, ymm0, [rsi]
    vpmovmskb eax, ymm0
    inc eax
    jnz 40f
    cmp edx, 64
    ja 30f
    vmovdqu ymm0, [rdi + rdx - 32]
    vpcmpeqb ymm0, ymm0, [rsi + rdx - 32]
    vpmovmskb eax, ymm0
    inc eax
    jnz 41f
    vzeroupper
    ret
    .p2align 4
30: vmovdqu ymm0, [rdi + 32]
    vpcmpeqb ymm0, ymm0, [rsi + 32]
    vmovdqu ymm1, [rdi + rdx - 64]
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
    // Behind so many bytes, one differs: the lowest zero of the mask, or one of the mask and one.
    .p2align 4
31: vpmovmskb eax, ymm0
    mov ecx, 32
    inc eax
    jnz 43f
    vpmovmskb eax, ymm1
    lea rcx, [rdx - 64]
    inc eax
    jnz 43f
    vpmovmskb eax, ymm2
    lea rcx, [rdx - 32]
    inc eax
    jmp 43f
41: lea rcx, [rdx - 32]
43: add rdi, rcx
    add rsi, rcx
40: tzcnt ecx, eax
    movzx eax, byte ptr [rdi + rcx]
    movzx ecx, byte ptr [rsi + rcx]
    sub eax, ecx
    vzeroupper
    ret
    // Less than a register: of what differs, the first bits.
    .p2align 4
20: mov eax, edx
    test edx, edx
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
25: ret
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
    // Four registers a turn: the first at the start, then aligned, the last at the end.
50: sub rsi, rdi
    lea r8, [rdi + rdx - 128]
    vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rdi + rsi]
    vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rdi + rsi + 32]
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rdi + rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rdi + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
    jnz 52f
    cmp rdx, 256
    jbe 55f
    sub rdi, -128
    and rdi, -32
    .p2align 6
51: vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rdi + rsi]
    vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rdi + rsi + 32]
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rdi + rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rdi + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
    jnz 52f
    sub rdi, -128
    cmp rdi, r8
    jb 51b
55: mov rdi, r8
    vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rdi + rsi]
    vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rdi + rsi + 32]
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rdi + rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rdi + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
    jz 53f
52: vpmovmskb eax, ymm1
    inc eax
    jnz 54f
    vpmovmskb eax, ymm2
    add rdi, 32
    inc eax
    jnz 54f
    vpmovmskb eax, ymm3
    add rdi, 32
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
53: vzeroupper
    ret
            ",
            $last,
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use compare;

/// Zero if they are equal: no branch up to four registers but those that tell sizes apart.
macro_rules! differs {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    cmp rdx, 32
    jb 20f
    cmp rdx, 64
    ja 30f
    vmovdqu ymm0, [rdi]
    vpcmpeqb ymm0, ymm0, [rsi]
    vmovdqu ymm1, [rdi + rdx - 32]
    vpcmpeqb ymm1, ymm1, [rsi + rdx - 32]
    vpand ymm0, ymm0, ymm1
    vpmovmskb eax, ymm0
    inc eax
    vzeroupper
    ret
    // Less than a register: of what differs, the first bits.
    .p2align 4
20: mov eax, edi
    or eax, esi
    and eax, 4095
    cmp eax, 4096 - 32
    ja 29f
    test edx, edx
    jz 25f
    vmovdqu ymm0, [rdi]
    vpcmpeqb ymm0, ymm0, [rsi]
    vpmovmskb eax, ymm0
    not eax
    bzhi eax, eax, edx
    vzeroupper
    ret
25: xor eax, eax
    ret
29: cmp edx, 16
    jae 21f
    cmp edx, 8
    jae 22f
    cmp edx, 4
    jae 23f
    mov eax, edx
    test edx, edx
    jz 24f
    movzx eax, byte ptr [rdi]
    movzx ecx, byte ptr [rdi + rdx - 1]
    xor al, [rsi]
    xor cl, [rsi + rdx - 1]
    shr edx
    movzx r8d, byte ptr [rdi + rdx]
    xor r8b, [rsi + rdx]
    or eax, ecx
    or eax, r8d
24: ret
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
    .p2align 4
30: cmp rdx, 128
    ja 50f
    vmovdqu ymm0, [rdi]
    vpcmpeqb ymm0, ymm0, [rsi]
    vmovdqu ymm1, [rdi + 32]
    vpcmpeqb ymm1, ymm1, [rsi + 32]
    vmovdqu ymm2, [rdi + rdx - 64]
    vpcmpeqb ymm2, ymm2, [rsi + rdx - 64]
    vmovdqu ymm3, [rdi + rdx - 32]
    vpcmpeqb ymm3, ymm3, [rsi + rdx - 32]
    vpand ymm0, ymm0, ymm1
    vpand ymm2, ymm2, ymm3
    vpand ymm0, ymm0, ymm2
    vpmovmskb eax, ymm0
    inc eax
    vzeroupper
    ret
    // Four registers a turn: the first at the start, then aligned, the last at the end.
50: sub rsi, rdi
    lea r8, [rdi + rdx - 128]
    vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rdi + rsi]
    vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rdi + rsi + 32]
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rdi + rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rdi + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
    jnz 52f
    cmp rdx, 256
    jbe 55f
    sub rdi, -128
    and rdi, -32
    .p2align 6
51: vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rdi + rsi]
    vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rdi + rsi + 32]
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rdi + rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rdi + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
    jnz 52f
    sub rdi, -128
    cmp rdi, r8
    jb 51b
55: mov rdi, r8
    vmovdqu ymm1, [rdi]
    vpcmpeqb ymm1, ymm1, [rdi + rsi]
    vmovdqu ymm2, [rdi + 32]
    vpcmpeqb ymm2, ymm2, [rdi + rsi + 32]
    vmovdqu ymm3, [rdi + 64]
    vpcmpeqb ymm3, ymm3, [rdi + rsi + 64]
    vmovdqu ymm4, [rdi + 96]
    vpcmpeqb ymm4, ymm4, [rdi + rsi + 96]
    vpand ymm5, ymm1, ymm2
    vpand ymm0, ymm3, ymm4
    vpand ymm5, ymm5, ymm0
    vpmovmskb eax, ymm5
    inc eax
52: vzeroupper
    ret
            ",
            $last,
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use differs;
