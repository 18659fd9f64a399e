//! From a program counter to its rule, by the call frame information of its module.
//!
//! gimli finds and runs the description (DWARF 5, section 6.4); here its result is matched with the
//! kinds of [`super::rule`]. The tables are trusted as the loader's mapping of a module's file is.

use super::expression::{Symbolic, Value, evaluate};
use super::modules;
use super::names::Frame;
use super::rule::{Kind, Rule};
use core::ptr;
use core::slice;
use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, EndianSlice, Error, Expression,
    FrameDescriptionEntry, LittleEndian, Register, RegisterRule, UnwindContext,
    UnwindContextStorage, UnwindExpression, UnwindSection, UnwindTableRow, X86_64,
};

pub(super) type Bytes = EndianSlice<'static, LittleEndian>;
pub(super) type Row = UnwindTableRow<usize, Storage>;
pub(super) type Context = UnwindContext<usize, Storage>;

/// Room for a description in evaluation, on the stack: every register of x86-64 that compilers
/// save, and nesting deeper than they use. What needs more is [`Kind::Complex`].
pub(super) struct Storage;

const REGISTERS_MAX: usize = 24;
const NESTING_MAX: usize = 4;

impl UnwindContextStorage<usize> for Storage {
    type Rules = [(Register, RegisterRule<usize>); REGISTERS_MAX];
    type Stack = [UnwindTableRow<usize, Self>; NESTING_MAX];
}

/// The description of a function, and what it takes to evaluate it.
pub(super) struct Description {
    entry: FrameDescriptionEntry<Bytes>,
    section: EhFrame<Bytes>,
    bases: BaseAddresses,
}

/// The rule of a frame.
pub(super) fn rule_of(frame: Frame) -> Rule {
    let Some(description) = Description::find(frame.inside()) else {
        return Rule::plain(Kind::NoInfo);
    };
    let mut context = Context::new_in();
    match description.row(frame.inside(), &mut context) {
        Ok(row) => description.classify(row, frame.pc()),
        Err(Error::NoUnwindInfoForAddress) => Rule::plain(Kind::NoInfo),
        Err(_) => Rule::plain(Kind::Complex),
    }
}

impl Description {
    pub(super) fn find(address: usize) -> Option<Self> {
        let module = modules::find(address)?;
        let header = EhFrameHdr::new(bytes(module.header, module.end)?, LittleEndian);
        let bases = BaseAddresses::default().set_eh_frame_hdr(module.header as u64);
        let header = header.parse(&bases, size_of::<usize>() as u8).ok()?;
        let start = header.eh_frame_ptr().direct().ok()? as usize;
        let section = EhFrame::new(bytes(start, module.end)?, LittleEndian);
        let bases = bases.set_eh_frame(start as u64);
        let address = address as u64;
        let entry = match header.table() {
            Some(table) => {
                table.fde_for_address(&section, &bases, address, EhFrame::cie_from_offset)
            }
            None => section.fde_for_address(&bases, address, EhFrame::cie_from_offset),
        };
        Some(Self { entry: entry.ok()?, section, bases })
    }

    pub(super) fn row<'a>(
        &self,
        address: usize,
        context: &'a mut Context,
    ) -> gimli::Result<&'a Row> {
        self.entry.unwind_info_for_address(&self.section, &self.bases, context, address as u64)
    }

    pub(super) fn return_address_register(&self) -> Register {
        self.entry.cie().return_address_register()
    }

    pub(super) fn is_signal(&self) -> bool {
        self.entry.is_signal_trampoline()
    }

    pub(super) fn expression(
        &self,
        expression: &UnwindExpression<usize>,
    ) -> Option<Expression<Bytes>> {
        expression.get(&self.section).ok()
    }

    fn symbolic(&self, expression: &UnwindExpression<usize>, pc: usize) -> Option<Value> {
        evaluate(self.expression(expression)?, &mut Symbolic { pc }, None)
    }

    fn classify(&self, row: &Row, pc: usize) -> Rule {
        let return_address = row.register(X86_64::RA);
        if return_address == Some(RegisterRule::Undefined) {
            return Rule::plain(Kind::Root);
        }
        if self.return_address_register() != X86_64::RA {
            return Rule::plain(Kind::Complex);
        }
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => match *register {
                X86_64::RSP => Some(Value::Sp(*offset)),
                X86_64::RBP => Some(Value::Fp(*offset)),
                _ => None,
            },
            CfaRule::Expression(expression) => self.symbolic(expression, pc),
        };
        let rule = if self.is_signal() {
            self.signal(row, cfa, pc)
        } else if return_address == Some(RegisterRule::Offset(-8)) {
            self.ordinary(row, cfa, pc)
        } else {
            None
        };
        rule.unwrap_or(Rule::plain(Kind::Complex))
    }

    fn ordinary(&self, row: &Row, cfa: Option<Value>, pc: usize) -> Option<Rule> {
        // While a context is being switched, the caller's stack pointer is not the CFA.
        match row.register(X86_64::RSP) {
            None | Some(RegisterRule::SameValue | RegisterRule::Undefined) => {}
            Some(_) => return None,
        }
        let fp = row.register(X86_64::RBP);
        let saved = match &fp {
            None | Some(RegisterRule::SameValue | RegisterRule::Undefined) => None,
            Some(RegisterRule::Offset(offset)) => Some(*offset),
            Some(RegisterRule::Expression(at)) => {
                return match (cfa?, self.symbolic(at, pc)?) {
                    (Value::AtFp(offset), Value::Fp(0)) => {
                        Some(Rule::new(Kind::Realigned, offset, None))
                    }
                    _ => None,
                };
            }
            Some(_) => return None,
        };
        match cfa? {
            Value::Sp(offset) => Some(Rule::new(Kind::Sp, offset, saved)),
            Value::Fp(offset) => Some(Rule::new(Kind::Fp, offset, saved)),
            _ => None,
        }
    }

    /// The kernel's frame, if it is described as what it is.
    fn signal(&self, row: &Row, cfa: Option<Value>, pc: usize) -> Option<Rule> {
        let place = |register| match row.register(register) {
            Some(RegisterRule::Expression(at)) => self.symbolic(&at, pc),
            _ => None,
        };
        let is_known = cfa == Some(Value::AtSp(SIGNAL_SP as i64))
            && place(X86_64::RA) == Some(Value::Sp(SIGNAL_PC as i64))
            && place(X86_64::RBP) == Some(Value::Sp(SIGNAL_FP as i64));
        is_known.then_some(Rule::plain(Kind::Signal))
    }
}

/// Where the interrupted registers are, from the stack pointer in the signal trampoline: `gregs` of
/// a `ucontext_t`.
pub(super) const SIGNAL_FP: usize = 120;
pub(super) const SIGNAL_SP: usize = 160;
pub(super) const SIGNAL_PC: usize = 168;

/// The memory from `start` to `end`, of a module.
fn bytes(start: usize, end: usize) -> Option<&'static [u8]> {
    let len = end.checked_sub(start)?;
    // SAFETY: a part of a loaded module, from where its unwind information starts. The module stays
    // while a frame of it is on the stack, and the description ends before the part does.
    (start != 0).then(|| unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(start), len) })
}
