//! Signals that interrupt captures themselves.

use crate::budget::budget;
use crate::hook;
use crate::shapes;
use std::ffi::c_int;
use std::sync::atomic::Ordering;

extern "C" fn interrupt(_: c_int) {
    hook::hook();
}

#[test]
fn a_handler_that_interrupts_a_capture_gets_its_own_stack() {
    let action = libc::sigaction {
        sa_sigaction: interrupt as extern "C" fn(c_int) as usize,
        // SAFETY: an empty set is all zeros.
        sa_mask: unsafe { std::mem::zeroed() },
        sa_flags: libc::SA_RESTART,
        sa_restorer: None,
    };
    // SAFETY: the handler captures stacks, which may be done anywhere.
    unsafe { libc::sigaction(libc::SIGURG, &raw const action, std::ptr::null_mut()) };
    let (sender, receiver) = std::sync::mpsc::channel();
    let walker = std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
        // A first comparison allocates, which no handler may on top of libc's malloc.
        hook::hook();
        // SAFETY: always possible.
        sender.send(unsafe { libc::pthread_self() }).expect("a receiver");
        shapes::walk(77, budget().walk / 2, 30, true);
    });
    let (walker, thread) = (walker.expect("a thread"), receiver.recv().expect("a thread"));
    while !walker.is_finished() {
        // SAFETY: the thread has not been joined.
        unsafe { libc::pthread_kill(thread, libc::SIGURG) };
        std::thread::sleep(std::time::Duration::from_micros(100));
    }
    walker.join().expect("agreement");
    let re_entered = hook::REENTERED.load(Ordering::Relaxed);
    assert!(re_entered > 0 || cfg!(debug_assertions), "no capture was interrupted");
    crate::say_counts("re-entry");
}
