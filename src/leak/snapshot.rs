//! A check in a copy of the process: the world stands still only while the copy is made.

use crate::os::copy::{self, Board, Made};
use std::vec::Vec;

/// Most bytes that a copy can hand over. Only what is written is memory.
const MOST: usize = 1 << 30;
const HEAD: usize = size_of::<u64>();

/// Why there is nothing from a copy.
#[derive(Debug)]
pub(crate) enum Failed<H> {
    /// There could be none: the world still stands still.
    Refused(H),
    /// It came to a bad end: memory ran out, or the program keeps parts of its memory out of
    /// copies.
    Ended,
}

/// Has `task` done in a copy of this process and gives what it returns. `held` is what keeps the
/// world still: dropped here when there is a copy, and handed to the task there.
///
/// # Safety
/// What the task does bears that libc takes the copy for the original, and that there are no other
/// threads that could give back what they have locked: dropping `held` must unlock what it needs.
pub(crate) unsafe fn in_copy<H>(
    held: H,
    task: impl FnOnce(H) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Failed<H>> {
    let Some(mut board) = Board::of_at_most(MOST) else { return Err(Failed::Refused(held)) };
    // SAFETY: the caller's.
    match unsafe { copy::make() } {
        Made::Refused(_) => Err(Failed::Refused(held)),
        Made::Copy => {
            let written = task(held).and_then(|bytes| write(&mut board, &bytes));
            copy::end(written.is_some())
        }
        Made::Original(child) => {
            drop(held);
            let read = child.wait().then(|| read(&mut board)).flatten();
            read.ok_or(Failed::Ended)
        }
    }
}

fn write(board: &mut Board, bytes: &[u8]) -> Option<()> {
    let (head, rest) = board.open()?.split_first_chunk_mut::<HEAD>()?;
    rest.get_mut(..bytes.len())?.copy_from_slice(bytes);
    *head = (bytes.len() as u64).to_ne_bytes();
    Some(())
}

fn read(board: &mut Board) -> Option<Vec<u8>> {
    let (head, rest) = board.open()?.split_first_chunk::<HEAD>()?;
    let len = usize::try_from(u64::from_ne_bytes(*head)).ok()?;
    rest.get(..len).map(<[u8]>::to_vec)
}
