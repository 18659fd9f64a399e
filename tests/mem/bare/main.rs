//! The routines' tests with AVX-512 on a machine without a system, which an emulator is quick to
//! be: says how far they came on port 0xe9, and turns the machine off.
#![no_std]
#![no_main]
#![no_builtins]
#![allow(dead_code, unused_imports, reason = "what the other kinds need")]

extern crate alloc as std;

#[path = "routines/mod.rs"]
mod routines;

use core::alloc::{GlobalAlloc, Layout};
use core::arch::asm;
use core::fmt::{Arguments, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Port(u16);

impl Write for Port {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            // SAFETY: a port that the emulator reads as text.
            unsafe { asm!("out dx, al", in("dx") self.0, in("al") byte) };
        }
        Ok(())
    }
}

/// Says a line.
pub(crate) fn say(line: Arguments<'_>) {
    let _always = writeln!(Port(0xe9), "{line}");
}

fn turn_off() -> ! {
    let _always = Port(0x8900).write_str("Shutdown");
    loop {
        // SAFETY: nothing is left to do.
        unsafe { asm!("hlt") };
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say(format_args!("FAILED: {info}"));
    turn_off()
}

#[unsafe(no_mangle)]
#[unsafe(link_section = ".text.start")]
extern "C" fn start() -> ! {
    routines::tests::run();
    turn_off()
}

/// Blocks of powers of two from 16 MiB on, and a list of free ones for each.
struct Heap {
    next: AtomicUsize,
    free: [AtomicUsize; 32],
}

#[global_allocator]
static HEAP: Heap =
    Heap { next: AtomicUsize::new(16 << 20), free: [const { AtomicUsize::new(0) }; 32] };

fn class(layout: Layout) -> usize {
    let len = layout.size().max(layout.align()).max(16);
    len.next_power_of_two().trailing_zeros() as usize
}

// SAFETY: blocks are as large as asked for, aligned to their size, and on one list or in use.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class(layout);
        let first = self.free[class].load(Relaxed);
        if first == 0 {
            let len = 1 << class;
            let at = self.next.load(Relaxed).next_multiple_of(len);
            self.next.store(at + len, Relaxed);
            assert!(at + len < 62 << 20, "room for blocks");
            return at as *mut u8;
        }
        // SAFETY: a free block holds the address of the next one.
        self.free[class].store(unsafe { *(first as *const usize) }, Relaxed);
        first as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let free = &self.free[class(layout)];
        // SAFETY: the block is the heap's again.
        unsafe { *block.cast::<usize>() = free.load(Relaxed) };
        free.store(block as usize, Relaxed);
    }
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        asm!("rep movsb", inout("rdi") to => _, inout("rsi") from => _, inout("rcx") len => _);
    }
    to
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        if (to as usize).wrapping_sub(from as usize) >= len {
            return memcpy(to, from, len);
        }
        asm!("std", "rep movsb", "cld", inout("rdi") to.wrapping_add(len).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(len).wrapping_sub(1) => _, inout("rcx") len => _);
    }
    to
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        asm!("rep stosb", inout("rdi") to => _, in("al") byte as u8, inout("rcx") len => _);
    }
    to
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    let mut at = 0;
    // SAFETY: the caller's.
    unsafe {
        let words = |at| {
            let word = |from: *const u8| from.wrapping_add(at).cast::<u64>().read_unaligned();
            word(a) == word(b)
        };
        while at + 8 <= len && words(at) {
            at += 8;
        }
        while at < len {
            let (x, y) = (*a.add(at), *b.add(at));
            if x != y {
                return i32::from(x) - i32::from(y);
            }
            at += 1;
        }
    }
    0
}

/// # Safety
/// As C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(a, b, len) }
}
