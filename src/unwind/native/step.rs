//! One step: from a frame and its rule to the caller.

use super::bounds::Bounds;
use super::cfi::{SIGNAL_FP, SIGNAL_PC, SIGNAL_SP};
use super::names::{End, Frame, Registers};
use super::rule::{Kind, Rule};
use super::store::Word;
use core::arch::asm;
use core::ptr;

/// A frame in the middle of a walk, or at its start: where the function is, its stack pointer there
/// and its frame pointer. That is all that unwinding needs of the machine, but for code that only
/// the slow path understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(super) frame: Frame,
    pub(super) sp: usize,
    pub(super) fp: usize,
}

impl State {
    /// The state of the calling function, here.
    #[inline(always)]
    pub(crate) fn here() -> Self {
        let (pc, sp, fp);
        // SAFETY: reads three registers. The address of the instruction after the first stands for
        // a return address: the instruction before it is in this function.
        unsafe {
            asm!(
                "lea {pc}, [rip]",
                "mov {sp}, rsp",
                "mov {fp}, rbp",
                pc = out(reg) pc,
                sp = out(reg) sp,
                fp = out(reg) fp,
                options(nomem, nostack, preserves_flags),
            );
        }
        Self { frame: Frame::returned_to(pc), sp, fp }
    }

    /// The state of a function that a signal has interrupted.
    pub(crate) const fn interrupted(pc: usize, sp: usize, fp: usize) -> Self {
        Self { frame: Frame::interrupted_at(pc), sp, fp }
    }

    /// The state of a caller whose callee has not returned yet. `None`: there is none.
    pub(crate) fn of_caller(caller: Registers) -> Option<Self> {
        Self::of_unknown(caller, &mut { Bounds::EMPTY })
    }

    /// As [`Self::of_caller`], with a window that moves to the stack.
    #[cold]
    #[inline(never)]
    pub(super) fn of_unknown(caller: Registers, bounds: &mut Bounds) -> Option<Self> {
        bounds.enter(caller.sp);
        Self::of_known(caller, bounds)
    }

    /// As [`Self::of_caller`], if the window knows the stack.
    #[inline(always)]
    pub(super) fn of_known(caller: Registers, bounds: &Bounds) -> Option<Self> {
        // SAFETY: it is in the window.
        bounds.is_known(caller.sp).then(|| unsafe { Self::of_readable(caller) })
    }

    /// As [`Self::of_caller`].
    ///
    /// # Safety
    /// The caller's stack pointer is aligned, and what it points to readable.
    #[inline(always)]
    pub(super) unsafe fn of_readable(caller: Registers) -> Self {
        // SAFETY: the caller's.
        let pc = unsafe { word(caller.sp) };
        let sp = caller.sp.wrapping_add(size_of::<usize>());
        Self { frame: Frame::returned_to(pc), sp, fp: caller.fp }
    }
}

/// A word of a stack.
///
/// # Safety
/// The address is aligned, and readable.
#[inline(always)]
pub(super) unsafe fn word(address: usize) -> usize {
    // SAFETY: the caller's. Volatile, as this is memory of other functions, whose content the
    // language knows nothing of.
    unsafe { ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}

/// The caller of `state`, whose rule is a common one, if all that is read is in the window and it
/// is not the root.
#[inline(always)]
pub(super) fn step_inside(rule: Rule, state: State, bounds: &Bounds) -> Option<State> {
    let base = if rule.is_fp_based() { state.fp } else { state.sp };
    let cfa = base.wrapping_add_signed(rule.cfa_offset());
    if !bounds.has(state.sp, cfa) {
        return None;
    }
    // SAFETY: both words are in the window, and aligned as `cfa` is.
    let (pc, saved) = unsafe {
        (word(cfa - size_of::<usize>()), word(cfa.wrapping_add_signed(rule.saved_fp_offset())))
    };
    let fp = if rule.saves_fp() { saved } else { state.fp };
    (pc != 0).then_some(State { frame: Frame::returned_to(pc), sp: cfa, fp })
}

/// The caller of `state`.
#[inline(always)]
pub(super) fn step(rule: Rule, state: State, bounds: &mut Bounds) -> Result<State, End> {
    if rule.is_common() { step_common(rule, state, bounds) } else { step_rare(rule, state, bounds) }
}

/// The caller of `state`, whose rule is a common one.
#[inline(always)]
pub(super) fn step_common(rule: Rule, state: State, bounds: &mut Bounds) -> Result<State, End> {
    let base = if rule.is_fp_based() { state.fp } else { state.sp };
    let cfa = base.wrapping_add_signed(rule.cfa_offset());
    leave(state.sp, cfa, rule, state.fp, bounds)
}

/// To the caller of a frame whose return address is below `cfa`.
#[inline(always)]
fn leave(sp: usize, cfa: usize, rule: Rule, fp: usize, bounds: &mut Bounds) -> Result<State, End> {
    let saved_at = cfa.wrapping_add_signed(rule.saved_fp_offset());
    if !bounds.admit(sp, cfa, saved_at) {
        return Err(End::Damaged);
    }
    // SAFETY: both words are admitted, and aligned as `cfa` is.
    let (pc, saved) = unsafe { (word(cfa - size_of::<usize>()), word(saved_at)) };
    if pc == 0 {
        return Err(End::Root);
    }
    let fp = if rule.saves_fp() { saved } else { fp };
    Ok(State { frame: Frame::returned_to(pc), sp: cfa, fp })
}

#[cold]
#[inline(never)]
fn step_rare(rule: Rule, state: State, bounds: &mut Bounds) -> Result<State, End> {
    match rule.kind() {
        Kind::Realigned => {
            let cfa_at = state.fp.wrapping_add_signed(rule.cfa_offset());
            if !bounds.admit_word(cfa_at) || !bounds.admit_word(state.fp) {
                return Err(End::Damaged);
            }
            // SAFETY: both words are admitted.
            let (cfa, fp) = unsafe { (word(cfa_at), word(state.fp)) };
            leave(state.sp, cfa, rule, fp, bounds)
        }
        Kind::Signal => {
            let places = [SIGNAL_FP, SIGNAL_SP, SIGNAL_PC].map(|at| state.sp.wrapping_add(at));
            if !places.iter().all(|place| bounds.admit_word(*place)) {
                return Err(End::Damaged);
            }
            // SAFETY: all three words are admitted.
            let [fp, sp, pc] = places.map(|place| unsafe { word(place) });
            if pc == 0 {
                return Err(End::Root);
            }
            bounds.enter(sp);
            Ok(State { frame: Frame::interrupted_at(pc), sp, fp })
        }
        Kind::Root => Err(End::Root),
        Kind::NoInfo => Err(End::NoInfo),
        Kind::Complex | Kind::Sp | Kind::Fp => Err(End::Unsupported),
    }
}

/// Writes the words that a step from `state` by `rule` has read on its way to `caller`, a frame and
/// its stack pointer, `None` if there is none, from `to` on: outermost first in the sense that a
/// later one never depends on an earlier one's content. Without the frame pointer's unless
/// `needs_fp`: nothing outwards asks for its value. How many there are, three at most.
///
/// # Safety
/// The step has been made, and `to` has room.
#[inline(always)]
pub(super) unsafe fn keep_words(
    rule: Rule,
    state: State,
    needs_fp: bool,
    caller: Option<(Frame, usize)>,
    to: *mut Word,
) -> u32 {
    match caller {
        // The caller has what was read.
        Some((frame, sp)) if rule.is_common() && !needs_fp => {
            let address = sp.wrapping_sub(size_of::<usize>());
            // SAFETY: the caller's.
            unsafe { to.write(Word { address, value: frame.key() as usize }) };
            1
        }
        // SAFETY: the caller's.
        _ => unsafe { keep_words_rarely(rule, state, needs_fp, to) },
    }
}

/// As [`keep_words`], of a common rule, whose step has led to `caller`.
///
/// # Safety
/// As [`keep_words`].
#[inline(always)]
pub(super) unsafe fn keep_common_words(
    rule: Rule,
    needs_fp: bool,
    caller: State,
    to: *mut Word,
) -> u32 {
    let mut count = 0;
    if needs_fp && rule.saves_fp() {
        let address = caller.sp.wrapping_add_signed(rule.saved_fp_offset());
        // SAFETY: the caller's.
        unsafe { to.write(Word { address, value: caller.fp }) };
        count = 1;
    }
    let address = caller.sp.wrapping_sub(size_of::<usize>());
    let value = caller.frame.key() as usize;
    // SAFETY: the caller's.
    unsafe { to.add(count as usize).write(Word { address, value }) };
    count + 1
}

/// # Safety
/// As [`keep_words`].
#[inline(never)]
unsafe fn keep_words_rarely(rule: Rule, state: State, needs_fp: bool, to: *mut Word) -> u32 {
    let mut count = 0;
    let mut keep = |address: usize| {
        // SAFETY: the step has read the word, and there is room.
        unsafe { to.add(count as usize).write(Word { address, value: word(address) }) };
        count += 1;
    };
    match rule.kind() {
        Kind::Sp | Kind::Fp => {
            let base = if rule.is_fp_based() { state.fp } else { state.sp };
            let cfa = base.wrapping_add_signed(rule.cfa_offset());
            if needs_fp && rule.saves_fp() {
                keep(cfa.wrapping_add_signed(rule.saved_fp_offset()));
            }
            keep(cfa.wrapping_sub(size_of::<usize>()));
        }
        Kind::Realigned => {
            if needs_fp {
                keep(state.fp);
            }
            let cfa_at = state.fp.wrapping_add_signed(rule.cfa_offset());
            // SAFETY: the step has read this word.
            keep(unsafe { word(cfa_at) }.wrapping_sub(size_of::<usize>()));
            keep(cfa_at);
        }
        Kind::Signal => {
            if needs_fp {
                keep(state.sp.wrapping_add(SIGNAL_FP));
            }
            keep(state.sp.wrapping_add(SIGNAL_PC));
            keep(state.sp.wrapping_add(SIGNAL_SP));
        }
        Kind::Root | Kind::NoInfo | Kind::Complex => {}
    }
    count
}

/// Whether the frame pointer's value in a frame takes part in finding its callers, when
/// `needs_fp` says whether it does in the caller.
#[inline(always)]
pub(super) fn is_fp_live(rule: Rule, needs_fp: bool) -> bool {
    if rule.is_common() {
        return rule.is_fp_based() || needs_fp && !rule.saves_fp();
    }
    rule.kind() == Kind::Realigned
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr::NonNull;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn the_short_step_is_the_step(
            content in prop::collection::vec(0usize..5, 600),
            is_fp in any::<bool>(),
            needs_fp in any::<bool>(),
            base in 200usize..400,
            cfa in -40i64..200,
            saved in prop::option::of(-100i64..-1),
        ) {
            let kind = if is_fp { Kind::Fp } else { Kind::Sp };
            let rule = Rule::new(kind, cfa * 8, saved.map(|at| at * 8)).with_number(1);
            let at = |index: usize| (&raw const content[index]).expose_provenance();
            let state = State { frame: Frame::returned_to(0x1000), sp: at(200), fp: at(base) };
            let mut bounds = Bounds::EMPTY;
            bounds.enter(state.sp);
            // Far from the ends of what is readable nothing is to be asked.
            _ = bounds.admit(state.sp, at(599), at(599));
            let window = bounds;
            let short = step_inside(rule, state, &window);
            let long = step_common(rule, state, &mut bounds);
            match short {
                Some(caller) => prop_assert_eq!(long, Ok(caller)),
                None => prop_assert!(long.is_err() || !window.has(state.sp, long.unwrap().sp)),
            }
            if let Ok(caller) = long {
                let blank = Word { address: 0, value: 0 };
                let keep = |is_short: bool| {
                    let mut words = [blank; 3];
                    let to = NonNull::from(&mut words).cast::<Word>().as_ptr();
                    let next = Some((caller.frame, caller.sp));
                    // SAFETY: the step was made, and there is room for three.
                    let count = unsafe {
                        if is_short {
                            keep_common_words(rule, needs_fp, caller, to)
                        } else {
                            keep_words(rule, state, needs_fp, next, to)
                        }
                    };
                    let pairs = words[..count as usize].iter().map(|it| (it.address, it.value));
                    pairs.collect::<Vec<_>>()
                };
                prop_assert_eq!(keep(true), keep(false));
            }
        }
    }
}
