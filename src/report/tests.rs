//! Symbols of objects that a C compiler makes: with debug information, stripped, with debug
//! information apart, and damaged. Without a C compiler or binutils they say so and pass.

use super::image::Image;
use super::imports::Imports;
use super::model::Frame;
use super::modules::{Module, Modules};
use super::symbols::{Detail, Symbolizer};
use super::table::SymbolTable;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{env, eprintln, format, fs, process};

/// `outer` has `inner` compiled into it; line 6 allocates.
const SOURCE: &str = "\
#include <stdlib.h>
__attribute__((always_inline)) static inline void *inner(int n) {
    char *block;
    if (n > 9)
        return 0;
    block = malloc(n);
    if (block)
        block[0] = 1;
    return block;
}
void *outer(int n) { char *block = inner(n + 1); if (block) block[1] = 2; return block; }
__attribute__((noinline)) static int hidden(int n) { return getenv(\"A\") ? n : rand(); }
int visible(int n) { return hidden(n) + 1; }
";

/// A shared object in a folder of its own, which goes with it.
struct Library {
    folder: PathBuf,
    path: PathBuf,
}

impl Library {
    fn build(name: &str, flags: &[&str]) -> Option<Self> {
        let folder = env::temp_dir().join(format!("heapsight-report-{name}-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let library = Self { path: folder.join("lib.so"), folder };
        fs::write(library.folder.join("source.c"), SOURCE).expect("a file");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-g", "-Wl,--build-id", "-o", "lib.so", "source.c"])
            .args(flags)
            .current_dir(&library.folder)
            .status();
        is_done("cc", compiled).then_some(library)
    }

    fn run(&self, tool: &str, arguments: &[&str]) -> bool {
        is_done(tool, Command::new(tool).args(arguments).current_dir(&self.folder).status())
    }

    fn table(&self) -> SymbolTable {
        SymbolTable::of(self.image())
    }

    fn image(&self) -> Rc<Image> {
        Rc::new(Image::open(&self.path).expect("an object"))
    }

    /// As if it were loaded where it is linked.
    fn modules(&self) -> Modules {
        modules_of(&self.path, None)
    }

    /// The addresses behind every byte of a function.
    fn addresses(&self, function: &str) -> Vec<u64> {
        let table = self.table();
        let found: Vec<_> = (0..0x1_0000)
            .filter(|address| table.find(*address).is_some_and(|found| found.name == function))
            .map(|address| address + 1)
            .collect();
        assert!(!found.is_empty(), "no {function} in {}", self.path.display());
        found
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // A folder that stays behind among the temporary ones harms nobody.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

fn is_done(tool: &str, status: std::io::Result<process::ExitStatus>) -> bool {
    match status {
        Ok(status) => {
            assert!(status.success(), "{tool} failed");
            true
        }
        Err(error) => {
            eprintln!("skipped: {tool} cannot be run: {error}");
            false
        }
    }
}

fn modules_of(path: &Path, build_id: Option<Vec<u8>>) -> Modules {
    let mut modules = Modules::default();
    let segments = Vec::from([(0, 0x1_0000)]);
    modules.extend([Module { path: path.into(), bias: 0, segments, build_id }]);
    modules
}

/// All frames at these addresses.
fn frames(modules: &Modules, addresses: &[u64]) -> Vec<Frame> {
    Symbolizer::new(modules).frames(addresses, Detail::Lines)
}

fn names(frames: &[Frame]) -> Vec<&str> {
    let mut names: Vec<_> =
        frames.iter().map(|frame| frame.function.as_deref().unwrap_or("??")).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn inlined_functions_and_lines_are_found() {
    let Some(library) = Library::build("inlined", &[]) else { return };
    let frames = frames(&library.modules(), &library.addresses("outer"));
    let inner: Vec<_> =
        frames.iter().filter(|frame| frame.function.as_deref() == Some("inner")).collect();
    assert!(inner.iter().all(|frame| frame.inlined) && !inner.is_empty());
    assert!(inner.iter().any(|frame| frame.line == Some(6)), "{inner:?}");
    let outer = frames.iter().find(|frame| !frame.inlined).expect("a frame");
    assert_eq!((outer.function.as_deref(), outer.line), (Some("outer"), Some(11)));
    assert!(outer.file.as_ref().is_some_and(|file| file.ends_with("source.c")));
}

#[test]
fn a_stripped_object_has_the_names_of_its_exports_alone() {
    let Some(library) = Library::build("stripped", &[]) else { return };
    let (outer, hidden) = (library.addresses("outer"), library.addresses("hidden"));
    if !library.run("strip", &["lib.so"]) {
        return;
    }
    let modules = library.modules();
    assert_eq!(names(&frames(&modules, &outer)), ["outer"]);
    let hidden = frames(&modules, &hidden);
    assert_eq!(names(&hidden), ["??"]);
    assert_eq!(hidden[0].module, Some(library.path.display().to_string()));
    assert!(hidden.iter().all(|frame| frame.address > 0 && !frame.inlined));
}

#[test]
fn debug_information_apart_is_found_by_its_link_unless_it_is_of_another_build() {
    let Some(library) = Library::build("apart", &[]) else { return };
    let addresses = library.addresses("hidden");
    let is_split = library.run("objcopy", &["--only-keep-debug", "lib.so", "lib.debug"])
        && library.run("objcopy", &["--strip-all", "--add-gnu-debuglink=lib.debug", "lib.so"]);
    if !is_split {
        return;
    }
    let found = frames(&library.modules(), &addresses);
    assert_eq!(names(&found), ["hidden"]);
    assert!(found.iter().any(|frame| frame.line == Some(12)));
    let other = Library::build("other", &["-DOTHER"]).expect("as before");
    let id = ["-Wl,--build-id=0x1234"];
    assert!(other.run("cc", &[&["-shared", "-g", "-o", "other.so", "source.c"][..], &id].concat()));
    let debug = library.folder.join("lib.debug");
    fs::copy(other.folder.join("other.so"), &debug).expect("a copy");
    assert_eq!(names(&frames(&library.modules(), &addresses)), ["??"]);
}

#[test]
fn a_file_that_is_not_what_was_loaded_names_nothing() {
    let Some(library) = Library::build("replaced", &[]) else { return };
    let addresses = library.addresses("outer");
    let id = library.image().build_id().map(<[u8]>::to_vec);
    let is_named = |id| names(&frames(&modules_of(&library.path, id), &addresses)) != ["??"];
    assert!(is_named(id));
    assert!(!is_named(Some(Vec::from([1, 2, 3]))));
    let gone = modules_of(Path::new("/nonexistent/lib.so"), None);
    assert_eq!(names(&frames(&gone, &addresses)), ["??"]);
}

#[test]
fn calls_tell_which_import_they_call() {
    for flags in [&[][..], &["-fno-plt"], &["-fcf-protection=full"], &["-Wl,-z,lazy"]] {
        let Some(library) = Library::build("imports", flags) else { return };
        let imports = Imports::of(library.image());
        let of = |function: &str| {
            let mut called: Vec<String> = library
                .addresses(function)
                .iter()
                .filter_map(|address| imports.callee(*address))
                .collect();
            called.sort_unstable();
            called
        };
        if cfg!(target_arch = "x86_64") {
            assert_eq!(of("outer"), ["malloc"], "{flags:?}");
            assert!(of("hidden").contains(&"getenv".to_string()), "{flags:?}");
        }
        assert!(of("visible").is_empty(), "{flags:?}");
    }
}

/// Bytes are overturned all over the file, by a generator that is the same in each run.
#[test]
fn damaged_objects_give_unknown_frames() {
    let Some(library) = Library::build("damaged", &[]) else { return };
    let addresses = library.addresses("outer");
    let sound = fs::read(&library.path).expect("readable");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap_or(0)
    };
    for round in 0..200 {
        let mut damaged = sound.clone();
        for _ in 0..=random(64) {
            let at = random(damaged.len());
            damaged[at] = [0, 0x80, 0xff][random(3)];
        }
        damaged.truncate(if round % 4 == 0 { random(sound.len()) } else { sound.len() });
        fs::write(&library.path, &damaged).expect("writable");
        assert!(frames(&library.modules(), &addresses).len() >= addresses.len());
    }
}
