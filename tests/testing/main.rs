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
