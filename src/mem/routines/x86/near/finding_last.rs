//! The search from the back. All of its bytes may be read, in whatever order.

/// The last byte that is `byte`, or null.
macro_rules! find_last {
    ($first:literal, $last:literal, $($operands:tt)*) => {
        core::arch::naked_asm!(
            $first,
            "
    vmovd xmm0, esi
    vpbroadcastb ymm0, xmm0
    cmp rdx, 32
    jbe 21f
    lea rax, [rdi + rdx - 1]
    vpcmpeqb ymm1, ymm0, [rax - 31]
    vpmovmskb ecx, ymm1
    lzcnt ecx, ecx
    jc 30f
    sub rax, rcx
    vzeroupper
    ret
    // None found is null, without a branch.
    .p2align 6
21: test edx, edx
    jz 22f
    lea eax, [rdi + 32]
    test eax, 4096 - 32
    jz 40f
    vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    bzhi eax, eax, edx
    lzcnt ecx, eax
    not rcx
    lea rcx, [rdi + rcx + 32]
    cmovnc rax, rcx
    vzeroupper
    ret
            ",
            $last,
            "
    .p2align 6
30: cmp rdx, 64
    jbe 31f
    vpcmpeqb ymm1, ymm0, [rax - 63]
    cmp rdx, 128
    ja 35f
    vpcmpeqb ymm2, ymm0, [rdi + 32]
    vpcmpeqb ymm3, ymm0, [rdi]
    vpor ymm4, ymm1, ymm2
    vpor ymm4, ymm3, ymm4
    vpmovmskb ecx, ymm4
    test ecx, ecx
    jnz 32f
22: vzeroupper
    xor eax, eax
    ret
    .p2align 6
31: vpcmpeqb ymm1, ymm0, [rdi]
    vpmovmskb eax, ymm1
    xor esi, esi
    lzcnt eax, eax
    not rax
    lea rax, [rdi + rax + 32]
    cmovc rax, rsi
    vzeroupper
    ret
    .p2align 6
35: vpcmpeqb ymm2, ymm0, [rax - 95]
    vpcmpeqb ymm3, ymm0, [rax - 127]
    vpor ymm4, ymm1, ymm2
    vpor ymm4, ymm3, ymm4
    vpmovmskb ecx, ymm4
    test ecx, ecx
    jnz 36f
    // On from the line of four that ends at or behind where this begins.
    and rax, -128
    .p2align 6
51: add rax, -128
    vpcmpeqb ymm1, ymm0, [rax + 96]
    vpcmpeqb ymm2, ymm0, [rax + 64]
    vpcmpeqb ymm3, ymm0, [rax + 32]
    vpcmpeqb ymm4, ymm0, [rax]
    vpor ymm5, ymm1, ymm2
    vpor ymm6, ymm3, ymm4
    vpor ymm6, ymm5, ymm6
    vpmovmskb ecx, ymm6
    test ecx, ecx
    jnz 52f
    cmp rax, rdi
    ja 51b
    vzeroupper
    xor eax, eax
    ret
    .p2align 6
32: vpmovmskb esi, ymm1
    test esi, esi
    jnz 37f
    vpmovmskb eax, ymm2
    shl rax, 32
    or rax, rcx
    lzcnt rax, rax
    xor eax, 63
    add rax, rdi
    vzeroupper
    ret
    .p2align 6
36: vpmovmskb esi, ymm1
    test esi, esi
    jz 38f
37: lzcnt esi, esi
    sub rax, rsi
    sub rax, 32
    vzeroupper
    ret
    .p2align 5
38: vpmovmskb esi, ymm2
    shl rsi, 32
    or rcx, rsi
    lzcnt rcx, rcx
    sub rax, rcx
    sub rax, 64
    vzeroupper
    ret
    .p2align 6
52: vpmovmskb edx, ymm5
    test edx, edx
    jz 53f
    vpmovmskb ecx, ymm1
    shl rcx, 32
    or rcx, rdx
    add rax, 64
    jmp 54f
53: vpmovmskb edx, ymm3
    shl rdx, 32
    or rcx, rdx
54: lzcnt rcx, rcx
    xor ecx, 63
    add rax, rcx
    cmp rax, rdi
    jb 22b
    vzeroupper
    ret
    // The aligned one that holds the last byte; what comes behind does not count.
    // The aligned one that holds the last byte; what comes behind does not count.
40: lea rax, [rdi + rdx - 1]
    mov r8, rax
    and r8, -32
    inc eax
    vpcmpeqb ymm1, ymm0, [r8]
    vpmovmskb ecx, ymm1
    and eax, 31
    jz 42f
    bzhi ecx, ecx, eax
42: test ecx, ecx
    jnz 44f
    cmp r8, rdi
    jbe 22b
    sub r8, 32
    vpcmpeqb ymm1, ymm0, [r8]
    vpmovmskb ecx, ymm1
    test ecx, ecx
    jz 22b
44: lzcnt ecx, ecx
    xor ecx, 31
    lea rax, [r8 + rcx]
    cmp rax, rdi
    jb 22b
    vzeroupper
    ret
            ",
            ".p2align 6",
            $($operands)*
        )
    };
}
pub(crate) use find_last;
