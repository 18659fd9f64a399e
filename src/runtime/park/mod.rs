//! Stopping the world: every other thread is asked, by a signal, to wait in its handler.
//!
//! No debugger's rights are needed, so it works in containers, under debuggers, and for any user.
//! [`signal`] says which signal, and what the handler does; [`library`] what glibc tells of
//! threads.
//!
//! A thread that has blocked the signal is not asked, because it would answer whenever it likes. It
//! is looked at from outside: the kernel tells the stack pointer of one that waits. Such threads
//! are named in reports.
//!
//! What the program notices: a system call that the signal interrupts is started again, but for
//! those that never are (`poll`, `epoll_wait`, `nanosleep`, ...), which fail with `EINTR`.

pub(super) mod library;
mod signal;

pub(super) use signal::{is_listening, is_stopping, listen};

use super::ENGINE;
use crate::leak::scratch::{NoMemory, Vector};
use crate::leak::world::{RED_ZONE, Thread, World};
use crate::os::lock::{Guard, Lock};
use crate::os::{clock, process, tasks, thread};
use core::ops::Deref;
use core::ptr;
use signal::{Round, Slot};

/// One world is stopped at a time.
static STOPPING: Lock = Lock::new();

/// How long threads are waited for, in all.
const BUDGET_NS: u64 = 200_000_000;
/// How long those that block the signal and sleep.
const BLOCKED_NS: u64 = 5_000_000;

/// The stopped world. Dropping it lets the threads go on.
#[derive(Debug)]
pub(crate) struct Stopped {
    world: World,
    /// Dropped before the lock is given back.
    _round: Round,
    _stopping: Guard<'static>,
}

/// Where the calling thread is to be seen: its stack from there on, and its registers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Caller {
    sp: usize,
    registers: [usize; CALLEE_SAVED],
}

/// Registers that a function leaves as its caller had them.
const CALLEE_SAVED: usize = 6;

impl Caller {
    /// The calling function, here.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        let mut caller = Self { sp: 0, registers: [0; CALLEE_SAVED] };
        #[cfg(target_arch = "x86_64")]
        // SAFETY: stores seven registers in a record of that many words.
        unsafe {
            core::arch::asm!(
                "mov [{to}], rsp",
                "mov [{to} + 8], rbx",
                "mov [{to} + 16], rbp",
                "mov [{to} + 24], r12",
                "mov [{to} + 32], r13",
                "mov [{to} + 40], r14",
                "mov [{to} + 48], r15",
                to = in(reg) &raw mut caller,
                options(nostack, preserves_flags),
            );
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            caller.sp = &raw mut caller as usize;
        }
        caller
    }

    /// The calling thread as it is to be seen. Its registers are where `self` is.
    pub(crate) fn thread(&self) -> Thread {
        let registers = ptr::from_ref(&self.registers);
        Thread {
            is_stopped: true,
            pointer: thread::token(),
            sp: self.sp,
            registers: (registers as usize, registers.wrapping_add(1) as usize),
            alternate: alternate_stack(),
            ..Thread::unknown(thread::id())
        }
    }
}

/// Stops all threads but the calling one, which is to be seen as `own` says. `None`: this thread is
/// at it already, in a signal handler on top of itself, or there is no memory.
pub(crate) fn stop(own: Thread) -> Option<Stopped> {
    let stopping = STOPPING.acquire()?;
    let engine = ptr::from_ref(&ENGINE) as usize;
    let mut world = World {
        threads: Vector::new(),
        process: process::id(),
        library: library::known(),
        own: (engine, engine + size_of_val(&ENGINE)),
    };
    world.threads.push(own).ok()?;
    let round = Round::begin()?;
    let mut asked = Vector::new();
    park_all(&round, &mut asked).ok()?;
    for (number, other) in asked.iter().enumerate() {
        if other.state != State::Gone {
            world.threads.push(seen(&round, number, other)).ok()?;
        }
    }
    Some(Stopped { world, _round: round, _stopping: stopping })
}

fn alternate_stack() -> (usize, usize) {
    tasks::alternate_stack().map_or((0, 0), |(start, len)| (start, start + len))
}

/// Another thread, and how far it is.
#[derive(Clone, Copy, Debug)]
struct Other {
    id: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The signal is blocked.
    Blocked,
    Asked,
    Parked,
    /// It has ended.
    Gone,
    /// It did not answer.
    Running,
}

/// Asks all threads, until there are no new ones and all have answered, or time is up.
fn park_all(round: &Round, others: &mut Vector<Other>) -> Result<(), NoMemory> {
    let begin = clock::monotonic_ns();
    loop {
        let before = others.len();
        find_new(others)?;
        let is_new = others.len() > before;
        let elapsed = clock::monotonic_ns().saturating_sub(begin);
        let mut waits = false;
        for (number, other) in others.iter_mut().enumerate() {
            other.state = ask(round, number, *other, elapsed);
            waits |= matches!(other.state, State::Asked | State::Blocked);
        }
        if !waits && !is_new {
            return Ok(());
        }
        if waits {
            round.wait();
        }
    }
}

fn find_new(others: &mut Vector<Other>) -> Result<(), NoMemory> {
    let (me, known) = (thread::id(), others.len());
    let mut failed = None;
    tasks::for_each(|id| {
        let is_known = id == me || others[..known].iter().any(|other| other.id == id);
        // A thread's id may come again: then the one that had it is gone.
        if !is_known && others.len() < Slot::COUNT {
            let newcomer = Other { id, state: State::Blocked };
            failed = failed.or(others.push(newcomer).err());
        }
    });
    failed.map_or(Ok(()), Err)
}

/// Takes a thread one step further.
fn ask(round: &Round, number: usize, other: Other, elapsed: u64) -> State {
    match other.state {
        State::Blocked | State::Asked if round.is_parked(number) => State::Parked,
        State::Blocked => match tasks::doing(other.id) {
            Some(doing) if doing.is_dead => State::Gone,
            Some(doing) if doing.blocked >> (round.signal() - 1) & 1 == 1 => {
                if is_given_up(other.id, elapsed) { State::Running } else { State::Blocked }
            }
            // Where the system does not tell, the answer will.
            _ if round.ask(number, other.id) => State::Asked,
            _ => State::Gone,
        },
        State::Asked if elapsed > BUDGET_NS => {
            if round.give_up(number) {
                State::Running
            } else {
                State::Asked
            }
        }
        State::Asked if tasks::doing(other.id).is_some_and(|doing| doing.is_dead) => State::Gone,
        state => state,
    }
}

/// Whether a thread that has blocked the signal is left alone. One that sleeps may do so for ever,
/// and the system tells where its stack is. One that runs is being born or dying, as a rule, and
/// soon done with it.
fn is_given_up(id: u32, elapsed: u64) -> bool {
    elapsed > BUDGET_NS || (elapsed > BLOCKED_NS && tasks::stack_pointer(id).is_some())
}

fn seen(round: &Round, number: usize, other: &Other) -> Thread {
    if other.state == State::Parked {
        return Thread { id: other.id, ..round.thread(number) };
    }
    let sp = tasks::stack_pointer(other.id).unwrap_or(0).saturating_sub(RED_ZONE);
    Thread { sp, ..Thread::unknown(other.id) }
}

impl Deref for Stopped {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}
