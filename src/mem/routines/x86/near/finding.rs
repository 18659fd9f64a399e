//! Searches. They take the first or last bytes wherever they lie: what is short is one load.

/// The first byte that is `byte`, or null.
macro_rules! find {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    vmovd xmm0, esi
    test rdx, rdx
    jz 20f
    vpbroadcastb ymm0, xmm0
    mov eax, edi
    and eax, 4095
    cmp eax, 4096 - 32
    ja 40f
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    cmp rdx, 32
    ja 30f
    // None found is 32.
    .p2align 4
21: tzcnt eax, eax
    cmp edx, eax
    jbe 22f
    add rax, rdi
    vzeroupper
    ret
    .p2align 4
30: test eax, eax
    jnz 31f
    // On from the next aligned address.
    mov rax, rdi
    or rdi, 31
    inc rdi
    sub rax, rdi
    add rdx, rax
50: vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    cmp rdx, 32
    jbe 21b
    test eax, eax
    jnz 31f
    vpcmpeqb ymm1, ymm0, [rdi + 32]
    vpmovmskb eax, ymm1
    cmp rdx, 64
    jbe 62f
    test eax, eax
    jnz 63f
    vpcmpeqb ymm1, ymm0, [rdi + 64]
    vpmovmskb eax, ymm1
    cmp rdx, 96
    jbe 64f
    test eax, eax
    jnz 65f
    vpcmpeqb ymm1, ymm0, [rdi + 96]
    vpmovmskb eax, ymm1
    cmp rdx, 128
    jbe 66f
    test eax, eax
    jnz 67f
    // A line of four begins at or before where this ends.
    sub rdi, -128
    add rdx, -128
    mov eax, edi
    and eax, 96
    sub rdi, rax
    add rdx, rax
    cmp rdx, 128
    jbe 50b
    .p2align 6
51: vpcmpeqb ymm1, ymm0, [rdi]
    vpcmpeqb ymm2, ymm0, [rdi + 32]
    vpcmpeqb ymm3, ymm0, [rdi + 64]
    vpcmpeqb ymm4, ymm0, [rdi + 96]
    vpor ymm5, ymm1, ymm2
    vpor ymm6, ymm3, ymm4
    vpor ymm5, ymm5, ymm6
    vpmovmskb eax, ymm5
    test eax, eax
    jnz 52f
    sub rdi, -128
    add rdx, -128
    cmp rdx, 128
    ja 51b
    jmp 50b
52: vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    vpmovmskb eax, ymm2
    test eax, eax
    jnz 63f
    vpmovmskb eax, ymm3
    test eax, eax
    jnz 65f
    vpmovmskb eax, ymm4
67: add rdi, 32
65: add rdi, 32
63: add rdi, 32
    .p2align 4
31: tzcnt eax, eax
    add rax, rdi
    vzeroupper
    ret
66: add rdi, 32
    sub edx, 32
64: add rdi, 32
    sub edx, 32
62: add rdi, 32
    sub edx, 32
    jmp 21b
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
    jbe 22f
    add rax, r8
    vzeroupper
    ret
41: add rdi, 32
    mov rax, rdi
    sub rax, r8
    sub rdx, rax
    ja 50b
    .p2align 4
22: vzeroupper
    .p2align 4
20: xor eax, eax
    ret
            ",
            $last,
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use find;

/// The last byte that is `byte`, or null.
macro_rules! find_last {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    vmovd xmm0, esi
    vpbroadcastb ymm0, xmm0
    cmp rdx, 32
    jb 20f
    vpcmpeqb ymm1, ymm0, [rdi + rdx - 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    // On before the aligned address that is within it.
    lea eax, [rdi + rdx - 1]
    and eax, 31
    sub rdx, rax
    dec rdx
    jz 21f
50: vpcmpeqb ymm1, ymm0, [rdi + rdx - 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    sub rdx, 32
    jbe 21f
    vpcmpeqb ymm1, ymm0, [rdi + rdx - 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    sub rdx, 32
    jbe 21f
    vpcmpeqb ymm1, ymm0, [rdi + rdx - 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    sub rdx, 32
    jbe 21f
    vpcmpeqb ymm1, ymm0, [rdi + rdx - 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    sub rdx, 32
    jbe 21f
    cmp rdx, 128
    jbe 50b
    // A line of four ends at or behind where this begins.
    lea eax, [rdi + rdx]
    neg eax
    and eax, 96
    add rdx, rax
    lea r8, [rdi + rdx]
    lea r9, [rdi + 128]
    .p2align 6
51: vpcmpeqb ymm4, ymm0, [r8 - 128]
    vpcmpeqb ymm3, ymm0, [r8 - 96]
    vpcmpeqb ymm2, ymm0, [r8 - 64]
    vpcmpeqb ymm1, ymm0, [r8 - 32]
    vpor ymm6, ymm3, ymm4
    vpor ymm5, ymm1, ymm2
    vpor ymm5, ymm5, ymm6
    vpmovmskb eax, ymm5
    test eax, eax
    jnz 52f
    add r8, -128
    cmp r8, r9
    ja 51b
    mov rdx, r8
    sub rdx, rdi
    jmp 50b
52: mov rdx, r8
    sub rdx, rdi
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 31f
    vpmovmskb eax, ymm2
    sub rdx, 32
    test eax, eax
    jnz 31f
    vpmovmskb eax, ymm3
    sub rdx, 32
    test eax, eax
    jnz 31f
    vpmovmskb eax, ymm4
    sub rdx, 32
31: lzcnt eax, eax
    sub rdx, rax
    jbe 21f
    lea rax, [rdi + rdx - 1]
    vzeroupper
    ret
20: test edx, edx
    jz 21f
    mov eax, edi
    and eax, 4095
    cmp eax, 4096 - 32
    ja 40f
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    bzhi eax, eax, edx
    test eax, eax
    jz 21f
    lzcnt eax, eax
    xor eax, 31
    add rax, rdi
    vzeroupper
    ret
    // The aligned one that holds the last byte; what comes behind does not count.
40: lea r8, [rdi + rdx - 1]
    mov ecx, r8d
    and ecx, 31
    sub r8, rcx
    inc ecx
    vpcmpeqb ymm1, ymm0, [r8]
    vpmovmskb eax, ymm1
    bzhi eax, eax, ecx
    test eax, eax
    jz 41f
    lzcnt eax, eax
    xor eax, 31
    add rax, r8
    cmp rax, rdi
    jb 21f
    vzeroupper
    ret
41: sub rdx, rcx
    ja 50b
21: vzeroupper
    xor eax, eax
    ret
            ",
            $last,
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use find_last;

/// How many bytes come before the first zero.
macro_rules! length {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    mov eax, edi
    and eax, 4095
    cmp eax, 4096 - 32
    ja 40f
    vpxor xmm0, xmm0, xmm0
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    test eax, eax
    jz 30f
    tzcnt eax, eax
    vzeroupper
    ret
    // The aligned one that holds it; what comes before does not count.
40: mov rsi, rdi
    and rsi, -32
    vpxor xmm0, xmm0, xmm0
    vpcmpeqb ymm1, ymm0, [rsi]
    vpmovmskb eax, ymm1
    shrx eax, eax, edi
    test eax, eax
    jz 30f
    tzcnt eax, eax
    vzeroupper
    ret
    // On from the next aligned address.
30: mov rsi, rdi
    or rdi, 31
    inc rdi
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 60f
    vpcmpeqb ymm1, ymm0, [rdi + 32]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 61f
    vpcmpeqb ymm1, ymm0, [rdi + 64]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 62f
    vpcmpeqb ymm1, ymm0, [rdi + 96]
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 63f
    // A line of four begins at or before where this ends.
    sub rdi, -128
    and rdi, -128
    .p2align 6
51: vmovdqa ymm1, [rdi]
    vpminub ymm2, ymm1, [rdi + 32]
    vmovdqa ymm3, [rdi + 64]
    vpminub ymm4, ymm3, [rdi + 96]
    vpminub ymm5, ymm2, ymm4
    vpcmpeqb ymm5, ymm0, ymm5
    vpmovmskb eax, ymm5
    sub rdi, -128
    test eax, eax
    jz 51b
    add rdi, -128
    vpcmpeqb ymm1, ymm0, ymm1
    vpmovmskb eax, ymm1
    test eax, eax
    jnz 60f
    vpcmpeqb ymm2, ymm0, ymm2
    vpmovmskb eax, ymm2
    test eax, eax
    jnz 61f
    vpcmpeqb ymm3, ymm0, ymm3
    vpmovmskb eax, ymm3
    test eax, eax
    jnz 62f
    vpcmpeqb ymm4, ymm0, ymm4
    vpmovmskb eax, ymm4
63: add rdi, 32
62: add rdi, 32
61: add rdi, 32
60: tzcnt eax, eax
    sub rdi, rsi
    add rax, rdi
    vzeroupper
    ret
            ",
            $last,
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use length;
