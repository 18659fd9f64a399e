//! The rules of the process, by program counter: looked up, or worked out once.
//!
//! A program uses a few thousand return addresses, so rules are worked out one by one as walks come
//! across them (a few hundred nanoseconds each), never by compiling whole modules. Readers take no
//! lock ([`super::slots`]); at half full the table is doubled, and old tables stay readable.
//!
//! When a module is unloaded its addresses may come to mean something else. [`Rules::invalidate`]
//! forgets every rule and starts a new *generation*, of which everything that was derived from
//! rules is told by comparing one number.

use super::cfi;
use super::names::Frame;
use super::rule::{Kind, Rule};
use super::slots::{self, KEY_MIN, Slot};
use crate::base::sync::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use crate::os::lock::Lock;
use crate::os::memory;
use core::ptr;
use core::slice;

/// The rules. One per process, next to whoever keeps the numbers of frames.
#[derive(Debug)]
pub(crate) struct Rules {
    table: AtomicPtr<Table>,
    generation: AtomicU64,
    /// Generation of what is in the table. Guarded by the lock.
    filled_in: AtomicU64,
    lock: Lock,
}

/// A table: this header, then its slots.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Table {
    len: usize,
    /// Slots that were ever written. Guarded by the lock.
    used: AtomicUsize,
}

/// The rules as of one moment, for one walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    rules: &'a Rules,
    slots: &'a [Slot],
    generation: u64,
}

const LEN_FIRST: usize = 1 << 11;
/// No module has addresses below this.
const ADDRESS_MIN: usize = 4096;

impl Rules {
    pub(crate) const fn new() -> Self {
        Self {
            table: AtomicPtr::new(ptr::null_mut()),
            generation: AtomicU64::new(0),
            filled_in: AtomicU64::new(0),
            lock: Lock::new(),
        }
    }

    /// A module is going or has gone: forgets every rule, and what was derived from it. To be
    /// called before its addresses are used again, by whoever learns of it; twice does no harm.
    pub(crate) fn invalidate(&self) {
        // Release: pairs with the Acquire in `generation`.
        self.generation.fetch_add(1, Ordering::Release);
        if let Some(_guard) = self.lock.acquire() {
            self.sweep();
        }
    }

    /// Sees to it that there is a table; whether there is.
    #[cold]
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn prepare(&self) -> bool {
        !self.slots().is_empty()
            || self.lock.acquire().is_some_and(|_guard| self.table_with_room().is_some())
    }

    /// Guards insertions; for `fork`.
    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    #[inline(always)]
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The rules as they are.
    #[inline(always)]
    pub(super) fn view(&self) -> View<'_> {
        let generation = self.generation();
        View { rules: self, slots: self.slots(), generation }
    }

    #[inline(always)]
    fn slots(&self) -> &[Slot] {
        // SAFETY: tables are published complete and never given back.
        unsafe { self.table.load(Ordering::Acquire).as_ref() }.map_or(&[], Table::slots)
    }

    /// Empties the table if what is in it is out of date. The lock is held.
    fn sweep(&self) {
        let generation = self.generation();
        if self.filled_in.load(Ordering::Relaxed) != generation {
            slots::clear(self.slots(), |_| true);
            self.filled_in.store(generation, Ordering::Relaxed);
        }
    }

    /// The table, with room for one more. The lock is held.
    fn table_with_room(&self) -> Option<&Table> {
        // SAFETY: as in `slots`.
        let old = unsafe { self.table.load(Ordering::Relaxed).as_ref() };
        if let Some(table) = old
            && table.used.load(Ordering::Relaxed) * 2 < table.len
        {
            return Some(table);
        }
        let slots = self.slots();
        let new = Table::allocate((slots.len() * 2).max(LEN_FIRST))?;
        new.used.store(slots::copy(slots, new.slots()), Ordering::Relaxed);
        // Release: pairs with the Acquire in `slots`. Readers of the old table miss what is newer,
        // and come here for it.
        self.table.store(ptr::from_ref(new).cast_mut(), Ordering::Release);
        Some(new)
    }
}

impl View<'_> {
    /// Whether a module has come or gone since: nothing read here may be kept.
    pub(super) fn is_stale(&self) -> bool {
        self.rules.generation() != self.generation
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// The rule of a frame, if it is known.
    #[inline(always)]
    pub(super) fn find(&self, frame: Frame) -> Option<Rule> {
        slots::find(self.slots, frame.key()).map(Rule::from_word)
    }

    /// Whether no rule has been kept yet.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The rule of a frame if it is at hand, and [`Rule::is_plain`].
    ///
    /// # Safety
    /// Not if [`Self::is_empty`].
    #[inline(always)]
    pub(super) unsafe fn find_plain(&self, frame: Frame) -> Option<Rule> {
        // SAFETY: the caller's.
        let word = unsafe { slots::find_at_once(self.slots, frame.key()) }?;
        let rule = Rule::from_word(word);
        rule.is_plain().then_some(rule)
    }

    /// The rule of a frame, worked out if need be, and kept; with a number if `name` gives one.
    ///
    /// Both are done before the lock is taken, so that its holder never waits for anything: a
    /// signal handler may come here on a thread that holds any other lock.
    #[cold]
    #[inline(never)]
    pub(super) fn learn(&self, frame: Frame, name: &dyn Fn(Frame) -> u32) -> Rule {
        let known = self.find(frame);
        let rule = match known {
            Some(rule) if rule.kind() != Kind::NoInfo => rule,
            // Where there was no module there may be one by now.
            _ => work_out(frame),
        };
        if let Some(known) = known
            && known.kind() == rule.kind()
            && known.number() != 0
        {
            return known;
        }
        if frame.key() < KEY_MIN {
            return rule;
        }
        let rule = rule.with_number(name(frame));
        let Some(_guard) = self.rules.lock.acquire() else { return rule };
        self.rules.sweep();
        // A module with a frame on this stack stays, but perhaps this is no frame: what was learnt
        // while modules came or went is good for this walk only.
        if self.is_stale() {
            return rule;
        }
        let Some(table) = self.rules.table_with_room() else { return rule };
        if slots::put(table.slots(), frame.key(), rule.word()) {
            table.used.fetch_add(1, Ordering::Relaxed);
        }
        rule
    }
}

fn work_out(frame: Frame) -> Rule {
    if frame.pc() < ADDRESS_MIN { Rule::plain(Kind::NoInfo) } else { cfi::rule_of(frame) }
}

impl Table {
    fn allocate(len: usize) -> Option<&'static Self> {
        let bytes = size_of::<Self>() + len * size_of::<Slot>();
        let bytes = crate::base::arith::checked_round_up(bytes, memory::PAGE)?;
        let table = memory::map_zeroed(bytes)?.as_ptr().cast::<Self>();
        // SAFETY: the memory is ours, zeroed, aligned to pages and large enough; zeros are free
        // slots. It is never given back.
        unsafe {
            table.write(Self { len, used: AtomicUsize::new(0) });
            table.as_ref()
        }
    }

    #[inline(always)]
    fn slots(&self) -> &[Slot] {
        // SAFETY: the header is followed by `len` slots.
        unsafe { slice::from_raw_parts(ptr::from_ref(self).add(1).cast(), self.len) }
    }
}
