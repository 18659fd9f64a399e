//! The memory routines as shipped: every C function beside libc's, in every tier, at the edges of
//! what may be touched; whole programs with `libheapsight_mem.so` under them; and that no routine
//! calls what it might be itself.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionKind};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Run, TempDir, artifact, artifacts, source_root};

/// Tiers, as the option calls them. What the processor lacks falls back, and says so.
const TIERS: [&str; 5] = ["auto", "avx512", "avx2", "sse2", "off"];

#[test]
fn every_c_function_agrees_with_libc() {
    let directory = TempDir::new("mem");
    let program = directory.join("every");
    Run::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fno-builtin", "-g", "-o"])
        .arg(&program)
        .arg(source_root().join("tests/mem/every.c"))
        .arg("-I")
        .arg(source_root().join("include"))
        .arg(format!("-L{}", artifacts().display()))
        .arg("-lheapsight")
        .arg(format!("-Wl,-rpath,{}", artifacts().display()))
        .outcome()
        .expect_code(0);
    for tier in TIERS {
        let run = Run::new(&program).env("HEAPSIGHT", format!("simd={tier}"));
        let outcome = run.outcome().expect_code(0);
        let (out, err) = (outcome.out(), outcome.err());
        let serves = out.trim().strip_prefix("all agree: ").expect("what serves").to_string();
        let is_there = err.is_empty();
        assert_eq!(is_there, !err.contains(&format!("simd={tier}")), "{}", outcome.story());
        if is_there && tier != "auto" {
            assert_eq!(serves, tier, "{}", outcome.story());
        }
    }
}

#[test]
fn every_memory_function_of_the_header_is_tested() {
    let header = fs::read_to_string(source_root().join("include/heapsight.h")).expect("header");
    let program = fs::read_to_string(source_root().join("tests/mem/every.c")).expect("program");
    let names = header.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = [
        "heapsight_mem",
        "heapsight_bcmp",
        "heapsight_mismatch",
        "heapsight_str",
        "heapsight_stream",
        "heapsight_secure",
        "heapsight_features",
    ];
    let mut count = 0;
    // Errors with memory are another subject.
    let is_routine = |name: &&str| {
        ours.iter().any(|start| name.starts_with(start)) && !name.starts_with("heapsight_memory_")
    };
    for name in names.filter(is_routine) {
        count += 1;
        assert!(program.contains(name), "tests/mem/every.c does not call {name}");
    }
    assert!(count >= 20, "the header has them: {count}");
}

/// Programs that copy and compare much, and what they print.
fn programs(directory: &Path) -> Vec<(&'static str, Vec<String>)> {
    let lines: String = (0..4000_u64)
        .map(|at| format!("{:08x} {}\n", at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20, at % 7))
        .collect();
    fs::write(directory.join("lines"), lines).expect("lines");
    let source = "#include <string.h>\nint main(void) { char a[300] = {1}, b[300]; \
                  memcpy(b, a, 300); return memcmp(a, b, 300); }\n";
    fs::write(directory.join("small.c"), source).expect("source");
    let path = |name: &str| directory.join(name).display().to_string();
    let python = "import json; d = {str(i): 'x' * (i % 300) for i in range(3000)}; \
                  s = json.dumps(d); print(json.loads(s) == d, len(s), s.rfind('x'))";
    let shell = "for i in {1..2000}; do x=\"$x$i\"; done; echo ${#x} ${x:700:40}";
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    vec![
        ("sort", words(&["sort", &path("lines")])),
        ("bash", words(&["bash", "-c", shell])),
        ("cc1", words(&["cc", "-O2", "-S", "-o", "-", &path("small.c")])),
        ("python3", words(&["python3", "-c", python])),
    ]
}

#[test]
fn whole_programs_do_the_same_on_these_routines() {
    let directory = TempDir::new("interposed");
    let object = artifact("libheapsight_mem.so");
    for (name, words) in programs(directory.path()) {
        let (program, arguments) = words.split_first().expect("a program");
        let run = || Run::new(program).args(arguments).env("LC_ALL", "C");
        let natively = run().outcome();
        if natively.status.code() != Some(0) {
            eprintln!("skipped: {name} does not run here");
            continue;
        }
        for tier in TIERS {
            let outcome = run()
                .env("LD_PRELOAD", &object)
                .env("HEAPSIGHT", format!("simd=sse2,simd={tier}"))
                .outcome()
                .expect_code(0);
            assert!(outcome.stdout == natively.stdout, "{name} on {tier}: {}", outcome.story());
        }
    }
}

#[test]
fn both_objects_go_together() {
    let both = format!(
        "{} {}",
        artifact("libheapsight_mem.so").display(),
        artifact("libheapsight.so").display()
    );
    let outcome = Run::new("bash")
        .args(["-c", "x=$(seq 1000); echo ${#x}"])
        .env("LD_PRELOAD", both)
        .env("HEAPSIGHT", "track=full")
        .outcome()
        .expect_code(0);
    assert_eq!(outcome.out().trim(), "3892", "{}", outcome.story());
}

/// What the compiler makes calls of when it recognises a loop.
const RECOGNISED: [&str; 9] =
    ["memcpy", "memmove", "memset", "memcmp", "bcmp", "memchr", "memrchr", "strlen", "rawmemchr"];

#[test]
fn no_routine_calls_what_it_might_be_itself() {
    // The object that interposes defines these names, so that `nm -u` would not tell: what counts
    // is whether any instruction refers to them.
    // The profile for development has the second level.
    let levels = ["1", "3", "s"].map(|level| ("release", "release", Some(level)));
    for (profile, folder, level) in [("dev", "debug", None)].into_iter().chain(levels) {
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("kernels");
        let objects = target.join(folder).join("deps");
        let _absent = fs::remove_dir_all(&objects);
        let status = Command::new(env!("CARGO"))
            .args(["rustc", "--quiet", "--package", "heapsight-interpose", "--lib", "--profile"])
            .args([profile, "--target-dir"])
            .arg(&target)
            .args(["--", "--emit=obj", "-Ccodegen-units=1"])
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .envs(level.map(|level| ("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)))
            .env("CARGO_PROFILE_DEV_PANIC", "abort")
            .current_dir(source_root())
            .status()
            .expect("cargo runs");
        assert!(status.success(), "cargo rustc of the routines, {profile} {level:?}");
        let mut looked_at = 0;
        for entry in fs::read_dir(&objects).expect("objects").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("heapsight_mem") && name.ends_with(".o") {
                looked_at += names_only_others(&path);
            }
        }
        assert!(looked_at > 30, "{profile} {level:?}: the routines are elsewhere ({looked_at})");
    }
}

/// Asserts that no code in the object refers to a routine's name; how many functions it has.
fn names_only_others(path: &Path) -> usize {
    let bytes = fs::read(path).expect("an object");
    let file = object::File::parse(&*bytes).expect("an object");
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        // The constructor may call them; it runs when all is set up.
        let within = section.name().unwrap_or_default();
        let is_exported = RECOGNISED.iter().any(|name| within.ends_with(&format!(".{name}")));
        if !within.contains("routines") && !is_exported {
            continue;
        }
        for (_, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
            let symbol = file.symbol_by_index(symbol).expect("its symbol");
            let name = symbol.name().unwrap_or_default();
            assert!(!RECOGNISED.contains(&name), "{}: {within} calls {name}", path.display());
        }
    }
    let symbols = file.symbols();
    symbols.filter(|symbol| symbol.name().is_ok_and(|name| name.contains("instance"))).count()
}
