//! The innermost frame of a thread's last stack, as a capture of the same stack asks for it.

use super::cache::Limit;
use super::names::Registers;
use super::step::State;
use super::store::{Entry, Store};

/// The entry of that frame. All zeros are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last(Option<&'static Entry>);

impl Last {
    pub(super) const NONE: Self = Self(None);

    /// The frame of an entry.
    ///
    /// # Safety
    /// It is written, and stays so as long as this is asked.
    #[inline(always)]
    pub(super) unsafe fn of(entry: *const Entry) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { entry.as_ref() })
    }

    /// The number of the stack of `caller`, if it ends in this frame; otherwise how much of it may
    /// be the last one.
    ///
    /// # Safety
    /// The entry is one of `store`, and as it was.
    #[inline(always)]
    pub(super) unsafe fn same(self, store: Store, caller: Registers) -> Result<u32, Limit> {
        let sp = caller.sp.wrapping_add(size_of::<usize>());
        let Some(entry) = self.0.filter(|entry| entry.sp == sp) else { return Err(Limit::NONE) };
        // SAFETY: a stack pointer that a walk has come by is aligned, and the caller's return
        // address is below its stack pointer, in memory that the caller is using.
        if !entry.is(&unsafe { State::of_readable(caller) }) {
            return Err(Limit::NONE);
        }
        // SAFETY: the frame is on this thread's stack, just as it was.
        match unsafe { entry.first_difference(store) } {
            None => Ok(entry.node),
            Some(word) => Err(Limit(word as u32)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::Word;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// A made-up stack: a return address, then what the frame's callers rest on.
    struct Made {
        memory: Vec<usize>,
        store: Store,
    }

    impl Made {
        /// A last stack that rests on so many words, and whether on the frame pointer.
        fn new(words: usize, is_fp_live: bool) -> Self {
            let memory: Vec<usize> = (0..=words).map(|index| 0x1000 + index).collect();
            let made = Self { memory, store: Store::reserve().unwrap() };
            for index in 0..words {
                let at = &made.memory[words - index];
                let word = Word { address: (&raw const *at).expose_provenance(), value: *at };
                // SAFETY: there is room for so many.
                unsafe { made.store.words().add(index).write(word) };
            }
            let caller = made.caller();
            // SAFETY: the word is in `memory`.
            let state = unsafe { State::of_readable(caller) };
            let entry = Entry::new(state, 7, words as u32, is_fp_live);
            // SAFETY: there is room for so many.
            unsafe { made.store.entries().write(entry) };
            made
        }

        fn caller(&self) -> Registers {
            Registers { sp: (&raw const self.memory[0]).expose_provenance(), fp: 0x77 }
        }

        fn same(&self, caller: Registers) -> Result<u32, u32> {
            // SAFETY: the entry and its words are written, and what they name is in `memory`.
            let result = unsafe { Last::of(self.store.entries()).same(self.store, caller) };
            result.map_err(Limit::number)
        }
    }

    impl Drop for Made {
        fn drop(&mut self) {
            // SAFETY: nobody else has it.
            unsafe { self.store.release() };
        }
    }

    const NO_LIMIT: u32 = u32::MAX;

    proptest! {
        #[test]
        fn it_is_the_same_if_every_word_is(
            words in 1usize..40,
            is_fp_live in any::<bool>(),
            changed in prop::collection::btree_set(0usize..40, 0..3),
        ) {
            let mut made = Made::new(words, is_fp_live);
            prop_assert_eq!(made.same(made.caller()), Ok(7));
            let changed: Vec<_> = changed.into_iter().filter(|index| *index < words).collect();
            for index in &changed {
                made.memory[words - index] ^= 1;
            }
            // As many words as are before the innermost that differs may still be the same.
            let expected = changed.last().map_or(Ok(7), |index| Err(*index as u32));
            prop_assert_eq!(made.same(made.caller()), expected);
        }
    }

    #[test]
    fn another_frame_is_another_stack() {
        for is_fp_live in [false, true] {
            let mut made = Made::new(9, is_fp_live);
            let caller = made.caller();
            assert_eq!(made.same(Registers { sp: caller.sp + 8, ..caller }), Err(NO_LIMIT));
            let other_fp = made.same(Registers { fp: 0x78, ..caller });
            assert_eq!(other_fp, if is_fp_live { Err(NO_LIMIT) } else { Ok(7) });
            made.memory[0] += 1;
            assert_eq!(made.same(caller), Err(NO_LIMIT), "a call from elsewhere");
            made.memory[0] -= 1;
            assert_eq!(made.same(caller), Ok(7));
            // SAFETY: nothing is asked.
            let none = unsafe { Last::NONE.same(made.store, caller) };
            assert_eq!(none.map_err(Limit::number), Err(NO_LIMIT));
        }
    }
}
