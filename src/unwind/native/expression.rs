//! DWARF expressions of call frame information.
//!
//! They are evaluated in two worlds. In the one of rules ([`Symbolic`]) the registers are unknown:
//! compilers and assemblers write few forms, a register plus a constant, what such a sum points at,
//! and for stubs of the procedure linkage table a condition on the program counter; as the program
//! counter is known, all of them come down to a [`Value`]. In the other, that of the slow path, all
//! registers and the memory are at hand, and every value is [`Value::Known`].

use super::cfi::Bytes;
use gimli::{Expression, Operation, Register, X86_64};

/// A value in terms of the registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A constant.
    Known(i64),
    /// The stack pointer plus a constant.
    Sp(i64),
    /// The frame pointer plus a constant.
    Fp(i64),
    /// What the stack pointer plus a constant points at.
    AtSp(i64),
    /// What the frame pointer plus a constant points at.
    AtFp(i64),
}

/// What an expression is evaluated in; `None` is what there is no answer to.
pub(super) trait World {
    fn register(&mut self, register: Register) -> Option<Value>;
    fn word_at(&mut self, address: Value) -> Option<Value>;
}

/// The world at a program counter, of which nothing else is known.
pub(super) struct Symbolic {
    pub(super) pc: usize,
}

impl World for Symbolic {
    fn register(&mut self, register: Register) -> Option<Value> {
        match register {
            X86_64::RSP => Some(Value::Sp(0)),
            X86_64::RBP => Some(Value::Fp(0)),
            X86_64::RA => Some(Value::Known(self.pc as i64)),
            _ => None,
        }
    }

    fn word_at(&mut self, address: Value) -> Option<Value> {
        match address {
            Value::Sp(offset) => Some(Value::AtSp(offset)),
            Value::Fp(offset) => Some(Value::AtFp(offset)),
            _ => None,
        }
    }
}

const DEPTH_MAX: usize = 8;
/// Operations of one evaluation: there are none that jump, but lengths come from files.
const OPERATIONS_MAX: usize = 64;

/// The operands of an expression.
struct Operands {
    values: [Value; DEPTH_MAX],
    len: usize,
}

impl Operands {
    fn push(&mut self, value: Value) -> Option<()> {
        *self.values.get_mut(self.len)? = value;
        self.len += 1;
        Some(())
    }

    fn pop(&mut self) -> Option<Value> {
        self.len = self.len.checked_sub(1)?;
        self.values.get(self.len).copied()
    }

    fn pop_known(&mut self) -> Option<i64> {
        match self.pop()? {
            Value::Known(value) => Some(value),
            _ => None,
        }
    }
}

/// The value of an expression that starts with `first` as its operand, if any.
pub(super) fn evaluate(
    expression: Expression<Bytes>,
    world: &mut dyn World,
    first: Option<Value>,
) -> Option<Value> {
    let mut operands = Operands { values: [Value::Known(0); DEPTH_MAX], len: 0 };
    if let Some(first) = first {
        operands.push(first)?;
    }
    let mut rest = expression.0;
    for _ in 0..OPERATIONS_MAX {
        if rest.is_empty() {
            return operands.pop();
        }
        let operation = Operation::parse(&mut rest, ENCODING).ok()?;
        let value = match operation {
            Operation::RegisterOffset { register, offset, .. } => {
                add(world.register(register)?, Value::Known(offset))?
            }
            Operation::UnsignedConstant { value } => Value::Known(value as i64),
            Operation::SignedConstant { value } => Value::Known(value),
            Operation::PlusConstant { value } => add(operands.pop()?, Value::Known(value as i64))?,
            Operation::Deref { size: 8, space: false, .. } => world.word_at(operands.pop()?)?,
            Operation::Plus => {
                let right = operands.pop()?;
                add(operands.pop()?, right)?
            }
            operation => {
                let right = operands.pop_known()?;
                Value::Known(known(&operation, operands.pop_known()?, right)?)
            }
        };
        operands.push(value)?;
    }
    None
}

fn add(left: Value, right: Value) -> Option<Value> {
    let (term, constant) = match (left, right) {
        (term, Value::Known(constant)) | (Value::Known(constant), term) => (term, constant),
        _ => return None,
    };
    Some(match term {
        Value::Known(value) => Value::Known(value.wrapping_add(constant)),
        Value::Sp(offset) => Value::Sp(offset.checked_add(constant)?),
        Value::Fp(offset) => Value::Fp(offset.checked_add(constant)?),
        Value::AtSp(_) | Value::AtFp(_) => return None,
    })
}

/// An operation on two constants.
fn known(operation: &Operation<Bytes>, left: i64, right: i64) -> Option<i64> {
    Some(match operation {
        Operation::And => left & right,
        Operation::Or => left | right,
        Operation::Minus => left.wrapping_sub(right),
        Operation::Mul => left.wrapping_mul(right),
        Operation::Shl => left.checked_shl(u32::try_from(right).ok()?)?,
        Operation::Eq => i64::from(left == right),
        Operation::Ne => i64::from(left != right),
        Operation::Ge => i64::from(left >= right),
        Operation::Gt => i64::from(left > right),
        Operation::Le => i64::from(left <= right),
        Operation::Lt => i64::from(left < right),
        _ => return None,
    })
}

pub(super) const ENCODING: gimli::Encoding =
    gimli::Encoding { address_size: 8, format: gimli::Format::Dwarf32, version: 5 };

#[cfg(test)]
mod tests {
    use super::*;
    use gimli::{EndianSlice, LittleEndian};

    fn value(code: &'static [u8], pc: usize) -> Option<Value> {
        evaluate(Expression(EndianSlice::new(code, LittleEndian)), &mut Symbolic { pc }, None)
    }

    #[test]
    fn a_linkage_stub_is_a_condition_on_the_program_counter() {
        // breg7 8; breg16 0; lit15; and; lit11; ge; lit3; shl; plus
        let stub = &[0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];
        assert_eq!(value(stub, 0x1000), Some(Value::Sp(8)));
        assert_eq!(value(stub, 0x100a), Some(Value::Sp(8)));
        assert_eq!(value(stub, 0x100b), Some(Value::Sp(16)));
    }

    #[test]
    fn what_a_register_points_at_ends_the_arithmetic() {
        assert_eq!(value(&[0x76, 0x78, 0x06], 0), Some(Value::AtFp(-8)));
        assert_eq!(value(&[0x77, 0xa0, 0x01, 0x06], 0), Some(Value::AtSp(160)));
        assert_eq!(value(&[0x76, 0x78, 0x06, 0x23, 8], 0), None);
        assert_eq!(value(&[0x73, 0], 0), None, "another register");
        assert_eq!(value(&[0x22], 0), None, "nothing to add");
    }
}
