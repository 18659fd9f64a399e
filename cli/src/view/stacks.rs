//! A call stack as its reader sees it: Heapsight's own frames gone, the ways through run-time
//! libraries known, the end told.

use std::borrow::{Borrow, Cow};
use std::ops::Range;

use heapsight::Frame;
use heapsight::ledger::{Ending, FrameKind, Snapshot};
use heapsight::symbols::{is_plumbing, own_len, roots_len};

use super::names::Names;

/// One call. A physical frame may be several: all but its last are inlined.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// Index of the physical frame in the ledger.
    pub(crate) index: u32,
    pub(crate) kind: FrameKind,
    pub(crate) frame: Cow<'a, Frame>,
}

impl Borrow<Frame> for Call<'_> {
    fn borrow(&self) -> &Frame {
        &self.frame
    }
}

/// The calls, innermost first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stack<'a> {
    pub(crate) calls: Vec<Call<'a>>,
    /// Why the root was not reached.
    pub(crate) ending: Option<Ending>,
}

impl<'a> Stack<'a> {
    /// The stack of a node, from the names that are there.
    pub(crate) fn of(snapshot: &'a Snapshot, names: &'a Names, node: u32) -> Self {
        let frames: Vec<_> = snapshot.stack(node).collect();
        let (mut calls, mut ending) = (Vec::new(), None);
        let mut is_own = true;
        for (position, index) in frames.iter().enumerate() {
            let Some(frame) = snapshot.frames.get(*index as usize) else { break };
            if let FrameKind::Ending(reason) = frame.kind {
                ending = Some(reason);
                break;
            }
            is_own = is_own && is_own_module(snapshot, frame.module);
            if is_own {
                continue;
            }
            let call =
                |frame| Call { index: *index, kind: snapshot.frames[*index as usize].kind, frame };
            calls.extend(names.get(*index).iter().map(|frame| call(Cow::Borrowed(frame))));
            let callee = frames.get(position + 1).and_then(|caller| names.callee(*caller));
            if let (Some(last), Some(name)) = (calls.last_mut(), callee)
                && last.frame.function.is_none()
            {
                last.frame.to_mut().function = Some(name.into());
            }
        }
        calls.drain(..own_len(&calls));
        Self { calls, ending }
    }

    /// The calls between the way to the heap and the way to `main`: those that are the program's.
    /// All of them, if none is.
    pub(crate) fn shown(&self) -> Range<usize> {
        let above = self.calls.iter().take_while(|call| is_plumbing(&call.frame)).count();
        let below = roots_len(&self.calls);
        if above + below < self.calls.len() {
            above..self.calls.len() - below
        } else {
            0..self.calls.len()
        }
    }

    /// The calls of [`Self::shown`].
    pub(crate) fn program(&self) -> &[Call<'a>] {
        &self.calls[self.shown()]
    }
}

/// Whether a module is the library itself.
fn is_own_module(snapshot: &Snapshot, module: Option<usize>) -> bool {
    let module = module.and_then(|number| snapshot.modules.get(number));
    module.is_some_and(|module| file_name(&module.path).starts_with("libheapsight"))
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What a frame is called: its function, or else its place in its module.
pub(crate) fn label(frame: &Frame) -> Cow<'_, str> {
    match (&frame.function, &frame.module) {
        (Some(function), _) => Cow::Borrowed(function),
        (None, Some(module)) => format!("{}+{:#x}", file_name(module), frame.address).into(),
        (None, None) => format!("{:#x}", frame.address).into(),
    }
}

/// Where a frame is: `file:line`, or its module.
pub(crate) fn place(frame: &Frame) -> String {
    match (&frame.file, frame.line, &frame.module) {
        (Some(file), Some(line), _) => format!("{file}:{line}"),
        (Some(file), None, _) => file.clone(),
        (None, _, Some(module)) => format!("{module}+{:#x}", frame.address),
        (None, _, None) => format!("{:#x}, in no module", frame.address),
    }
}

/// An ending in words.
pub(crate) fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::NoInfo => "the callers are unknown: code without unwind information",
        Ending::Truncated => "the stack is deeper than what is recorded",
        Ending::Damaged => "the callers are unknown: the stack contradicts its unwind information",
        Ending::Unsupported => "the callers are unknown: unwind information of an unknown kind",
    }
}

/// An ending as the name of a frame, for formats that have nothing but frames.
pub(crate) fn ending_label(ending: Ending) -> &'static str {
    match ending {
        Ending::NoInfo => "[no unwind information]",
        Ending::Truncated => "[deeper]",
        Ending::Damaged => "[damaged stack]",
        Ending::Unsupported => "[unknown unwind information]",
    }
}

/// The name of a call stack that was not recorded.
pub(crate) const NO_STACK: &str = "[no call stack]";
