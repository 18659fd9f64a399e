//! Threads that help for a moment: the kernel's, which neither libc nor the program knows of.
//!
//! While the world is stopped libc makes no threads: its locks, and the heap that it takes their
//! stacks' bookkeeping from, may be held by somebody who waits. A helper has a stack from the
//! kernel and nothing else of its own: its thread pointer is that of the thread which it helps. It
//! takes no signals.

use super::memory;
use super::syscall::call;
use crate::base::sync::{AtomicU32, Ordering};
use core::arch::asm;
use core::ptr::{self, NonNull};

/// Most threads, this one included. Searches are short, and memory is as fast as it is.
const MOST: usize = 8;
/// Bytes of a helper's stack.
const STACK: usize = 256 << 10;
/// Bytes of a set of signals.
const SET: usize = size_of::<u64>();

type Task<'a> = &'a dyn Fn();

/// Has `task` done by this thread and by helpers at the same time, `most` of them all together at
/// most, and as many as there are processors. Comes back when all are done with it. If the system
/// gives no helpers, this thread does it alone.
///
/// # Safety
/// The task bears being done by several threads at once; it uses no thread-local, no libc, no heap
/// and no lock that knows its owner, does not unwind, and needs less than [`STACK`].
pub(crate) unsafe fn together(most: usize, task: Task<'_>) {
    let mut helpers = [const { None }; MOST - 1];
    let wanted = if most > 1 { most.min(MOST).min(processors()) } else { 1 };
    let (all, mut before) = (u64::MAX, 0u64);
    let masks = [libc::SIG_BLOCK as usize, &raw const all as usize, &raw mut before as usize];
    // SAFETY: the kernel reads a set of signals and writes one.
    unsafe { call(libc::SYS_rt_sigprocmask, [masks[0], masks[1], masks[2], SET, 0, 0]) };
    for helper in helpers.iter_mut().take(wanted - 1) {
        // SAFETY: the caller's; the helpers are waited for below.
        *helper = unsafe { Helper::start(&task) };
    }
    let set = [libc::SIG_SETMASK as usize, &raw const before as usize, 0, SET, 0, 0];
    // SAFETY: as above.
    unsafe { call(libc::SYS_rt_sigprocmask, set) };
    task();
    helpers.iter().flatten().for_each(Helper::wait);
}

/// How many processors this thread may run on.
fn processors() -> usize {
    let mut mask = [0u64; 128];
    let args = [0, size_of_val(&mask), mask.as_mut_ptr() as usize, 0, 0, 0];
    // SAFETY: the kernel writes the mask, which is that long.
    let written = unsafe { call(libc::SYS_sched_getaffinity, args) };
    let ones = mask.iter().map(|word| word.count_ones() as usize).sum::<usize>();
    if written > 0 { ones.max(1) } else { 1 }
}

/// A helper. At the start of its stack's memory is a word that the kernel clears when the helper
/// has ended and uses its stack no more.
struct Helper(NonNull<u8>);

impl Helper {
    /// # Safety
    /// As [`together`], and the helper is waited for before the task ends to exist.
    unsafe fn start(task: &Task<'_>) -> Option<Self> {
        let stack = memory::map_zeroed(STACK)?;
        let helper = Self(stack);
        helper.runs().store(1, Ordering::Relaxed);
        // SAFETY: within the mapping.
        let end = unsafe { stack.add(STACK) };
        let argument = ptr::from_ref(task).cast::<u8>();
        // SAFETY: the stack is new, aligned to a page, and the rest is the caller's.
        if unsafe { clone(end.as_ptr(), helper.runs().as_ptr(), argument) } > 0 {
            return Some(helper);
        }
        // SAFETY: the mapping is ours, and nobody runs on it.
        unsafe { memory::release(stack, STACK) };
        None
    }

    fn runs(&self) -> &AtomicU32 {
        // SAFETY: the first word of a mapping that is there until `wait` is done.
        unsafe { self.0.cast::<AtomicU32>().as_ref() }
    }

    /// Waits for its end.
    fn wait(&self) {
        // Acquire: pairs with the kernel's clearing, which comes behind all that the helper did.
        while self.runs().load(Ordering::Acquire) != 0 {
            let args = [self.0.as_ptr() as usize, libc::FUTEX_WAIT as usize, 1, 0, 0, 0];
            // SAFETY: the kernel compares the word, which is mapped.
            unsafe { call(libc::SYS_futex, args) };
        }
        // SAFETY: the mapping is ours, and the helper has left it.
        unsafe { memory::release(self.0, STACK) };
    }
}

/// What a helper does.
unsafe extern "C" fn help(task: *const u8) {
    // SAFETY: `Helper::start` was given it, and its caller waits.
    let task = unsafe { &*task.cast::<Task<'_>>() };
    task();
}

const FLAGS: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_CHILD_CLEARTID;

/// Starts a thread at [`help`], on a stack that ends at `end`; its id, or the negative of an error.
///
/// # Safety
/// The stack is nobody else's and aligned to 16, and `runs` and `argument` outlive the thread.
unsafe fn clone(end: *mut u8, runs: *mut u32, argument: *const u8) -> isize {
    let result: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the new thread comes out of the call on its own stack, and ends before it could
    // come to what follows here. In this thread the call changes what every call does.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "xor edi, edi",
            "mov eax, {exit}",
            "syscall",
            "ud2",
            "2:",
            exit = const libc::SYS_exit,
            inlateout("rax") libc::SYS_clone as isize => result,
            in("rdi") FLAGS as usize, in("rsi") end, in("rdx") 0usize,
            in("r10") runs, in("r8") 0usize,
            in("r12") argument, in("r13") help as unsafe extern "C" fn(*const u8),
            lateout("rcx") _, lateout("r11") _,
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "mov x0, xzr",
            "mov x8, {exit}",
            "svc 0",
            "brk 1",
            "2:",
            exit = const libc::SYS_exit,
            in("x8") libc::SYS_clone,
            inlateout("x0") FLAGS as isize => result,
            in("x1") end, in("x2") 0usize, in("x3") 0usize, in("x4") runs,
            in("x20") argument, in("x21") help as unsafe extern "C" fn(*const u8),
        );
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sync::AtomicUsize;

    #[test]
    fn a_task_is_done_by_all_and_has_come_to_its_end() {
        let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let task = || {
            begun.fetch_add(1, Ordering::Relaxed);
            // A helper that was not waited for would be seen not to have come this far.
            (0..1000).for_each(|_| core::hint::spin_loop());
            ended.fetch_add(1, Ordering::Relaxed);
        };
        for most in 1..=MOST + 1 {
            for count in [&begun, &ended] {
                count.store(0, Ordering::Relaxed);
            }
            // SAFETY: the task counts.
            unsafe { together(most, &task) };
            let (begun, ended) = (begun.load(Ordering::Relaxed), ended.load(Ordering::Relaxed));
            assert_eq!((begun, ended), (most.min(MOST).min(processors()), begun));
        }
    }
}
