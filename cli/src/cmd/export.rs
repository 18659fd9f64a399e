//! `heapsight export`: a ledger for other viewers.
use crate::args::viewing::ExportArgs;
use crate::failure::Failure;
pub(crate) fn export(_args: &ExportArgs) -> Result<(), Failure> {
    Ok(())
}
