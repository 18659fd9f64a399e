//! The scope, for users.

use super::Scoped;
use crate::base::stack;
use crate::report::{CallSite, Leak};
use crate::runtime::scope;
use core::future::Future;
use core::hint::black_box;
use core::marker::PhantomData;
use std::vec::Vec;

/// What one or more threads allocate while they are in the scope.
///
/// A thread is in it while it holds the guard of [`enter`](Self::enter), or runs the body of
/// [`run`](Self::run), or polls the future of [`future`](Self::future). Copies of a scope are the
/// same one; they can be sent to other threads, which may then enter it, several at once.
///
/// ```
/// # #[global_allocator]
/// # static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
/// # fn main() {
/// use heapsight::testing::Scope;
///
/// let scope = Scope::new();
/// let numbers = scope.run(|| vec![1u32, 2, 3]);
/// assert_eq!((scope.counts().allocations, scope.counts().bytes), (1, 12));
///
/// let helper = scope.clone();
/// let thread = std::thread::spawn(move || helper.run(|| drop(numbers)));
/// thread.join().expect("the helper is well");
/// assert_eq!((scope.counts().frees, scope.counts().freed_bytes), (1, 12));
/// assert!(scope.leaks().is_empty());
/// # }
/// ```
///
/// Being inside costs nothing beyond what tracking costs; entering and leaving take time in
/// proportion to the number of call stacks that the thread has ever allocated at.
#[derive(Clone, Debug)]
pub struct Scope {
    inner: scope::Scope,
}

/// What the threads of a scope have done, while they were in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks allocated, resized ones included.
    pub allocations: u64,
    /// Bytes allocated, as they were asked for.
    pub bytes: u64,
    /// Blocks freed, whoever had allocated them.
    pub frees: u64,
    /// Bytes freed.
    pub freed_bytes: u64,
}

/// Keeps the thread that entered in the scope, until it is dropped.
///
/// Guards may be dropped in any order. One that is never dropped leaves its thread in the scope
/// until the thread ends.
#[derive(Debug)]
#[must_use = "the thread leaves the scope as soon as this is dropped"]
pub struct Entered {
    scope: scope::Scope,
    /// Not to be sent: the thread that entered is the one that leaves.
    _thread: PhantomData<*const ()>,
}

impl Scope {
    /// A scope that no thread is in.
    #[must_use]
    pub fn new() -> Self {
        Self { inner: scope::Scope::new() }
    }

    /// The innermost scope that the calling thread is in, if any: to be entered by a thread that
    /// this one starts. The body of a [`#[heapsight::test]`](macro@crate::test) is in one.
    #[must_use]
    pub fn current() -> Option<Self> {
        scope::Scope::current().map(|inner| Self { inner })
    }

    /// The calling thread is in the scope until the guard is dropped. A thread that is in it
    /// already counts once.
    ///
    /// # Panics
    ///
    /// When Heapsight is not the global allocator of the program: nothing would be counted.
    #[track_caller]
    pub fn enter(&self) -> Entered {
        assert!(
            self.inner.enter().is_ok(),
            "Heapsight is not the global allocator of this program, so it counts nothing: add \
             `#[global_allocator] static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();`"
        );
        Entered { scope: self.inner.clone(), _thread: PhantomData }
    }

    /// Runs `body` in the scope.
    ///
    /// # Panics
    ///
    /// As [`enter`](Self::enter), and when the body does: the thread has left the scope then.
    #[track_caller]
    pub fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        let value = call(body);
        // Before anybody looks for what the body has leaked.
        stack::clear::<{ stack::SEARCH }>();
        value
    }

    /// A future that is in the scope whenever it is polled, by whichever thread. Dropping it before
    /// its end is not.
    ///
    /// Tasks that it spawns are in no scope, unless they are given to this function, too.
    pub fn future<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(self.clone(), future)
    }

    /// What its threads have done so far. Exact for the calling thread, for those that have left
    /// the scope and for those that have ended; that of others may be moments old.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let sums = self.inner.sums();
        Counts {
            allocations: sums.allocations,
            bytes: sums.bytes_in,
            frees: sums.frees,
            freed_bytes: sums.bytes_out,
        }
    }

    /// Where its threads have allocated, by call stack, the most bytes first. Of threads that are
    /// still in the scope, the calling one included, nothing is known here yet.
    #[must_use]
    pub fn call_sites(&self) -> Vec<CallSite> {
        self.inner.call_sites()
    }

    /// What its threads have allocated in it and what has leaked, by call stack, the largest first.
    ///
    /// A block has leaked when nobody has freed it and nobody can any more: no variable, global,
    /// thread-local or on the stack of a thread, leads to it, not even by way of other blocks. So
    /// neither what is returned has leaked, nor what a static keeps that was initialised on the
    /// way; two `Rc` that own each other have. Whatever looks like a pointer is one: a number that
    /// happens to be an address keeps a block, and so may what a function has left on the stack, of
    /// this thread or of another one: beside busy threads, a single block is missed now and then.
    ///
    /// The other threads of the process are stopped while it is found out, unless no block of the
    /// scope lives.
    ///
    /// # Panics
    ///
    /// When there is no memory left to find out.
    #[must_use]
    #[track_caller]
    pub fn leaks(&self) -> Vec<Leak> {
        if !self.inner.any_lives() {
            return Vec::new();
        }
        stack::clear::<{ stack::SEARCH }>();
        self.find_leaks()
    }

    #[inline(never)]
    #[track_caller]
    fn find_leaks(&self) -> Vec<Leak> {
        self.inner.leaks().expect("memory to look for leaks with")
    }

    /// Whether the numbers may be too small, because some of what its threads did was not recorded:
    /// somebody has changed what is tracked while they were in the scope, or Heapsight's records
    /// are full. Assertions fail then.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.inner.is_partial()
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.scope.leave();
    }
}

/// A frame of its own, so that nothing of the body stays in those of the caller, and so that
/// stacks show where the body began.
#[inline(never)]
fn call<T>(body: impl FnOnce() -> T) -> T {
    let value = body();
    // Something is left to do: this is no tail call.
    black_box(());
    value
}
