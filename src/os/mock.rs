//! A machine made of the test process's own memory: for Miri, loom and `--cfg heapsight_mock`.
//!
//! Reservations come from the system allocator, zeroed; purging writes zeros; moving pages is
//! refused, so that the copying path is exercised.

extern crate std;

#[cfg(not(loom))]
pub(crate) mod memory;

/// No address belongs to a loaded object here.
#[cfg(not(loom))]
pub(crate) mod object {
    use core::ffi::CStr;

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Object {
        pub(crate) start: usize,
        pub(crate) end: usize,
        pub(crate) bias: usize,
    }

    pub(crate) fn find(_address: usize) -> Option<Object> {
        None
    }

    impl Object {
        /// # Safety
        /// As on a real machine.
        pub(crate) unsafe fn name(&self) -> &CStr {
            c""
        }

        /// # Safety
        /// As on a real machine.
        pub(crate) unsafe fn build_id(&self) -> &[u8] {
            &[]
        }
    }
}

/// Threads of a model: loom runs them all on one thread of the machine.
#[cfg(loom)]
pub(crate) mod thread {
    use core::hash::{BuildHasher, BuildHasherDefault};
    use std::hash::DefaultHasher;

    pub(crate) fn token() -> usize {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        hasher.hash_one(loom::thread::current().id()) as usize & !1 | 2
    }
}

/// Threads, by the address of a thread-local.
#[cfg(not(loom))]
pub(crate) mod thread {
    std::thread_local!(static TOKEN: u64 = const { 0 });

    pub(crate) fn token() -> usize {
        TOKEN.with(|token| core::ptr::from_ref(token).addr())
    }

    pub(crate) fn id() -> u32 {
        token() as u32
    }

    /// # Safety
    /// As on a real machine.
    pub(crate) unsafe fn call_on_stack(
        _: *mut u8,
        body: unsafe extern "C" fn(*mut u8),
        argument: *mut u8,
    ) {
        // SAFETY: the caller's.
        unsafe { body(argument) };
    }
}

/// Waiting, by yielding.
pub(crate) mod futex {
    use crate::base::sync::{AtomicUsize, spin_hint};

    pub(crate) fn wait(_word: &AtomicUsize, _expected: usize) {
        spin_hint();
        #[cfg(not(loom))]
        std::thread::yield_now();
    }

    pub(crate) fn wake_one(_word: &AtomicUsize) {}

    #[cfg(not(loom))]
    pub(crate) fn wait_for(word: &AtomicUsize, expected: usize, _nanoseconds: u32) {
        wait(word, expected);
    }

    #[cfg(not(loom))]
    pub(crate) fn wake_all(_word: &AtomicUsize) {}
}

/// Other threads are not seen here, and none can be stopped.
#[cfg(not(loom))]
pub(crate) mod tasks {
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Doing {
        pub(crate) is_dead: bool,
        pub(crate) blocked: u64,
    }

    pub(crate) fn for_each(_visit: impl FnMut(u32)) -> bool {
        false
    }

    pub(crate) fn count() -> Option<usize> {
        None
    }

    pub(crate) fn raise(_signal: i32) {}

    pub(crate) fn signal(_id: u32, _signal: i32, _value: usize) -> bool {
        false
    }

    pub(crate) fn doing(_id: u32) -> Option<Doing> {
        None
    }

    pub(crate) fn stack_pointer(_id: u32) -> Option<usize> {
        None
    }

    pub(crate) fn alternate_stack() -> Option<(usize, usize)> {
        None
    }
}

/// Nothing is known to be mapped.
#[cfg(not(loom))]
pub(crate) mod maps {
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Mapping<'a> {
        pub(crate) start: usize,
        pub(crate) end: usize,
        pub(crate) readable: bool,
        pub(crate) writable: bool,
        pub(crate) shared: bool,
        pub(crate) inode: u64,
        pub(crate) name: &'a [u8],
    }

    pub(crate) fn for_each(_visit: impl FnMut(Mapping<'_>)) -> bool {
        false
    }
}

/// This process cannot be copied.
#[cfg(not(loom))]
pub(crate) mod copy {
    #[derive(Debug)]
    #[expect(dead_code, reason = "as on a real machine")]
    pub(crate) enum Made {
        Copy,
        Original(Child),
        Refused(i32),
    }

    #[derive(Debug)]
    pub(crate) struct Child;

    /// # Safety
    /// As on a real machine.
    pub(crate) unsafe fn make() -> Made {
        Made::Refused(0)
    }

    /// # Safety
    /// As on a real machine.
    pub(crate) unsafe fn leave(_: i32) -> Made {
        Made::Refused(0)
    }

    pub(crate) fn settle(_: &core::ffi::CStr, _: usize) {}

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(dead_code, reason = "as on a real machine")]
    pub(crate) enum Standing {
        Running,
        Ended(i32),
    }

    pub(crate) fn end(is_well: bool) -> ! {
        std::process::exit((!is_well).into())
    }

    impl Child {
        pub(crate) fn id(&self) -> u32 {
            0
        }

        pub(crate) fn standing(_: u32) -> Standing {
            Standing::Ended(0)
        }

        pub(crate) fn wait(self) -> bool {
            false
        }
    }

    #[derive(Debug)]
    pub(crate) struct Board;

    impl Board {
        pub(crate) fn of_at_most(_most: usize) -> Option<Self> {
            Some(Self)
        }

        pub(crate) fn open(&mut self) -> Option<&mut [u8]> {
            None
        }
    }
}

/// There are no helpers here.
#[cfg(not(loom))]
pub(crate) mod crew {
    /// # Safety
    /// As on a real machine.
    pub(crate) unsafe fn together(_most: usize, task: &dyn Fn()) {
        task();
    }
}

/// The process, reduced to its last words.
#[cfg(not(loom))]
pub(crate) mod process {
    use std::io::Write;

    pub(crate) fn write(_fd: i32, bytes: &[u8]) {
        let _ = std::io::stderr().write_all(bytes);
    }

    pub(crate) fn append(_path: &core::ffi::CStr, _first: &[u8], _bytes: &[u8]) -> bool {
        false
    }

    pub(crate) fn abort() -> ! {
        std::process::abort()
    }

    pub(crate) fn id() -> u32 {
        std::process::id()
    }
    pub(crate) fn is_alive(_id: u32) -> bool {
        false
    }
    pub(crate) fn is_secure() -> bool {
        false
    }
    pub(crate) fn program(_buffer: &mut [u8]) -> &[u8] {
        b"mock"
    }

    pub(crate) fn command(_buffer: &mut [u8]) -> &[u8] {
        b"mock\0"
    }

    pub(crate) fn thread_name() -> [u8; 16] {
        [0; 16]
    }

    pub(crate) fn resident_bytes() -> u64 {
        0
    }

    pub(crate) fn kill_after(_seconds: i64) -> Option<i32> {
        None
    }

    pub(crate) fn forget_timer(_timer: i32) {}

    pub(crate) fn random_word() -> usize {
        0x5bd1_e995_9d1b_54a1
    }
}

/// A clock that moves with every look, so that decay can be tested without waiting.
#[cfg(not(loom))]
pub(crate) mod clock {
    use core::sync::atomic::{AtomicU32, Ordering};

    static NOW: AtomicU32 = AtomicU32::new(0);

    pub(crate) fn coarse_ms() -> u32 {
        NOW.fetch_add(10, Ordering::Relaxed)
    }

    pub(crate) fn monotonic_ns() -> u64 {
        u64::from(coarse_ms()) * 1_000_000
    }

    pub(crate) fn wall_ns() -> u64 {
        monotonic_ns()
    }

    pub(crate) fn ticks() -> u64 {
        u64::from(coarse_ms())
    }
}
