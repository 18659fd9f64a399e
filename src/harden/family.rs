//! Families of allocation functions: a block is freed by the family that allocated it.

/// A family. Two bits, kept with each block that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Family {
    /// `malloc` and its relatives, and `free`.
    C = 0,
    /// `operator new` and `operator delete`.
    New = 1,
    /// `operator new[]` and `operator delete[]`.
    NewArray = 2,
    /// Rust's global allocator.
    Rust = 3,
}

impl Family {
    /// What [`Self::number`] gave; of more bits the lowest two count.
    pub(crate) const fn from_number(number: u64) -> Self {
        match number & 3 {
            1 => Self::New,
            2 => Self::NewArray,
            3 => Self::Rust,
            _ => Self::C,
        }
    }

    pub(crate) const fn number(self) -> u64 {
        self as u64
    }

    /// What its blocks are allocated with.
    pub(crate) const fn allocator(self) -> &'static str {
        match self {
            Self::C => "malloc",
            Self::New => "operator new",
            Self::NewArray => "operator new[]",
            Self::Rust => "Rust's allocator",
        }
    }

    /// What its blocks are freed with.
    pub(crate) const fn deallocator(self) -> &'static str {
        match self {
            Self::C => "free",
            Self::New => "operator delete",
            Self::NewArray => "operator delete[]",
            Self::Rust => "Rust's deallocator",
        }
    }
}
