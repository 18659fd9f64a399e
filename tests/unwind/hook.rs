//! What the walks call: captures the caller's stack in every way and compares.

use crate::budget::budget;
use crate::libunwind;
use crate::oracle::{self, DEPTH_MAX, Found};
use heapsight::ffi::unwind::{Cache, Caller, Place, Trial};
use std::arch::naked_asm;
use std::cell::{Cell, UnsafeCell};
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Room for one comparison. Nothing may be allocated: the walk may be in the middle of `malloc`.
struct Room {
    found: [Found; DEPTH_MAX],
    seconded: [libunwind::Frame; DEPTH_MAX],
    places: [Place; DEPTH_MAX],
}

impl Room {
    const fn new() -> Self {
        let place = Place { pc: 0, exact: false, ending: false };
        Self {
            found: [Found { place, sp: 0 }; DEPTH_MAX],
            seconded: [libunwind::Frame { pc: 0, sp: 0 }; DEPTH_MAX],
            places: [place; DEPTH_MAX],
        }
    }
}

/// Writes a line past the test runner, which keeps what a test prints to itself until it has ended:
/// one that aborts would say nothing.
macro_rules! complain {
    ($($words:tt)*) => {
        writeln!(std::io::stderr(), $($words)*).expect("somebody listens")
    };
}

/// Handlers that interrupt a comparison make their own.
const NESTING_MAX: usize = 3;

thread_local! {
    static CACHE: Cache = const { Cache::new() };
    static ROOMS: [UnsafeCell<Room>; NESTING_MAX] =
        const { [const { UnsafeCell::new(Room::new()) }; NESTING_MAX] };
    static NESTING: Cell<usize> = const { Cell::new(0) };
    static COMPARED_HERE: Cell<u64> = const { Cell::new(0) };
}

/// What all tests share: numbers keep their meaning for the whole process.
pub(crate) fn trial() -> &'static Trial {
    static TRIAL: OnceLock<Trial> = OnceLock::new();
    TRIAL.get_or_init(|| Trial::new(2 << 30).expect("addresses for the names"))
}

pub(crate) static COMPARED: AtomicU64 = AtomicU64::new(0);
/// Of them, those that libunwind was asked about too.
pub(crate) static SECONDED: AtomicU64 = AtomicU64::new(0);
pub(crate) static FRAMES: AtomicU64 = AtomicU64::new(0);
/// Frames that a signal interrupted.
pub(crate) static EXACT: AtomicU64 = AtomicU64::new(0);
/// Captures that found the cache in use and walked instead.
pub(crate) static REENTERED: AtomicU64 = AtomicU64::new(0);

/// Stacks that this thread has compared.
pub(crate) fn compared_here() -> u64 {
    COMPARED_HERE.get()
}

/// Compares; to be called by C.
#[unsafe(naked)]
pub(crate) extern "C" fn hook() {
    naked_asm!("mov rdi, rsp", "mov rsi, rbp", "jmp {}", sym compare)
}

extern "C" fn compare(sp: usize, fp: usize) {
    let nesting = NESTING.get();
    if nesting == NESTING_MAX {
        return;
    }
    NESTING.set(nesting + 1);
    let caller = Caller { sp, fp };
    CACHE.with(|cache| {
        // SAFETY: each level of nesting has a room of its own.
        ROOMS.with(|rooms| compare_in(unsafe { &mut *rooms[nesting].get() }, cache, caller));
    });
    NESTING.set(nesting);
}

/// Captures and walks without comparing; to be called by C.
#[unsafe(naked)]
pub(crate) extern "C" fn survive() {
    naked_asm!("mov rdi, rsp", "mov rsi, rbp", "jmp {}", sym capture_only)
}

extern "C" fn capture_only(sp: usize, fp: usize) {
    let mut places = [Place::default(); 64];
    let caller = Caller { sp, fp };
    let (len, _) = trial().walk(caller, &mut places);
    let node = CACHE.with(|cache| trial().capture(cache, caller));
    assert!(len > 0 && node != Some(0));
}

fn compare_in(room: &mut Room, cache: &Cache, caller: Caller) {
    let (walked, is_whole) = trial().walk(caller, &mut room.places);
    // A signal may interrupt libgcc as it takes the stack of a thrown exception apart.
    if !is_whole && !oracle::survives(room.places[walked - 1]) {
        return;
    }
    let node = trial().capture(cache, caller);
    let len = oracle::unwind(&mut room.found);
    let own = room.found[..len].iter().position(|frame| frame.sp == caller.sp + 8);
    let expected = &room.found[own.expect("the caller's frame")..len];
    let (walked, _) = trial().walk(caller, &mut room.places);
    agree("walk", &room.places[..walked], expected);
    match node {
        Some(0) => panic!("a stack without a number"),
        Some(node) => {
            let mut captured = trial().path(node, &mut room.places);
            let is_ended = captured > 0 && room.places[captured - 1].ending;
            captured -= usize::from(is_ended);
            agree("capture", &room.places[..captured], expected);
        }
        None => {
            REENTERED.fetch_add(1, Ordering::Relaxed);
        }
    }
    let is_asked = COMPARED_HERE.get().is_multiple_of(budget().one_in);
    if is_asked {
        ask_second(&mut room.seconded, expected);
    }
    COMPARED.fetch_add(1, Ordering::Relaxed);
    COMPARED_HERE.set(COMPARED_HERE.get() + 1);
    FRAMES.fetch_add(expected.len() as u64, Ordering::Relaxed);
    let exact = expected.iter().filter(|frame| frame.place.exact).count();
    EXACT.fetch_add(exact as u64, Ordering::Relaxed);
}

/// libunwind gives up where it cannot make sure that memory is there, by `mincore` and a pipe that
/// all threads share, both of which may fail for the moment (`EAGAIN`). So it is asked again where
/// it has stopped short, and has to find all one of these times.
const ASKED: usize = 3;

/// Asks the second oracle, if there is one, which has to find what the first has found.
fn ask_second(room: &mut [libunwind::Frame; DEPTH_MAX], expected: &[Found]) {
    for turn in 1..=ASKED {
        let Some(len) = libunwind::unwind(room) else { return };
        let own = room[..len].iter().position(|frame| frame.sp == expected[0].sp);
        let frames = &room[own.unwrap_or(len)..len];
        let is_alike = frames
            .iter()
            .zip(expected)
            .all(|(frame, found)| (frame.pc as u64, frame.sp) == (found.place.pc, found.sp));
        if is_alike && is_enough(frames, expected) {
            SECONDED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if !is_alike || frames.len() > expected.len() || turn == ASKED {
            complain!("libunwind disagrees: {} frames, expected {}", frames.len(), expected.len());
            for index in 0..frames.len().max(expected.len()) {
                complain!("{index:3} {:x?} {:x?}", frames.get(index), expected.get(index));
            }
            std::process::abort();
        }
    }
}

/// All of them, with one difference: where there is no unwind information, as in `hook` itself if a
/// signal interrupts it there, all others end, while libunwind goes on by the frame pointer, which
/// is a guess.
fn is_enough(frames: &[libunwind::Frame], expected: &[Found]) -> bool {
    let is_guessing = expected.last().is_some_and(|last| !oracle::is_described(last.place));
    frames.len() == expected.len() || is_guessing && frames.len() > expected.len()
}

/// Forgets all about code that is, or may be, unloaded.
pub(crate) fn code_unloaded() {
    trial().code_unloaded();
    libunwind::code_unloaded();
}

fn agree(who: &str, places: &[Place], expected: &[Found]) {
    let is_equal = places.len() == expected.len()
        && places.iter().zip(expected).all(|(place, found)| *place == found.place);
    if is_equal {
        return;
    }
    complain!("{who} disagrees: {} frames, expected {}", places.len(), expected.len());
    for index in 0..places.len().max(expected.len()) {
        let (place, found) = (places.get(index), expected.get(index));
        let mark = if place.copied() == found.map(|found| found.place) { ' ' } else { '!' };
        let show = |place: Option<&Place>| {
            place.map(|place| format!("{:#x}{}", place.pc, if place.exact { "*" } else { "" }))
        };
        let wanted = found.map(|found| found.place);
        let sp = found.map_or(0, |found| found.sp);
        complain!("{mark} {index:3} {:?} {:?} {sp:#x}", show(place), show(wanted.as_ref()));
    }
    std::process::abort();
}
