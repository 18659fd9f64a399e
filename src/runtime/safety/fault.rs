//! Faults: what the processor refuses is explained where it has to do with the heap, and is the
//! program's own business otherwise.
//!
//! The handler runs on top of whatever was interrupted, on the program's alternate stack if it has
//! one; what is long runs on a stack of its own. The program's handlers for these signals are kept
//! here, by interposing `sigaction`, and called for every fault that is not the heap's; after a
//! report they are put in place, the instruction is tried again, and what happens is what would
//! have happened without Heapsight.

use super::finding::{Fault, Finding, Known, Victim};
use super::guards;
use super::report::{say, tell};
use super::{check, is_any, is_on};
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use crate::harden::pattern::{JUNK, POISON};
use crate::os::lock::Lock;
use crate::os::{memory, tasks, thread};
use crate::runtime::{ENGINE, tls};
use crate::unwind::State;
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::{mem, ptr};

const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];
const STACK_LEN: usize = 1 << 20;

/// Our handler is in place, and the program's are in [`THEIRS`].
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);
static THEIRS: Theirs = Theirs { lock: Lock::new(), actions: UnsafeCell::new([None, None]) };
/// End of the stack that reports run on.
static STACK: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// Blocks that [`look_after`] has seen.
static LOOKS: AtomicU32 = AtomicU32::new(0);
const LOOKS_MAX: u32 = 1 << 12;
/// libc's `sigaction`.
static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// The program's actions; `None`: what the system does.
struct Theirs {
    lock: Lock,
    actions: UnsafeCell<[Option<libc::sigaction>; 2]>,
}

// SAFETY: the actions are reached only under the lock.
unsafe impl Sync for Theirs {}

type Sigaction = unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;

/// `sigaction(2)` as the system has it, not as the program is shown it.
///
/// # Safety
/// As `sigaction`'s.
unsafe fn real(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    let mut next = NEXT.load(Ordering::Relaxed);
    if next.is_null() {
        // SAFETY: a C string; what follows the object this code is in is libc's.
        next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"sigaction".as_ptr()) };
        NEXT.store(next, Ordering::Relaxed);
    }
    if next.is_null() {
        return -1;
    }
    // SAFETY: libc's function of that name has this type.
    let next = unsafe { mem::transmute::<*mut c_void, Sigaction>(next) };
    // SAFETY: the caller's.
    unsafe { next(signal, new, old) }
}

/// `sigaction(2)` for the program: the handlers of faults that it sees and sets are those of
/// `THEIRS`, while ours is in place.
///
/// # Safety
/// As `sigaction`'s.
pub unsafe fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    let index = SIGNALS.iter().position(|it| *it == signal);
    let index = index.filter(|_| IS_INSTALLED.load(Ordering::Acquire));
    let (Some(index), Some(_lock)) = (index, THEIRS.lock.acquire()) else {
        // SAFETY: the caller's.
        return unsafe { real(signal, new, old) };
    };
    // SAFETY: the lock is held.
    let theirs = unsafe { &mut (*THEIRS.actions.get())[index] };
    let before = theirs.unwrap_or_else(default_action);
    // SAFETY: the caller's: null, or an action each.
    unsafe {
        if let Some(new) = new.as_ref() {
            *theirs = Some(*new);
        }
        if !old.is_null() {
            old.write(before);
        }
    }
    0
}

fn default_action() -> libc::sigaction {
    // SAFETY: all-zero is the default action with an empty mask.
    unsafe { mem::zeroed() }
}

fn ours() -> libc::sigaction {
    let mut action = default_action();
    action.sa_sigaction =
        on_fault as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as libc::sighandler_t;
    // A fault of the report's own must arrive, too.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    action
}

/// Puts our handler in place, for good.
pub(super) fn install() {
    if IS_INSTALLED.load(Ordering::Relaxed) {
        return;
    }
    take_over();
    IS_INSTALLED.store(true, Ordering::Release);
}

/// Among a program's first blocks, at every power of two of their number, looks whether our handler
/// is still in place. Rust's run-time library asks for handlers, allocates, and sets its own; where
/// `sigaction` is not interposed, it puts ours out of place.
#[inline]
pub(super) fn look_after() {
    if LOOKS.load(Ordering::Relaxed) < LOOKS_MAX {
        let count = LOOKS.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            renew();
        }
    }
}

#[cold]
fn renew() {
    let mut now = default_action();
    // SAFETY: asks only.
    let result = unsafe { real(libc::SIGSEGV, ptr::null(), &raw mut now) };
    let is_lost = result == 0 && now.sa_sigaction != ours().sa_sigaction;
    if is_lost && IS_INSTALLED.load(Ordering::Relaxed) {
        take_over();
    }
}

fn take_over() {
    if STACK.load(Ordering::Relaxed).is_null()
        && let Some(stack) = memory::map_zeroed(STACK_LEN)
    {
        STACK.store(stack.as_ptr().wrapping_add(STACK_LEN), Ordering::Relaxed);
    }
    for (index, signal) in SIGNALS.into_iter().enumerate() {
        let (new, mut before) = (ours(), default_action());
        // SAFETY: both are actions.
        let result = unsafe { real(signal, &raw const new, &raw mut before) };
        let is_new = before.sa_sigaction != new.sa_sigaction;
        if let Some(_lock) = THEIRS.lock.acquire()
            && result == 0
            && is_new
        {
            // SAFETY: the lock is held.
            unsafe { (*THEIRS.actions.get())[index] = Some(before) };
        }
    }
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: libc's own thread-local, which is always there.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the kernel passes both to a handler with SA_SIGINFO.
    let code = unsafe { (*info).si_code };
    // SAFETY: as above; a fault has an address.
    let (address, machine) = unsafe { ((*info).si_addr() as usize, Machine::of(context.cast())) };
    let victim = if code > 0 && is_any() { victim(address, code, &machine) } else { None };
    match victim {
        Some(victim) => {
            let Machine { is_write, state, .. } = machine;
            explain(signal, Fault { address, is_write, state, victim });
        }
        None => hand_on(signal, info, context),
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// A report, on its way to the other stack.
struct Request {
    fault: Fault,
    goes_on: bool,
}

/// Reports; then either the memory is there, or the program's own handler is in place, or the end.
fn explain(signal: c_int, fault: Fault) {
    let mut request = Request { fault, goes_on: false };
    let argument = (&raw mut request).cast();
    // A fault of the report itself finds no stack, and has one.
    let stack = STACK.swap(ptr::null_mut(), Ordering::AcqRel);
    if stack.is_null() {
        // SAFETY: the argument is a request.
        unsafe { body(argument) };
    } else {
        // SAFETY: the stack is this thread's until it puts it back.
        unsafe { thread::call_on_stack(stack, body, argument) };
        STACK.store(stack, Ordering::Release);
    }
    if request.goes_on {
        let slot = ENGINE.slot_of(ptr::without_provenance(fault.address));
        if slot.is_some_and(|slot| slot.slab.is_guarded() && ENGINE.unseal(slot.slab)) {
            return;
        }
        say(b"heapsight: the program cannot go on from here.\n");
    }
    put_back(signal);
}

/// Puts the program's own action in place: the instruction is tried again, and meets that.
fn put_back(signal: c_int) {
    IS_INSTALLED.store(false, Ordering::Release);
    let action = theirs(signal).unwrap_or_else(default_action);
    // SAFETY: an action that the program has set, or the default.
    unsafe { real(signal, &raw const action, ptr::null_mut()) };
}

/// The program's action. `None`: it was interrupted setting it.
fn theirs(signal: c_int) -> Option<libc::sigaction> {
    let index = SIGNALS.iter().position(|it| *it == signal)?;
    let _lock = THEIRS.lock.acquire()?;
    // SAFETY: the lock is held.
    unsafe { (*THEIRS.actions.get())[index] }
}

/// A fault, or a signal that somebody has sent, that is not ours to explain.
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let action = theirs(signal).unwrap_or_else(default_action);
    if [libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction) {
        // SAFETY: the kernel passes it to a handler with SA_SIGINFO.
        let is_sent = unsafe { (*info).si_code } <= 0;
        if is_sent && action.sa_sigaction == libc::SIG_IGN {
            return;
        }
        put_back(signal);
        if is_sent {
            tasks::raise(signal);
        }
        return;
    }
    // SAFETY: the masks are the program's and this thread's; the handler has the type that its
    // flag says.
    unsafe {
        let mut mask = action.sa_mask;
        if action.sa_flags & libc::SA_NODEFER == 0 {
            libc::sigaddset(&raw mut mask, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const mask, ptr::null_mut());
        if action.sa_flags & libc::SA_SIGINFO != 0 {
            let handler = mem::transmute::<
                usize,
                extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void),
            >(action.sa_sigaction);
            handler(signal, info, context);
        } else {
            let handler = mem::transmute::<usize, extern "C" fn(c_int)>(action.sa_sigaction);
            handler(signal);
        }
    }
}

/// # Safety
/// `request` is a [`Request`].
unsafe extern "C" fn body(request: *mut u8) {
    // SAFETY: the caller's.
    let request = unsafe { &mut *request.cast::<Request>() };
    if matches!(request.fault.victim, Victim::Own)
        && !ENGINE.is_interrupted()
        && let (Some(finding), _) = check::look()
    {
        // What was damaged tells more than where that was noticed.
        tell(&finding);
        request.goes_on = false;
        return;
    }
    request.goes_on = tell(&Finding::Fault(request.fault));
}

/// What a fault has met of the heap; `None`: nothing.
fn victim(address: usize, code: c_int, machine: &Machine) -> Option<Victim> {
    if let Some(slot) = ENGINE.slot_of(ptr::without_provenance(address))
        && slot.slab.is_guarded()
    {
        let living = ENGINE.observer.record_of(slot);
        let living = living.map(|record| Victim::Guard(Known::of(slot, record)));
        let grave = guards::sealed_at(ptr::without_provenance(address)).map(Victim::Freed);
        if let Some(victim) = living.or(grave) {
            return Some(victim);
        }
    }
    if tls::heap().is_busy() || ENGINE.is_interrupted() {
        return Some(Victim::Own);
    }
    if !is_on() {
        // Nothing is filled with a pattern.
        return None;
    }
    // An address that is none is not told, but it is in a register.
    let has = |byte: u8| {
        let is_filled = |word: usize| word.to_ne_bytes()[1..6].iter().all(|it| *it == byte);
        let is_unknown = code == SI_KERNEL;
        is_filled(address) || is_unknown && machine.registers.iter().copied().any(is_filled)
    };
    match (has(POISON), has(JUNK)) {
        (true, _) => Some(Victim::Pattern { is_poison: true }),
        (_, true) => Some(Victim::Pattern { is_poison: false }),
        _ => None,
    }
}

/// `si_code` of a fault whose address the processor does not tell.
const SI_KERNEL: c_int = 128;

/// What was interrupted.
struct Machine {
    state: State,
    is_write: Option<bool>,
    registers: [usize; 16],
}

impl Machine {
    /// # Safety
    /// `context` is what the kernel has passed to the handler.
    unsafe fn of(context: *const libc::ucontext_t) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            const PAGE_FAULT: i64 = 14;
            const WRITE: i64 = 2;
            // SAFETY: the caller's.
            let all = unsafe { &(*context).uc_mcontext.gregs };
            let at = |register: c_int| all[register as usize];
            let is_told = at(libc::REG_TRAPNO) == PAGE_FAULT;
            let (pc, sp, fp) = (at(libc::REG_RIP), at(libc::REG_RSP), at(libc::REG_RBP));
            Self {
                state: State::interrupted(pc as usize, sp as usize, fp as usize),
                is_write: is_told.then(|| at(libc::REG_ERR) & WRITE != 0),
                registers: core::array::from_fn(|register| all[register] as usize),
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            // SAFETY: the caller's.
            let machine = unsafe { &(*context).uc_mcontext };
            let state = State::interrupted(
                machine.pc as usize,
                machine.sp as usize,
                machine.regs[29] as usize,
            );
            let registers = core::array::from_fn(|register| machine.regs[register] as usize);
            Self { state, is_write: None, registers }
        }
    }
}
