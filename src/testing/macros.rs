//! The assertions, for users.

/// Runs a block and asserts how much it allocated, in the calling thread. The value of the whole is
/// that of the block.
///
/// ```
/// # #[global_allocator]
/// # static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
/// # fn main() {
/// use heapsight::assert_allocations;
///
/// assert_allocations!(== 0, { 1 + 1 });
/// let mut names = assert_allocations!(<= 1, { Vec::<String>::with_capacity(8) });
/// assert_allocations!(allocations < 3, bytes == 4, { names.push("shop".to_owned()) });
/// assert_allocations!(frees == 0, { names.len() });
/// # }
/// ```
///
/// Bounds are on `allocations` (which goes without saying), `bytes` (as they were asked for),
/// `frees` or `freed_bytes`: see [`Counts`](crate::testing::Counts). Each has one of the relations
/// `<`, `<=`, `==`, `!=`, `>=` and `>`, and a limit of type `u64`, which is evaluated before the
/// block. After the block there may be a message, as for [`assert!`]:
///
/// ```
/// # #[global_allocator]
/// # static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
/// # fn main() {
/// # let path = "a/b";
/// heapsight::assert_allocations!(<= 2, { path.split('/').count() }, "splitting {path}");
/// # }
/// ```
///
/// The block is the body of a closure: `return` and `?` end the block, not the function around it.
/// What runs in parallel in other threads is not counted, and neither is what the block has other
/// threads do: see [`testing`](crate::testing).
///
/// # Panics
///
/// When a bound does not hold. The message has the numbers, and the call stacks that allocated.
/// Also when Heapsight is not the global allocator, or was made not to track by the block.
#[macro_export]
macro_rules! assert_allocations {
    ($($quantity:ident $relation:tt $limit:expr),+, $body:block $(, $($message:tt)+)?) => {
        $crate::testing::assert_allocations(
            &[$($crate::__heapsight_bound!($quantity $relation $limit)),+],
            || $body,
            $crate::__heapsight_message!($($($message)+)?),
        )
    };
    ($quantity:ident $($other:tt)*) => {
        ::core::compile_error!(
            "expected bounds and a block: `assert_allocations!(bytes <= 4096, { … })`"
        )
    };
    ($relation:tt $limit:expr, $body:block $(, $($message:tt)+)?) => {
        $crate::testing::assert_allocations(
            &[$crate::__heapsight_bound!(allocations $relation $limit)],
            || $body,
            $crate::__heapsight_message!($($($message)+)?),
        )
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected a bound and a block: `assert_allocations!(<= 10, { … })`"
        )
    };
}

/// Runs a block and asserts that it leaks nothing. The value of the whole is that of the block.
///
/// ```
/// # #[global_allocator]
/// # static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
/// # fn main() {
/// use std::rc::Rc;
///
/// let shared = heapsight::assert_no_leaks!({
///     let shared = Rc::new(5);
///     drop(Rc::clone(&shared));
///     Rc::try_unwrap(shared)
/// });
/// assert_eq!(shared, Ok(5));
/// # }
/// ```
///
/// What counts is what the calling thread has allocated in the block, nobody has freed at its end,
/// and nobody can free any more because nothing leads to it: see
/// [`Scope::leaks`](crate::testing::Scope::leaks), and [`testing`](crate::testing) for what runs in
/// parallel. After the block there may be a message, as for [`assert!`]. The block is the body of a
/// closure: `return` and `?` end the block, not the function around it.
///
/// # Panics
///
/// When something leaked. The message has the numbers, and the call stacks that allocated it. Also
/// when Heapsight is not the global allocator, or was made not to track by the block.
#[macro_export]
macro_rules! assert_no_leaks {
    ($body:block $(, $($message:tt)+)?) => {
        $crate::testing::assert_no_leaks(
            || $body,
            $crate::__heapsight_message!($($($message)+)?),
        )
    };
    ($($other:tt)*) => {
        ::core::compile_error!("expected a block: `assert_no_leaks!({ … })`")
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __heapsight_bound {
    ($quantity:ident $relation:tt $limit:expr) => {
        $crate::testing::Bound {
            quantity: $crate::__heapsight_quantity!($quantity),
            relation: $crate::__heapsight_relation!($relation),
            limit: $limit,
            text: ::core::concat!(
                ::core::stringify!($quantity),
                " ",
                ::core::stringify!($relation),
                " ",
                ::core::stringify!($limit)
            ),
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __heapsight_quantity {
    (allocations) => {
        $crate::testing::Quantity::Allocations
    };
    (bytes) => {
        $crate::testing::Quantity::Bytes
    };
    (frees) => {
        $crate::testing::Quantity::Frees
    };
    (freed_bytes) => {
        $crate::testing::Quantity::FreedBytes
    };
    ($other:ident) => {
        ::core::compile_error!(::core::concat!(
            "`",
            ::core::stringify!($other),
            "` is not counted: a bound is on `allocations`, `bytes`, `frees` or `freed_bytes`"
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __heapsight_relation {
    (<) => {
        $crate::testing::Relation::Less
    };
    (<=) => {
        $crate::testing::Relation::AtMost
    };
    (==) => {
        $crate::testing::Relation::Equal
    };
    (!=) => {
        $crate::testing::Relation::NotEqual
    };
    (>=) => {
        $crate::testing::Relation::AtLeast
    };
    (>) => {
        $crate::testing::Relation::Greater
    };
    ($other:tt) => {
        ::core::compile_error!(::core::concat!(
            "`",
            ::core::stringify!($other),
            "` is no relation: a bound has `<`, `<=`, `==`, `!=`, `>=` or `>`"
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __heapsight_message {
    () => {
        ::core::option::Option::None
    };
    ($($message:tt)+) => {
        ::core::option::Option::Some(::core::format_args!($($message)+))
    };
}

/// What is no assertion is refused:
///
/// ```compile_fail
/// heapsight::assert_allocations!(blocks <= 3, {});
/// ```
/// ```compile_fail
/// heapsight::assert_allocations!(= 3, {});
/// ```
/// ```compile_fail
/// heapsight::assert_allocations!(<= 3);
/// ```
/// ```compile_fail
/// heapsight::assert_no_leaks!(3);
/// ```
/// ```
/// let _each_would_be = || {
///     heapsight::assert_allocations!(allocations <= 3, {});
///     heapsight::assert_allocations!(== 3, {});
///     heapsight::assert_no_leaks!({ 3 });
/// };
/// ```
#[cfg(doctest)]
struct Refused;
