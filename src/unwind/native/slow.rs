//! Stacks with a frame that two registers cannot unwind: with all of them, by the letter.
//!
//! The loader's symbol resolution keeps its frame by `rbx`, prologues that align the stack by
//! `r10`, hand-written assembly by whatever it likes. Here every register's rule is evaluated,
//! frame by frame, from this very function outwards: its callees have saved what the frames above
//! it need. What is found is recorded from where the walk was to start.
//!
//! Every word is read through [`Bounds`]: descriptions of epilogues are known to be wrong.

use super::bounds::Bounds;
use super::cfi::{Context, Description, Row};
use super::expression::{Value, World, evaluate};
use super::names::{End, Frame, Walk};
use super::step::{State, word};
use core::arch::asm;
use gimli::{CfaRule, Register, RegisterRule, UnwindExpression, X86_64};

/// The general registers and the return address, by their numbers in DWARF.
const REGISTERS: usize = 17;

/// A frame with all its registers.
struct Machine {
    frame: Frame,
    /// Those that callees do not save have values only where a signal interrupted.
    registers: [usize; REGISTERS],
    bounds: Bounds,
}

/// As [`super::walk`].
#[cold]
#[inline(never)]
pub(super) fn walk(start: State, frames: &mut [Frame]) -> Walk {
    let mut machine = Machine::here();
    let mut len = 0;
    loop {
        let sp = machine.sp();
        // Frames of our own are further down the same stack.
        if len > 0 || sp >= start.sp {
            let frame = match len {
                0 if sp != start.sp => return Walk { len, end: End::Unsupported },
                0 => start.frame,
                _ => machine.frame,
            };
            let Some(slot) = frames.get_mut(len) else { return Walk { len, end: End::Truncated } };
            *slot = frame;
            len += 1;
        }
        if let Err(end) = machine.step() {
            return Walk { len, end };
        }
    }
}

impl Machine {
    /// The state of the calling function.
    #[inline(always)]
    fn here() -> Self {
        let mut registers = [0; REGISTERS];
        // SAFETY: stores registers into the array, which has room for them.
        unsafe {
            asm!(
                "mov [{to} + 3 * 8], rbx",
                "mov [{to} + 6 * 8], rbp",
                "mov [{to} + 7 * 8], rsp",
                "mov [{to} + 12 * 8], r12",
                "mov [{to} + 13 * 8], r13",
                "mov [{to} + 14 * 8], r14",
                "mov [{to} + 15 * 8], r15",
                "lea {pc}, [rip]",
                "mov [{to} + 16 * 8], {pc}",
                to = in(reg) registers.as_mut_ptr(),
                pc = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
        let frame = Frame::returned_to(registers[usize::from(X86_64::RA.0)]);
        let mut bounds = Bounds::EMPTY;
        bounds.enter(registers[usize::from(X86_64::RSP.0)]);
        Self { frame, registers, bounds }
    }

    fn sp(&self) -> usize {
        self.registers[usize::from(X86_64::RSP.0)]
    }

    /// To the caller.
    fn step(&mut self) -> Result<(), End> {
        let inside = self.frame.inside();
        let description = Description::find(inside).ok_or(End::NoInfo)?;
        let mut context = Context::new_in();
        let row = description.row(inside, &mut context).map_err(|error| match error {
            gimli::Error::NoUnwindInfoForAddress => End::NoInfo,
            _ => End::Unsupported,
        })?;
        let ra = description.return_address_register();
        if row.register(ra) == Some(RegisterRule::Undefined) {
            return Err(End::Root);
        }
        // A description that leads nowhere describes a damaged stack, or is itself damaged.
        let registers = self.restore(&description, row).ok_or(End::Damaged)?;
        let pc = registers.get(usize::from(ra.0)).copied().ok_or(End::Unsupported)?;
        if pc == 0 {
            return Err(End::Root);
        }
        let is_same_stack = row.register(X86_64::RSP).is_none();
        let before = core::mem::replace(&mut self.registers, registers);
        let is_signal = description.is_signal();
        self.frame = if is_signal { Frame::interrupted_at(pc) } else { Frame::returned_to(pc) };
        if !is_same_stack {
            self.bounds.enter(self.sp());
        } else if self.sp() <= before[usize::from(X86_64::RSP.0)] {
            return Err(End::Damaged);
        }
        Ok(())
    }

    /// The caller's registers.
    fn restore(&mut self, description: &Description, row: &Row) -> Option<[usize; REGISTERS]> {
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.value(*register)?.wrapping_add_signed(*offset as isize)
            }
            CfaRule::Expression(expression) => self.evaluate(description, expression, None)?,
        };
        // Sees to it that the window covers the frame.
        let _known = self.bounds.admit(self.sp(), cfa, cfa.wrapping_sub(size_of::<usize>()));
        let mut restored = self.registers;
        restored[usize::from(X86_64::RSP.0)] = cfa;
        for (register, rule) in row.registers() {
            // Registers of other kinds do not lead to callers.
            let Some(target) = restored.get_mut(usize::from(register.0)) else { continue };
            *target = match rule {
                RegisterRule::Undefined | RegisterRule::SameValue => continue,
                RegisterRule::Offset(offset) => {
                    self.read(cfa.wrapping_add_signed(*offset as isize))?
                }
                RegisterRule::ValOffset(offset) => cfa.wrapping_add_signed(*offset as isize),
                RegisterRule::Register(other) => self.value(*other)?,
                RegisterRule::Expression(at) => {
                    let address = self.evaluate(description, at, Some(cfa))?;
                    self.read(address)?
                }
                RegisterRule::ValExpression(value) => {
                    self.evaluate(description, value, Some(cfa))?
                }
                RegisterRule::Constant(value) => *value as usize,
                _ => return None,
            };
        }
        Some(restored)
    }

    fn value(&self, register: Register) -> Option<usize> {
        if register == X86_64::RA {
            return Some(self.frame.pc());
        }
        self.registers.get(usize::from(register.0)).copied()
    }

    fn read(&mut self, address: usize) -> Option<usize> {
        // SAFETY: the word has been admitted.
        self.bounds.admit_word(address).then(|| unsafe { word(address) })
    }

    fn evaluate(
        &mut self,
        description: &Description,
        expression: &UnwindExpression<usize>,
        first: Option<usize>,
    ) -> Option<usize> {
        let expression = description.expression(expression)?;
        let first = first.map(|value| Value::Known(value as i64));
        match evaluate(expression, self, first)? {
            Value::Known(value) => Some(value as usize),
            _ => None,
        }
    }
}

impl World for Machine {
    fn register(&mut self, register: Register) -> Option<Value> {
        self.value(register).map(|value| Value::Known(value as i64))
    }

    fn word_at(&mut self, address: Value) -> Option<Value> {
        match address {
            Value::Known(address) => {
                self.read(address as usize).map(|word| Value::Known(word as i64))
            }
            _ => None,
        }
    }
}
