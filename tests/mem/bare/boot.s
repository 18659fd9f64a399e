# The first sector of a disk: reads what lies behind it to 64 KiB, enters long mode, allows AVX-512, and
# goes there. CHUNKS is how many times 32 KiB that is.
.intel_syntax noprefix
.code16
.globl _start
_start:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    mov [drive], dl
    sti
1:  mov si, offset packet
    mov ah, 0x42
    mov dl, [drive]
    int 0x13
    jc 9f
    add dword ptr [packet + 8], 64
    add word ptr [packet + 6], 2048
    dec word ptr [chunks]
    jnz 1b
    cli
    in al, 0x92
    or al, 2
    out 0x92, al
    # Tables of pages: 2 MiB each, but for those from 8 MiB on, which are 4 KiB and not there yet.
    xor eax, eax
    mov edi, 0x1000
    mov ecx, 0x1000
    rep stosd
    mov dword ptr [0x1000], 0x2003
    mov dword ptr [0x2000], 0x3003
    mov edi, 0x3000
    mov eax, 0x83
2:  mov [edi], eax
    add eax, 0x200000
    add edi, 8
    cmp edi, 0x4000
    jb 2b
    mov dword ptr [0x3020], 0x4003
    mov eax, 0x40620
    mov cr4, eax
    mov eax, 0x1000
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x100
    wrmsr
    lgdt [table]
    mov eax, 0x80000003
    mov cr0, eax
    .byte 0xea
    .word long_mode, 8
9:  hlt
    jmp 9b
.code64
long_mode:
    mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov rsp, 0x7ffff0
    xor ecx, ecx
    xor edx, edx
    mov eax, 0xe7
    xsetbv
    mov eax, 0x10000
    call rax
3:  hlt
    jmp 3b
.balign 4
packet: .byte 16, 0
    .word 64, 0, 0x1000
    .quad 1
chunks: .word CHUNKS
drive: .byte 0
.balign 8
gdt: .quad 0, 0x00209a0000000000, 0x0000920000000000
table: .word 23
    .long gdt
.org 510
.word 0xaa55
