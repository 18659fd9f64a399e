//! Assertions on allocations and leaks, in a program whose tests run in parallel, as they do under
//! `cargo test`: each has to count its own and nothing else.

mod assertions;
mod attribute;
mod parallel;
mod scopes;

#[global_allocator]
static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();

/// What a closure panics with.
fn panic_of<T>(body: impl FnOnce() -> T) -> String {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    let payload = caught.err().expect("it panics");
    payload.downcast_ref::<String>().cloned().expect("with a message")
}

/// Runs a test that is ignored in a process of its own: whether it passes, and what it writes to
/// standard output and to standard error.
fn alone(name: &str) -> (bool, String, String) {
    let program = std::env::current_exe().expect("this program");
    let arguments = [name, "--exact", "--ignored", "--nocapture"];
    let output = std::process::Command::new(program).args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(out.contains("running 1 test"), "{out}{err}");
    (output.status.success(), out, err)
}

/// A search for leaks takes whatever looks like a pointer for one. Of a single block it may so miss
/// that it leaks, where other tests leave the address of a predecessor somewhere, which they do all
/// the time when they run beside it.
#[test]
fn a_single_leaked_block_is_found() {
    for name in ["assertions::a_leak_is_named", "attribute::a_leak_is_a_panic"] {
        let (passed, out, err) = alone(name);
        assert!(passed, "{out}{err}");
    }
}
