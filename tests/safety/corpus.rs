//! The mistakes, and what must be said of each.

/// What a planted program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cpp,
}

/// A program with one mistake, or none.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) language: Language,
    pub(crate) arguments: Vec<String>,
    /// What `safety=basic` must say, and `safety=full`; `None`: nothing, and the program runs on.
    pub(crate) basic: Option<&'static str>,
    pub(crate) full: Option<&'static str>,
    /// Functions that must be in the stacks of `safety=full`.
    pub(crate) functions: &'static [&'static str],
}

impl Case {
    pub(crate) fn name(&self) -> String {
        format!("{:?} {}", self.language, self.arguments.join(" "))
    }
}

/// A kind of mistake in C.
struct Kind {
    name: &'static str,
    basic: Option<&'static str>,
    full: Option<&'static str>,
    functions: &'static [&'static str],
}

const fn both(name: &'static str, said: &'static str, functions: &'static [&'static str]) -> Kind {
    Kind { name, basic: Some(said), full: Some(said), functions }
}

const fn full(name: &'static str, said: &'static str, functions: &'static [&'static str]) -> Kind {
    Kind { name, basic: None, full: Some(said), functions }
}

const OVERFLOW: &str = "heap buffer overflow: ";
const UNDERFLOW: &str = "heap buffer underflow: ";
const WRITTEN_LATE: &str = "write after free: ";
const DOUBLE: &str = "double free: ";
const INVALID: &str = "invalid free: ";
const FOREIGN: &str = "foreign free: ";
const MIXED: &str = "allocation family mismatch: ";
const SIZE: &str = "size mismatch: ";

const KINDS: &[Kind] = &[
    Kind { name: "none", basic: None, full: None, functions: &[] },
    full("overflow-1", OVERFLOW, &["allocate_it", "free_it"]),
    full("overflow-nul", OVERFLOW, &["allocate_it", "free_it"]),
    full("overflow-8", OVERFLOW, &["allocate_it", "free_it"]),
    full("overflow-realloc", OVERFLOW, &["allocate_it", "misuse"]),
    full("underflow-1", UNDERFLOW, &["allocate_it", "free_it"]),
    full("underflow-8", UNDERFLOW, &["allocate_it", "free_it"]),
    full("write-after-free", WRITTEN_LATE, &["allocate_it", "free_it"]),
    full("write-after-free-end", WRITTEN_LATE, &["allocate_it", "free_it"]),
    both("double-free", DOUBLE, &["allocate_it", "free_it", "free_again"]),
    both("free-inside", INVALID, &["allocate_it", "free_again"]),
    both("free-off-by-1", INVALID, &["allocate_it", "free_again"]),
    both("free-stack", FOREIGN, &["free_again"]),
    both("free-static", FOREIGN, &["free_again"]),
    both("realloc-after-free", DOUBLE, &["allocate_it", "free_it", "misuse"]),
    both("realloc-inside", INVALID, &["allocate_it", "misuse"]),
    full("double-free-later", DOUBLE, &["allocate_it", "free_it", "free_again"]),
];

const ORIGINS: [&str; 4] = ["malloc", "calloc", "realloc", "aligned"];
const SIZES: [u32; 6] = [17, 24, 100, 1000, 5000, 100_000];

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, kind) in KINDS.iter().enumerate() {
        for (turn, size) in SIZES.into_iter().enumerate() {
            // Every origin with every kind, and every size with every kind.
            let origin = ORIGINS[(index + turn) % ORIGINS.len()];
            cases.push(c(kind, origin, size, turn % 3 == 2));
        }
    }
    cases.extend(cpp());
    cases
}

fn c(kind: &Kind, origin: &str, size: u32, by_thread: bool) -> Case {
    let mut arguments = vec![kind.name.to_string(), origin.to_string(), size.to_string()];
    arguments.extend(by_thread.then(|| "thread".to_string()));
    let Kind { basic, full, functions, .. } = *kind;
    Case { language: Language::C, arguments, basic, full, functions }
}

fn cpp() -> Vec<Case> {
    let case = |kind: &str, size: u32, basic, full, functions| Case {
        language: Language::Cpp,
        arguments: vec![kind.to_string(), size.to_string()],
        basic,
        full,
        functions,
    };
    let mut cases = vec![
        case("base", 0, None, Some(SIZE), &["delete_by_base"][..]),
        case("wrong-size", 24, None, Some(SIZE), &["allocate_it", "free_it"]),
        case("vector", 24, None, Some(OVERFLOW), &["overflow_vector"]),
        case("string", 100, None, Some(WRITTEN_LATE), &["write_freed_string"]),
        case("twice", 100, Some(DOUBLE), Some(DOUBLE), &["delete_twice"]),
    ];
    const RIGHT: [&str; 4] = ["malloc/free", "new/delete", "new[]/delete[]", "new/sized"];
    const WRONG: [&str; 6] = [
        "malloc/delete",
        "malloc/delete[]",
        "new/free",
        "new[]/free",
        "new/delete[]",
        "new[]/delete",
    ];
    for size in [8, 100, 5000, 600_000] {
        cases.extend(RIGHT.map(|kind| case(kind, size, None, None, &[])));
        let functions = &["allocate_it", "free_it"][..];
        cases.extend(WRONG.map(|kind| case(kind, size, None, Some(MIXED), functions)));
        cases.push(case("aligned/aligned", size, None, None, &[]));
    }
    cases
}
