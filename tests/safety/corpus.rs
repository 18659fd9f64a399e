//! The mistakes, and what must be said of each.

use std::fmt::{self, Display, Formatter};

/// What a planted program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    C,
    Cpp,
    Rust,
}

impl Display for Language {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::C => "C",
            Self::Cpp => "C++",
            Self::Rust => "Rust",
        })
    }
}

/// How the programs are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Basic,
    Full,
    Guard,
    Left,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Basic, Self::Full, Self::Guard, Self::Left];

    /// With a seed, so that every run is like the last.
    pub(crate) const fn options(self) -> &'static str {
        match self {
            Self::Basic => "safety=basic",
            Self::Full => "safety=full,safety_seed=1",
            Self::Guard => "safety=guard,safety_seed=1",
            Self::Left => "safety=guard,guard_side=left,safety_seed=1",
        }
    }

    pub(crate) const fn watches(self) -> bool {
        !matches!(self, Self::Basic)
    }
}

/// Whether a mode finds a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Yes,
    No,
    /// Of blocks above half a MiB: they have guards in every watching mode.
    Large,
    /// By luck.
    Perhaps,
}

/// A kind of mistake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) language: Language,
    pub(crate) name: &'static str,
    /// What a report begins with: one of these.
    pub(crate) says: &'static [&'static str],
    /// By mode, in their order.
    found: [Found; 4],
    /// Functions that must be in the report of a watching mode.
    pub(crate) functions: &'static [&'static str],
}

impl Kind {
    pub(crate) fn is_right(&self) -> bool {
        self.says.is_empty()
    }

    /// Whether the mode finds it. `None`: nobody can say.
    pub(crate) fn is_found(&self, mode: Mode, size: u32) -> Option<bool> {
        match self.found[mode as usize] {
            Yes => Some(true),
            No => Some(false),
            Large => Some(size > 512 << 10),
            Perhaps => None,
        }
    }
}

/// A program with one mistake, or none.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) size: u32,
    pub(crate) arguments: Vec<String>,
}

const fn kind(
    language: Language,
    name: &'static str,
    says: &'static [&'static str],
    found: [Found; 4],
    functions: &'static [&'static str],
) -> Kind {
    Kind { language, name, says, found, functions }
}

use Found::{Large, No, Perhaps, Yes};
use Language::{C, Cpp, Rust};

const WATCHED: [Found; 4] = [No, Yes, Yes, Yes];
const ALWAYS: [Found; 4] = [Yes, Yes, Yes, Yes];
/// Without a watch the heap's own data is hit.
const LUCK: [Found; 4] = [Perhaps, Yes, Yes, Yes];
const NEVER: [Found; 4] = [No, No, No, No];

const OVERFLOW: &[&str] = &["heap buffer overflow: "];
const UNDERFLOW: &[&str] = &["heap buffer underflow: "];
const FREED: &[&str] = &["write after free: ", "use after free: "];
const FRESH: &[&str] = &["use of uninitialised memory: "];
const DOUBLE: &[&str] = &["double free: "];
const INVALID: &[&str] = &["invalid free: "];
const FOREIGN: &[&str] = &["foreign free: "];
const MIXED: &[&str] = &["allocation family mismatch: "];
const SIZE: &[&str] = &["size mismatch: "];

const BLOCK: &[&str] = &["allocate_it"];
const SIZED: &[&str] = &["allocate_it", "free_by_size"];
const ENDED: &[&str] = &["allocate_it", "free_it"];

/// What `planted/misuse.c` does.
const C_KINDS: &[Kind] = &[
    kind(C, "none", &[], NEVER, &[]),
    kind(C, "overflow-1", OVERFLOW, WATCHED, BLOCK),
    kind(C, "overflow-nul", OVERFLOW, WATCHED, BLOCK),
    kind(C, "overflow-8", OVERFLOW, WATCHED, BLOCK),
    kind(C, "overflow-copy", OVERFLOW, WATCHED, BLOCK),
    kind(C, "overflow-unfreed", OVERFLOW, WATCHED, BLOCK),
    kind(C, "overflow-realloc", OVERFLOW, WATCHED, BLOCK),
    kind(C, "overflow-shrunk", OVERFLOW, WATCHED, &["misuse"]),
    kind(C, "overflow-read", OVERFLOW, [No, No, Yes, No], BLOCK),
    kind(C, "underflow-1", UNDERFLOW, WATCHED, BLOCK),
    kind(C, "underflow-8", UNDERFLOW, WATCHED, BLOCK),
    kind(C, "underflow-read", UNDERFLOW, [No, Large, No, Yes], BLOCK),
    kind(C, "write-after-free", FREED, WATCHED, ENDED),
    kind(C, "write-after-free-end", FREED, WATCHED, ENDED),
    kind(C, "write-after-realloc", FREED, WATCHED, &["allocate_it", "misuse"]),
    kind(C, "read-after-free", FREED, [No, Large, Yes, Yes], ENDED),
    kind(C, "follow-after-free", FREED, [Perhaps, Yes, Yes, Yes], &[]),
    kind(C, "follow-fresh", FRESH, [Perhaps, Yes, Yes, Yes], &[]),
    kind(C, "double-free", DOUBLE, ALWAYS, &["allocate_it", "free_it", "free_again"]),
    kind(C, "double-free-later", DOUBLE, [Perhaps, Yes, Yes, Yes], ENDED),
    kind(C, "free-inside", INVALID, ALWAYS, &["free_again"]),
    kind(C, "free-off-by-1", INVALID, ALWAYS, &["free_again"]),
    kind(C, "free-before", INVALID, ALWAYS, &["free_again"]),
    kind(C, "free-stack", FOREIGN, ALWAYS, &["free_again"]),
    kind(C, "free-static", FOREIGN, ALWAYS, &["free_again"]),
    kind(C, "realloc-after-free", DOUBLE, ALWAYS, ENDED),
    kind(C, "realloc-inside", INVALID, ALWAYS, &["misuse"]),
    kind(C, "empty", &[], NEVER, &[]),
    kind(C, "empty-write", OVERFLOW, WATCHED, &["allocate_empty"]),
    kind(C, "empty-read", OVERFLOW, [No, No, Yes, Yes], &["allocate_empty"]),
    kind(C, "sized", &[], NEVER, &[]),
    kind(C, "sized-off-by-1", SIZE, WATCHED, SIZED),
    kind(C, "sized-too-small", SIZE, ALWAYS, SIZED),
    kind(C, "sized-too-large", SIZE, ALWAYS, SIZED),
    kind(C, "sized-realloc", SIZE, ALWAYS, &["allocate_it", "misuse"]),
    kind(C, "sized-align", SIZE, WATCHED, &["allocate_it", "misuse"]),
];

/// What `planted/misuse.cpp` does, with any block.
const CPP_KINDS: &[Kind] = &[
    kind(Cpp, "new/delete", &[], NEVER, &[]),
    kind(Cpp, "new[]/delete[]", &[], NEVER, &[]),
    kind(Cpp, "malloc/free", &[], NEVER, &[]),
    kind(Cpp, "new/sized", &[], NEVER, &[]),
    kind(Cpp, "aligned/aligned", &[], NEVER, &[]),
    kind(Cpp, "malloc/delete", MIXED, WATCHED, ENDED),
    kind(Cpp, "malloc/delete[]", MIXED, WATCHED, ENDED),
    kind(Cpp, "new/free", MIXED, WATCHED, ENDED),
    kind(Cpp, "new[]/free", MIXED, WATCHED, ENDED),
    kind(Cpp, "new/delete[]", MIXED, WATCHED, ENDED),
    kind(Cpp, "new[]/delete", MIXED, WATCHED, ENDED),
    kind(Cpp, "new[]/sized[]", &[], NEVER, &[]),
    kind(Cpp, "aligned/sized-aligned", &[], NEVER, &[]),
    kind(Cpp, "base", SIZE, ALWAYS, &["delete_by_base"]),
    kind(Cpp, "wrong-size", SIZE, WATCHED, ENDED),
    kind(Cpp, "wrong-class", SIZE, ALWAYS, ENDED),
    kind(Cpp, "wrong-class[]", SIZE, ALWAYS, ENDED),
    kind(Cpp, "wrong-class-aligned", SIZE, ALWAYS, ENDED),
    kind(Cpp, "vector", OVERFLOW, WATCHED, &["overflow_vector"]),
    kind(Cpp, "string", FREED, WATCHED, &["write_freed_string"]),
    kind(Cpp, "empty", OVERFLOW, WATCHED, &["write_empty"]),
    kind(Cpp, "twice", DOUBLE, ALWAYS, &["delete_twice"]),
];

/// What [`crate::planted`] does, with Heapsight as the global allocator.
const RUST_KINDS: &[Kind] = &[
    kind(Rust, "none", &[], NEVER, &[]),
    kind(Rust, "overflow", OVERFLOW, LUCK, BLOCK),
    kind(Rust, "underflow", UNDERFLOW, LUCK, BLOCK),
    kind(Rust, "write-after-free", FREED, LUCK, ENDED),
    kind(Rust, "read-after-free", FREED, [No, Large, Yes, Yes], ENDED),
    kind(Rust, "double-free", DOUBLE, ALWAYS, ENDED),
    kind(Rust, "free-inside", INVALID, ALWAYS, BLOCK),
    kind(Rust, "empty", OVERFLOW, WATCHED, &["empty_it"]),
    kind(Rust, "resized", &[], NEVER, &[]),
    kind(Rust, "wrong-layout", SIZE, ALWAYS, BLOCK),
    kind(Rust, "wrong-class", SIZE, ALWAYS, BLOCK),
    kind(Rust, "wrong-class-resized", SIZE, ALWAYS, BLOCK),
    kind(Rust, "wrong-align", SIZE, WATCHED, BLOCK),
];

const ORIGINS: [&str; 4] = ["malloc", "calloc", "realloc", "aligned"];
const SIZES: [u32; 6] = [17, 24, 100, 5000, 100_000, 600_000];
const FEW_SIZES: [u32; 2] = [24, 600_000];

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, kind) in C_KINDS.iter().enumerate() {
        for (turn, size) in SIZES.into_iter().enumerate() {
            // Every origin with every kind, and every size with every kind.
            let origin = ORIGINS[(index + turn) % ORIGINS.len()];
            let mut arguments = vec![kind.name.to_string(), origin.to_string(), size.to_string()];
            // Whose block the one before is, only its owner can say while it is free.
            let is_by_thread = turn % 3 == 2 && kind.says != UNDERFLOW;
            arguments.extend(is_by_thread.then(|| "thread".to_string()));
            cases.push(Case { kind: *kind, size, arguments });
        }
    }
    for origin in ORIGINS {
        for size in SIZES {
            let arguments = vec!["none".into(), origin.into(), size.to_string(), "thread".into()];
            cases.push(Case { kind: C_KINDS[0], size, arguments });
        }
    }
    for kind in CPP_KINDS.iter().chain(RUST_KINDS) {
        for size in FEW_SIZES {
            // The size of an object is its class's.
            let size = if kind.name == "base" { 116 } else { size };
            cases.push(Case {
                kind: *kind,
                size,
                arguments: vec![kind.name.to_string(), size.to_string()],
            });
        }
    }
    cases
}
