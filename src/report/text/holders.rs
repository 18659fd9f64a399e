//! Sentences on who holds a block.

use super::{fold, printable};
use crate::report::holder::{Holder, Hop, Member, Root, RootKind};
use crate::report::model::{Frame, count};
use std::format;
use std::string::String;
use std::vec::Vec;

/// `the variable cache of /bin/app, at offset 16 of a block of 64 bytes from make_node  node.c:12`
pub(in crate::report) fn sentence(holder: &Holder) -> String {
    let mut text = root(&holder.root, holder.path.first());
    let inner = match holder.root.kind {
        // The first block of the path is the lost one.
        RootKind::Lost => holder.path.get(1..).unwrap_or_default(),
        _ => &holder.path,
    };
    let between = (inner.len() as u64).saturating_sub(1) + holder.omitted;
    if let Some(last) = inner.last() {
        if between > 0 {
            text.push_str(&format!(", by way of {}", count(between, "other block")));
        }
        let (offset, size) = (last.offset, count(last.size, "byte"));
        text.push_str(&format!(", at offset {offset} of a block of {size}{}", from(&last.frames)));
    }
    text
}

fn root(root: &Root, first: Option<&Hop>) -> String {
    let module = root.module.as_deref().map(printable);
    let of_module = module.map_or_else(String::new, |module| format!(" of {module}"));
    let thread = || {
        let id = root.thread.unwrap_or(0);
        match root.thread_name.as_deref().map(printable) {
            Some(name) => format!("thread {id} ({name})"),
            None => format!("thread {id}"),
        }
    };
    match root.kind {
        RootKind::Global => match &root.symbol {
            Some(symbol) if root.offset > 0 => {
                format!("the variable {}{of_module}, {} bytes in", printable(symbol), root.offset)
            }
            Some(symbol) => format!("the variable {}{of_module}", printable(symbol)),
            None => format!("a variable at {:#x}{of_module}", root.address),
        },
        RootKind::Stack => match &root.function {
            Some(function) => format!("{}, on the stack of {}", printable(function), thread()),
            None => format!("the stack of {}", thread()),
        },
        RootKind::Registers => format!("a register of {}", thread()),
        RootKind::Tls => format!("thread-local memory of {}", thread()),
        RootKind::AlternateStack => format!("the signal stack of {}", thread()),
        RootKind::Region => format!("a registered region, at {:#x}", root.address),
        RootKind::Mapping => format!("memory outside of the heap, at {:#x}", root.address),
        RootKind::Ignored => "nothing, and the program has it ignored".into(),
        RootKind::Suppressed => "nothing, and it is suppressed".into(),
        RootKind::Lost => {
            let size = first.map_or_else(String::new, |hop| format!(" of {} bytes", hop.size));
            format!("a lost block{size}{}", from(&root.frames))
        }
    }
}

/// ` from make_node  node.c:12`; empty where no stack was recorded.
fn from(frames: &[Frame]) -> String {
    own_frame(frames).map_or_else(String::new, |frame| format!(" from {}", place(frame)))
}

/// The innermost frame that a reader cares for, in a line.
pub(in crate::report) fn own_place(frames: &[Frame]) -> String {
    own_frame(frames).map_or_else(|| String::from("??"), place)
}

/// The innermost frame that a reader cares for.
pub(in crate::report) fn own_frame(frames: &[Frame]) -> Option<&Frame> {
    frames.iter().find(|frame| !fold::is_plumbing(frame)).or_else(|| frames.first())
}

/// `function  file:line`, in a line.
fn place(frame: &Frame) -> String {
    let function = printable(frame.function.as_deref().unwrap_or("??"));
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => {
            format!("{function} ({}:{line})", printable(fold::file_name(file)))
        }
        _ => function,
    }
}

/// What a cycle consists of, a line each, and what its kind is called if the stacks tell.
pub(super) fn members(members: &[Member]) -> Vec<String> {
    let line = |member: &Member| {
        let frame = own_place(&member.frames);
        format!("{} of {} from {frame}", count(member.blocks, "block"), count(member.bytes, "byte"))
    };
    members.iter().map(line).collect()
}

/// Counted pointers whose cycles never end by themselves, by the functions that make them.
const COUNTED: [(&str, &str); 3] =
    [("::rc::Rc<", "Rc"), ("::sync::Arc<", "Arc"), ("shared_ptr", "shared_ptr")];

/// The sort of counted pointer that a cycle is made of.
pub(super) fn counted_pointer(frames: &[Frame], members: &[Member]) -> Option<&'static str> {
    let all = frames.iter().chain(members.iter().flat_map(|member| &member.frames));
    let names = all.filter_map(|frame| frame.function.as_deref());
    names.into_iter().find_map(|name| {
        COUNTED.iter().find(|(part, _)| name.contains(part)).map(|(_, kind)| *kind)
    })
}
