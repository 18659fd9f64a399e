//! How much is compared: by default what takes seconds, and with `HEAPSIGHT_UNWIND_LONG=1` what is
//! meant to be left alone for minutes.

use std::env;
use std::ffi::c_long;
use std::sync::OnceLock;

/// How much.
pub(crate) struct Budget {
    /// Comparisons per walk and level of optimisation.
    pub(crate) walk: c_long,
    /// Instructions to stop behind, per run.
    pub(crate) steps: c_long,
    /// libunwind, which takes longer than all others together, is asked once in so many stacks.
    pub(crate) one_in: u64,
    /// Calls of the allocation functions to stop a program at.
    pub(crate) stops: usize,
}

const DEBUG: Budget = Budget { walk: 2_000, steps: 3_000, one_in: 8, stops: 20 };
const SHORT: Budget = Budget { walk: 40_000, steps: 50_000, one_in: 8, stops: 40 };
const LONG: Budget = Budget { walk: 80_000, steps: 50_000, one_in: 1, stops: 1_000 };

/// The budget of this run.
pub(crate) fn budget() -> &'static Budget {
    static BUDGET: OnceLock<&Budget> = OnceLock::new();
    BUDGET.get_or_init(|| {
        let is_long = env::var("HEAPSIGHT_UNWIND_LONG").is_ok_and(|value| value == "1");
        match (is_long, cfg!(debug_assertions)) {
            (true, _) => &LONG,
            (false, true) => &DEBUG,
            (false, false) => &SHORT,
        }
    })
}
