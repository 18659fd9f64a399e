//! The signal that asks a thread to wait, and its handler.
//!
//! ```text
//!   checker: slot is ASKED ──signal(ticket, slot)──▶ thread: FILLING, tells where it is, PARKED
//!            waits for PARKED ◀──────────────────────────────┘  waits while the ticket is valid
//!            reads, marks; the ticket ends ────────────────────▶ goes on
//! ```
//!
//! The signal is SIGURG: debuggers pass it on without a word, and to a process without a handler
//! for it nothing happens, so that one which comes late does no harm. Where the program has a
//! handler for it, a free real-time signal serves.
//!
//! The same handler hears of requests from outside ([`crate::runtime::ask`]): of those it is told
//! by a signal that some other process has sent, or the end of one.
//!
//! A slot's word holds ticket and phase: whoever answers an old ticket, or one that was given up,
//! finds another word and touches nothing. Slots are never unmapped.

use super::alternate_stack;
use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::leak::world::{RED_ZONE, Thread};
use crate::os::{futex, memory, tasks, thread};
use crate::runtime::ask;
use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_int, c_void};
use core::{mem, ptr};

/// Changes with every world stopped, and again when it goes on: odd while it is stopped.
static TICKET: AtomicUsize = AtomicUsize::new(0);
/// How many threads have parked; the checker sleeps on it.
static PARKED: AtomicUsize = AtomicUsize::new(0);
/// [`Slot::COUNT`] slots, once there are any.
static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());

/// Where a thread tells where it is.
#[derive(Debug)]
pub(super) struct Slot {
    /// Ticket and phase.
    state: AtomicUsize,
    thread: UnsafeCell<Thread>,
}

/// Phases of a slot.
const ASKED: usize = 1;
const FILLING: usize = 2;
const FULL: usize = 3;
const GIVEN_UP: usize = 0;

const fn state_of(ticket: usize, phase: usize) -> usize {
    ticket << 2 | phase
}

/// Bits of the signal's value that are the slot's number; the others are the ticket's.
const NUMBER_BITS: u32 = 16;
/// How long the checker sleeps at most before it looks again.
const STEP_NS: u32 = 500_000;

impl Slot {
    /// The most threads that are asked.
    pub(super) const COUNT: usize = 1 << NUMBER_BITS;
}

/// The time in which threads wait. Dropping it lets them go on.
#[derive(Debug)]
pub(super) struct Round {
    ticket: usize,
    slots: *const Slot,
    signal: c_int,
    before: libc::sigaction,
    /// Somebody was asked who may answer later.
    is_owed: Cell<bool>,
}

impl Round {
    /// Installs the handler. `None`: no memory, or no signal that is free.
    pub(super) fn begin() -> Option<Self> {
        let slots = slots()?;
        let (signal, before) = take_signal()?;
        let ticket = TICKET.load(Ordering::Relaxed) + 1;
        TICKET.store(ticket, Ordering::SeqCst);
        Some(Self { ticket, slots, signal, before, is_owed: Cell::new(false) })
    }

    pub(super) fn signal(&self) -> c_int {
        self.signal
    }

    fn slot(&self, number: usize) -> &Slot {
        debug_assert!(number < Slot::COUNT);
        // SAFETY: there are that many slots, for ever.
        unsafe { &*self.slots.add(number) }
    }

    /// Asks a thread to park. `false`: there is no such thread.
    pub(super) fn ask(&self, number: usize, id: u32) -> bool {
        self.slot(number).state.store(state_of(self.ticket, ASKED), Ordering::Release);
        tasks::signal(id, self.signal, self.ticket << NUMBER_BITS | number)
    }

    pub(super) fn is_parked(&self, number: usize) -> bool {
        self.slot(number).state.load(Ordering::Acquire) == state_of(self.ticket, FULL)
    }

    /// Stops waiting for an answer. `false`: it is just coming.
    pub(super) fn give_up(&self, number: usize) -> bool {
        let (asked, given_up) = (state_of(self.ticket, ASKED), state_of(self.ticket, GIVEN_UP));
        let state = &self.slot(number).state;
        let is_done =
            state.compare_exchange(asked, given_up, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        self.is_owed.set(self.is_owed.get() || is_done);
        is_done
    }

    /// What a parked thread has told.
    pub(super) fn thread(&self, number: usize) -> Thread {
        debug_assert!(self.is_parked(number));
        // SAFETY: the slot is full, and the thread that filled it waits.
        unsafe { *self.slot(number).thread.get() }
    }

    /// Waits a moment, at most until the next thread has parked.
    pub(super) fn wait(&self) {
        let parked = PARKED.load(Ordering::Acquire);
        futex::wait_for(&PARKED, parked, STEP_NS);
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        TICKET.store(self.ticket + 1, Ordering::SeqCst);
        futex::wake_all(&TICKET);
        // Without a handler a real-time signal that comes late ends the process.
        let may_kill = self.is_owed.get() && self.signal != libc::SIGURG;
        // What the program has put in place meanwhile stays.
        if !may_kill && action_of(self.signal).is_some_and(|action| action.sa_sigaction == ours()) {
            set_action(self.signal, &self.before);
        }
    }
}

fn slots() -> Option<*const Slot> {
    let mut slots = SLOTS.load(Ordering::Acquire);
    if slots.is_null() {
        // All-zero is a slot of no ticket. Only who holds the lock of the stopping gets here.
        slots = memory::map_zeroed(Slot::COUNT * size_of::<Slot>())?.as_ptr().cast();
        SLOTS.store(slots, Ordering::Release);
    }
    Some(slots)
}

/// Whether the world is being stopped, or stands still.
pub(in crate::runtime) fn is_stopping() -> bool {
    TICKET.load(Ordering::SeqCst) & 1 == 1
}

// --- Which signal ---

/// Has the handler in place for good, so that a process that sleeps hears of requests. `None`: the
/// program has one of its own.
pub(in crate::runtime) fn listen() -> Option<c_int> {
    let action = action_of(libc::SIGURG)?;
    if action.sa_sigaction == libc::SIG_DFL {
        install(libc::SIGURG);
    }
    [libc::SIG_DFL, ours()].contains(&action.sa_sigaction).then_some(libc::SIGURG)
}

/// Puts our handler in place of nobody's; the signal, and what was there.
fn take_signal() -> Option<(c_int, libc::sigaction)> {
    let realtime = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev();
    let (signal, before) = [libc::SIGURG].into_iter().chain(realtime).find_map(|signal| {
        let action = action_of(signal)?;
        // Ours is there from the last time if an answer may still come.
        let is_free = [libc::SIG_DFL, ours()].contains(&action.sa_sigaction);
        is_free.then_some((signal, action))
    })?;
    install(signal);
    Some((signal, before))
}

/// Whether [`listen`] still holds good.
pub(in crate::runtime) fn is_listening() -> bool {
    action_of(libc::SIGURG).is_some_and(|action| action.sa_sigaction == ours())
}

fn install(signal: c_int) {
    // SAFETY: all-zero is an action with an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = ours();
    // On the alternate stack, if there is one: the other may be small, as a coroutine's is.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: fills a mask of ours. Another handler on top of a waiting one would wait, too.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    set_action(signal, &action);
}

fn ours() -> libc::sighandler_t {
    on_signal as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as libc::sighandler_t
}

fn action_of(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: all-zero is an action, and libc fills it.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: asks only.
    let result = unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
    (result == 0).then_some(action)
}

fn set_action(signal: c_int, action: &libc::sigaction) {
    // SAFETY: the handler is ours or was the program's, and the signal one that can be handled.
    unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

// --- In the thread that is asked ---

/// Async-signal-safe: system calls, and no word of `errno`.
extern "C" fn on_signal(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes both to a handler with SA_SIGINFO.
    let (info, context) = unsafe { (&*info, context.cast::<libc::ucontext_t>()) };
    if info.si_code != libc::SI_QUEUE {
        // SAFETY: the kernel's context, and libc's own thread-local, which is always there.
        unsafe {
            let errno = *libc::__errno_location();
            ask::signalled(|| interrupted(context));
            *libc::__errno_location() = errno;
        }
        return;
    }
    // SAFETY: a queued signal carries a value.
    let value = unsafe { info.si_value() }.sival_ptr as usize;
    let (ticket, number) = (value >> NUMBER_BITS, value & (Slot::COUNT - 1));
    let slots = SLOTS.load(Ordering::Acquire);
    if TICKET.load(Ordering::SeqCst) != ticket || slots.is_null() {
        return;
    }
    // SAFETY: there are that many slots, for ever.
    let slot = unsafe { &*slots.add(number) };
    let (asked, filling) = (state_of(ticket, ASKED), state_of(ticket, FILLING));
    if slot.state.compare_exchange(asked, filling, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return;
    }
    // SAFETY: the slot is ours to fill, and the context that of the interrupted code.
    unsafe { *slot.thread.get() = interrupted(context) };
    slot.state.store(state_of(ticket, FULL), Ordering::Release);
    PARKED.fetch_add(1, Ordering::Release);
    futex::wake_one(&PARKED);
    while TICKET.load(Ordering::SeqCst) == ticket {
        futex::wait(&TICKET, ticket);
    }
}

/// Where the kernel has put the vector registers, which begins as FXSAVE lays them out and tells in
/// itself whether there is more, and how much.
///
/// # Safety
/// `start` is that of a handler's context, or zero.
#[cfg(target_arch = "x86_64")]
unsafe fn vectors(start: usize) -> (usize, usize) {
    const FXSAVE: usize = 512;
    const MAGIC: (usize, u32) = (464, 0x4650_5853);
    const WHOLE: usize = 468;
    if start == 0 {
        return (0, 0);
    }
    // SAFETY: both words are in what every processor saves.
    let word = |at: usize| unsafe { ptr::with_exposed_provenance::<u32>(start + at).read() };
    let is_more = word(MAGIC.0) == MAGIC.1;
    (start, start + if is_more { word(WHOLE) as usize } else { FXSAVE })
}

/// # Safety
/// `context` is what the kernel has passed to a handler of this thread.
unsafe fn interrupted(context: *const libc::ucontext_t) -> Thread {
    let mut told = Thread::unknown(thread::id());
    told.is_stopped = true;
    told.pointer = thread::token();
    told.alternate = alternate_stack();
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: the caller's.
        let registers = unsafe { &(*context).uc_mcontext.gregs };
        told.sp = registers[libc::REG_RSP as usize] as usize - RED_ZONE;
        told.fp = registers[libc::REG_RBP as usize] as usize;
        told.pc = registers[libc::REG_RIP as usize] as usize;
        let range = registers.as_ptr_range();
        told.registers = (range.start as usize, range.end as usize);
        // SAFETY: the caller's.
        told.vectors = unsafe { vectors((*context).uc_mcontext.fpregs as usize) };
    }
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: the caller's.
        let machine = unsafe { &(*context).uc_mcontext };
        told.sp = machine.sp as usize;
        told.fp = machine.regs[29] as usize;
        told.pc = machine.pc as usize;
        let range = machine.regs.as_ptr_range();
        told.registers = (range.start as usize, range.end as usize);
    }
    told
}
