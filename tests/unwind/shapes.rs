//! Random walks through frames of many shapes.

use crate::budget::budget;
use crate::hook;
use crate::objects::{Object, compiled};
use std::ffi::{c_int, c_long, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) type Shape = unsafe extern "C-unwind" fn(*mut Walk, c_int);

/// `struct walk`.
#[repr(C)]
pub(crate) struct Walk {
    seed: u64,
    budget: c_long,
    hook: extern "C" fn(),
    go: Option<Shape>,
    wild: c_int,
    extras: c_int,
    extra: [Option<Shape>; 8],
    jump: *mut c_void,
    catcher: c_int,
    alternate: c_int,
    depth: c_int,
}

impl Walk {
    /// A walk of `budget` comparisons.
    pub(crate) fn new(seed: u64, budget: c_long) -> Self {
        Self {
            seed,
            budget,
            hook: hook::hook,
            go: None,
            wild: 0,
            extras: 0,
            extra: [None; 8],
            jump: std::ptr::null_mut(),
            catcher: 0,
            alternate: 0,
            depth: 0,
        }
    }
}

/// The walks, by how they were compiled.
struct Walks {
    runs: Vec<Shape>,
    prepare: unsafe extern "C" fn(*mut c_void, usize),
    throwing: Shape,
}

const LEVELS: &[(&str, &[&str])] = &[
    ("o0", &["-O0"]),
    ("o1", &["-O1", "-fomit-frame-pointer"]),
    ("o2", &["-O2", "-fomit-frame-pointer"]),
    ("o3", &["-O3", "-fomit-frame-pointer", "-march=x86-64-v2"]),
    ("os", &["-Os", "-fomit-frame-pointer", "-maccumulate-outgoing-args"]),
    ("fp", &["-O2", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"]),
];

fn walks() -> &'static Walks {
    static WALKS: OnceLock<Walks> = OnceLock::new();
    WALKS.get_or_init(|| {
        let mut prepare = None;
        let mut runs = Vec::new();
        for (name, options) in LEVELS {
            let path = compiled(&format!("shapes-{name}.so"), "shapes.c", options);
            let object = Object::open(&path, libc::RTLD_NOW);
            // SAFETY: the function has this type.
            runs.push(unsafe {
                std::mem::transmute::<*mut c_void, Shape>(object.symbol(c"walk_run"))
            });
            prepare = Some(object.symbol(c"walk_prepare"));
        }
        let path = compiled("throwing.so", "throwing.cpp", &["-O2", "-fomit-frame-pointer"]);
        let throwing = Object::open(&path, libc::RTLD_NOW).symbol(c"throwing");
        // SAFETY: the functions have these types.
        unsafe {
            Walks {
                runs,
                prepare: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut c_void, usize),
                >(prepare.expect("an object")),
                throwing: std::mem::transmute::<*mut c_void, Shape>(throwing),
            }
        }
    })
}

/// A frame of Rust's, with one of its standard library now and then.
unsafe extern "C-unwind" fn sorting(walk: *mut Walk, depth: c_int) {
    // SAFETY: the walk is this thread's.
    let go = unsafe { (*walk).go }.expect("walking");
    let mut numbers = [3, 1, 2, 5, 4];
    // SAFETY: as above. Neither jumps nor exceptions leave through here.
    let (jump, catcher) = unsafe {
        let kept = ((*walk).jump, (*walk).catcher);
        ((*walk).jump, (*walk).catcher) = (std::ptr::null_mut(), 0);
        kept
    };
    numbers.sort_by(|left: &i32, right| {
        if *left == 3 {
            // SAFETY: goes on with the same walk.
            unsafe { go(walk, depth / 2) };
        }
        left.cmp(right)
    });
    // SAFETY: as above.
    unsafe {
        go(walk, depth);
        ((*walk).jump, (*walk).catcher) = (jump, catcher);
    }
}

const ALTERNATE_LEN: usize = 4 << 20;

/// Walks with `budget` comparisons for each level of optimisation.
pub(crate) fn walk(mut seed: u64, budget: c_long, depth: c_int, is_wild: bool) {
    let walks = walks();
    let mut alternate = vec![0u8; ALTERNATE_LEN];
    for run in &walks.runs {
        // SAFETY: the stack is large enough and lives until it is taken away below.
        unsafe { (walks.prepare)(alternate.as_mut_ptr().cast(), alternate.len()) };
        seed = seed.wrapping_add(1);
        let mut walk = Walk::new(seed, budget);
        walk.wild = is_wild.into();
        walk.extras = 2;
        walk.extra[0] = Some(walks.throwing);
        walk.extra[1] = Some(sorting);
        // SAFETY: a walk of this thread's.
        unsafe { run(&raw mut walk, depth) };
    }
    let disable = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: ALTERNATE_LEN,
    };
    // SAFETY: no handler runs.
    unsafe { libc::sigaltstack(&raw const disable, std::ptr::null_mut()) };
}

fn on_a_large_stack(action: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(action);
    thread.expect("a thread").join().expect("agreement");
}

#[test]
fn tame_walks_are_captured_exactly() {
    on_a_large_stack(|| walk(1, budget().walk, 40, false));
    crate::say_counts("tame walks");
}

#[test]
fn signals_jumps_exceptions_and_fibers_are_captured_exactly() {
    on_a_large_stack(|| walk(1000, budget().walk, 40, true));
    crate::say_counts("wild walks");
}

#[test]
fn threads_do_not_disturb_each_other_even_while_rules_are_forgotten() {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4u64)
            .map(|number| {
                let thread = std::thread::Builder::new().stack_size(64 << 20);
                let action = move || walk(number << 32, budget().walk / 2, 30, number % 2 == 1);
                thread.spawn_scoped(scope, action).expect("a thread")
            })
            .collect();
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                hook::trial().code_unloaded();
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
        });
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        is_done.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok));
    });
    crate::say_counts("threads");
}
