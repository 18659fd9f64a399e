//! Searches from the front. They take the first bytes wherever they lie: what is short is one load.

/// The first byte that is `byte`, or null.
macro_rules! find {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    vmovd xmm0, esi
    test rdx, rdx
    jz 23f
    vpbroadcastb ymm0, xmm0
    lea eax, [rdi + 32]
    test eax, 4096 - 32
    jz 24f
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb ecx, ymm1
    cmp rdx, 32
    jbe 21f
    test ecx, ecx
    jz 30f
20: tzcnt eax, ecx
    add rax, rdi
    vzeroupper
    ret
    // None found is null, without a branch.
    .p2align 6
21: bzhi eax, ecx, edx
    tzcnt ecx, eax
    lea rcx, [rdi + rcx]
    cmovnc rax, rcx
    vzeroupper
    ret
22: vzeroupper
23: xor eax, eax
    ret
24: jmp 40f
            ",
            $last,
            "
    .p2align 6
30: lea eax, [rdi + 128]
    test eax, 4096 - 128
    jz 45f
    vpcmpeqb ymm1, ymm0, [rdi + 32]
    vpcmpeqb ymm2, ymm0, [rdi + 64]
    vpor ymm3, ymm1, ymm2
    vpmovmskb ecx, ymm3
    test ecx, ecx
    jnz 33f
    cmp rdx, 96
    ja 32f
    vzeroupper
    xor eax, eax
    ret
    .p2align 6
32: vpcmpeqb ymm1, ymm0, [rdi + 96]
    vpmovmskb ecx, ymm1
    test ecx, ecx
    jnz 35f
    cmp rdx, 128
    jbe 22b
    // On from the line of four that begins at or before where this ends.
    mov eax, edi
    and eax, 127
    and rdi, -128
    lea rdx, [rdx + rax - 128]
    .p2align 6
50: sub rdi, -128
51: vpcmpeqb ymm1, ymm0, [rdi]
    vpcmpeqb ymm2, ymm0, [rdi + 32]
    vpcmpeqb ymm3, ymm0, [rdi + 64]
    vpcmpeqb ymm4, ymm0, [rdi + 96]
    vpor ymm5, ymm1, ymm2
    vpor ymm6, ymm3, ymm4
    vpor ymm6, ymm5, ymm6
    vpmovmskb ecx, ymm6
    test ecx, ecx
    jnz 52f
    sub rdx, 128
    ja 50b
    vzeroupper
    xor eax, eax
    ret
    // Where in it, and whether that still counts.
    .p2align 6
33: vpmovmskb eax, ymm1
    test eax, eax
    jz 34f
    tzcnt eax, eax
    add rax, 32
    cmp rdx, rax
    jbe 22b
    add rax, rdi
    vzeroupper
    ret
    .p2align 5
34: tzcnt eax, ecx
    add rax, 64
    cmp rdx, rax
    jbe 22b
    add rax, rdi
    vzeroupper
    ret
    .p2align 5
35: tzcnt eax, ecx
    add rax, 96
    cmp rdx, rax
    jbe 22b
    add rax, rdi
    vzeroupper
    ret
    // Two registers are a number of 64 bits: the first one's, or where it has none the other's.
    .p2align 6
52: vpmovmskb eax, ymm5
    test eax, eax
    jz 54f
    vpmovmskb ecx, ymm1
    shl rax, 32
    or rax, rcx
    tzcnt rax, rax
    cmp rdx, rax
    jbe 22b
    add rax, rdi
    vzeroupper
    ret
    .p2align 6
54: vpmovmskb eax, ymm3
    shl rcx, 32
    or rax, rcx
    tzcnt rax, rax
    add rax, 64
    cmp rdx, rax
    jbe 22b
    add rax, rdi
    vzeroupper
    ret
    // The aligned one that holds it; what comes before does not count.
40: mov r8, rdi
    and rdi, -32
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    shrx eax, eax, r8d
    test eax, eax
    jz 41f
    tzcnt eax, eax
    cmp rdx, rax
    jbe 22b
    add rax, r8
    vzeroupper
    ret
41: add rdi, 32
    mov rax, rdi
    sub rax, r8
    sub rdx, rax
    ja 46f
    jmp 22b
    // One by one up to where a line of four begins.
45: mov rax, rdi
    or rdi, 31
    inc rdi
    sub rax, rdi
    add rdx, rax
46: test dil, 127
    jz 51b
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb ecx, ymm1
    cmp rdx, 32
    jbe 21b
    test ecx, ecx
    jnz 20b
    add rdi, 32
    sub rdx, 32
    jmp 46b
            ",
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use find;

/// How many bytes come before the first zero.
macro_rules! length {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    vpxor xmm0, xmm0, xmm0
    mov ecx, edi
    and ecx, 4095
    cmp ecx, 4096 - 32
    ja 40f
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    mov rsi, rdi
    test eax, eax
    jz 30f
    tzcnt eax, eax
    vzeroupper
    ret
    .p2align 6
33: tzcnt eax, eax
    add eax, 32
    vzeroupper
    ret
34: tzcnt eax, eax
    add eax, 64
    vzeroupper
    ret
35: tzcnt eax, eax
    add eax, 96
    vzeroupper
    ret
36: tzcnt eax, eax
    sub eax, -128
    vzeroupper
    ret
            ",
            $last,
            "
    // Not where a page ends soon.
    .p2align 6
30: cmp ch, 15
    je 46f
    vpcmpeqb ymm1, ymm0, [rdi + 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 33b
    vpcmpeqb ymm1, ymm0, [rdi + 64]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 34b
    vpcmpeqb ymm1, ymm0, [rdi + 96]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 35b
    sub rdi, -128
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 36b
    // On from the line of four that begins at or before where this ends.
    add rdi, 32
    and rdi, -128
51: vmovdqa ymm1, [rdi]
    vpminub ymm2, ymm1, [rdi + 32]
    vmovdqa ymm3, [rdi + 64]
    vpminub ymm4, ymm3, [rdi + 96]
    vpminub ymm5, ymm2, ymm4
    vpcmpeqb ymm5, ymm0, ymm5
    vpmovmskb ecx, ymm5
    sub rdi, -128
    test ecx, ecx
    jz 51b
    sub rdi, rsi
    vpcmpeqb ymm1, ymm0, ymm1
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 60f
    vpcmpeqb ymm2, ymm0, ymm2
    vpmovmskb eax, ymm2
    test eax, eax
    jnz 61f
    // Two registers are a number of 64 bits: the first one's, or where it has none the other's.
    vpcmpeqb ymm3, ymm0, ymm3
    vpmovmskb eax, ymm3
    shl rcx, 32
    or rax, rcx
    tzcnt rax, rax
    lea rax, [rdi + rax - 64]
    vzeroupper
    ret
    .p2align 5
60: tzcnt eax, eax
    lea rax, [rdi + rax - 128]
    vzeroupper
    ret
    .p2align 4
61: tzcnt eax, eax
    lea rax, [rdi + rax - 96]
    vzeroupper
    ret
    // The aligned one that holds it; what comes before does not count.
    .p2align 5
40: mov rsi, rdi
    and rdi, -32
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    shrx eax, eax, esi
    test eax, eax
    jz 46f
    tzcnt eax, eax
    vzeroupper
    ret
    // One by one up to where a line of four begins.
    .p2align 5
46: or rdi, 31
    inc rdi
    test dil, 127
    jz 51b
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    test eax, eax
    jz 46b
    tzcnt eax, eax
    add rax, rdi
    sub rax, rsi
    vzeroupper
    ret
            ",
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use length;
