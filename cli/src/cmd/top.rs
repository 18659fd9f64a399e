//! `heapsight top`: a running process, live.
use crate::args::viewing::TopArgs;
use crate::failure::Failure;
pub(crate) fn top(_args: &TopArgs) -> Result<(), Failure> {
    Ok(())
}
