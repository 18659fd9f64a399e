//! The feed: asynchronous code, and code in several threads.

/// Fetches a page. Here it is made up.
pub async fn page(number: usize) -> Vec<u8> {
    vec![b'x'; number * 100]
}

/// Sums up the pages.
pub async fn len(pages: usize) -> usize {
    let mut len = 0;
    for number in 1..=pages {
        len += page(number).await.len();
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapsight::testing::Scope;
    use std::thread;

    /// The body of the test is what counts, not the run-time that runs it.
    #[heapsight::test(allocations == 3, bytes == 600)]
    #[tokio::test]
    async fn pages_are_one_allocation_each() {
        assert_eq!(len(3).await, 600);
    }

    /// In this order the run-time is part of the test: it leaks nothing either.
    #[tokio::test]
    #[heapsight::test]
    async fn the_runtime_leaks_nothing() {
        assert_eq!(tokio::spawn(len(2)).await.expect("a task"), 300);
    }

    /// Tasks and threads belong to the test if they are told to.
    #[heapsight::test(bytes >= 1200)]
    #[tokio::test]
    async fn tasks_and_threads_may_belong_to_the_test() {
        let scope = Scope::current().expect("the test's own");
        let task = tokio::spawn(scope.future(len(3)));
        let thread = thread::spawn(move || scope.run(|| vec![0u8; 600].len()));
        assert_eq!(task.await.expect("a task"), thread.join().expect("a thread"));
    }
}
