//! A future in a scope.

use super::Scope;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A future that is in a [`Scope`] whenever it is polled. See [`Scope::future`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct Scoped<F> {
    scope: Scope,
    future: F,
}

impl<F> Scoped<F> {
    pub(super) fn new(scope: Scope, future: F) -> Self {
        Self { scope, future }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let scope = self.scope.clone();
        // SAFETY: the field is pinned when the whole is: nothing moves it out, there is no `Drop`
        // of our own, and the whole is `Unpin` only when the field is.
        let future = unsafe { self.map_unchecked_mut(|scoped| &mut scoped.future) };
        scope.run(|| future.poll(context))
    }
}
