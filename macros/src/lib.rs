//! The attribute `#[heapsight::test]`. Users have it from the crate `heapsight`.

mod bounds;
mod expand;

use bounds::Bounds;
use proc_macro::TokenStream;
use syn::{ItemFn, parse_macro_input};

/// A test that fails when it leaks.
///
/// ```ignore
/// #[cfg(test)]
/// mod tests {
///     #[global_allocator]
///     static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
///
///     #[heapsight::test]
///     fn frees_what_it_allocates() {
///         drop(vec![1, 2, 3]);
///     }
///
///     #[heapsight::test(allocations <= 1, bytes <= 12)]
///     fn allocates_one_buffer() {
///         drop(vec![1u32, 2, 3]);
///     }
/// }
/// ```
///
/// It is a `#[test]`: it runs in parallel with others, under `cargo test` as under `cargo nextest`,
/// each with a verdict of its own. After it has returned, what its thread has allocated in it is
/// asked after, as by `assert_no_leaks!`. In parentheses there may be bounds, as for
/// `assert_allocations!`; they are on the whole test.
///
/// - `#[ignore]`, `#[cfg(…)]` and other attributes work as ever.
/// - `#[should_panic]`: a test that panics by itself is not asked after leaks; in one that does
///   not, a leak is a panic like any other, with a message that begins with
///   ``assertion `no leaks` failed``.
/// - The test may return a `Result`, or whatever else implements `Termination`. One that returns a
///   failure has failed, and is not asked after leaks.
/// - `async`: together with the attribute of a run-time, in either order.
///
/// ```ignore
/// #[heapsight::test]
/// #[tokio::test]
/// async fn serves_a_request() {}
/// ```
///
/// In this order the body of the test counts, whenever it is polled. In the other one, with
/// `#[tokio::test]` first, the run-time is part of the test, with all that it does in the test's
/// own thread. Neither counts what tasks do in other threads, unless they are given to
/// `heapsight::testing::Scope::current()`.
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let bounds = parse_macro_input!(attribute as Bounds);
    let function = parse_macro_input!(item as ItemFn);
    expand::test(&bounds, function).unwrap_or_else(|error| error.into_compile_error()).into()
}
