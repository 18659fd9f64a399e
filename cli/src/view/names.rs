//! The names of frames: asked for by the piece, answered by threads that read the object files.
//!
//! A ledger has more frames than anyone looks at, and debug information is slow to read. So only
//! what is shown is asked for. Threads read the object files and keep them open, a file in several
//! threads if there is much to ask; a viewer that must not wait shows module and offset until the
//! answer is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use heapsight::Frame;
use heapsight::ledger::{FrameKind, Snapshot};
use heapsight::symbols::Object;

/// More threads than these would only wait for the disk.
const WORKERS_MAX: usize = 8;
/// Questions about one module that are worth a thread of their own.
const QUESTIONS_MIN: usize = 2000;
/// Answers that are sent together.
const ANSWERS_MAX: usize = 32;

/// What is known of the frames of one ledger, by their index.
#[derive(Debug)]
pub(crate) struct Names {
    is_symbolic: bool,
    /// Until the answer is there, a frame of module and offset.
    known: HashMap<u32, Arc<[Frame]>>,
    pending: HashSet<u32>,
    /// By the frame of the caller: which import it called.
    callees: HashMap<u32, Option<String>>,
    unreadable: BTreeSet<usize>,
    pool: Option<Pool>,
    unanswered: usize,
}

#[derive(Debug)]
struct Pool {
    workers: Vec<Sender<Batch>>,
    answers: Receiver<Vec<Answer>>,
}

/// Questions about one module.
#[derive(Debug)]
struct Batch {
    number: usize,
    path: PathBuf,
    build_id: Vec<u8>,
    questions: Vec<Question>,
}

#[derive(Clone, Copy, Debug)]
enum Question {
    Frames { frame: u32, address: u64 },
    Callee { caller: u32, address: u64 },
}

#[derive(Debug)]
enum Answer {
    Frames { frame: u32, frames: Vec<Frame> },
    Callee { caller: u32, name: Option<String> },
    Unreadable { module: usize },
}

impl Names {
    /// With `is_symbolic` unset, frames stay modules and offsets.
    pub(crate) fn new(is_symbolic: bool) -> Self {
        Self {
            is_symbolic,
            known: HashMap::new(),
            pending: HashSet::new(),
            callees: HashMap::new(),
            unreadable: BTreeSet::new(),
            pool: None,
            unanswered: 0,
        }
    }

    /// Names that no file has to be read for.
    #[cfg(test)]
    pub(crate) fn fixed(known: impl IntoIterator<Item = (u32, Vec<Frame>)>) -> Self {
        let known = known.into_iter().map(|(frame, frames)| (frame, frames.into())).collect();
        Self { known, ..Self::new(false) }
    }

    /// What is known of a frame; nothing if it was never asked for.
    pub(crate) fn get(&self, frame: u32) -> &[Frame] {
        self.known.get(&frame).map_or(&[], |frames| frames)
    }

    /// The import that the frame `caller` called.
    pub(crate) fn callee(&self, caller: u32) -> Option<&str> {
        self.callees.get(&caller)?.as_deref()
    }

    /// Modules whose files are gone or have been replaced.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = usize> + '_ {
        self.unreadable.iter().copied()
    }

    /// Asks for the frames of call stacks; what was asked before is not asked again.
    pub(crate) fn ask(&mut self, snapshot: &Snapshot, nodes: impl IntoIterator<Item = u32>) {
        let mut seen = HashSet::new();
        let mut batches = BTreeMap::<usize, Vec<Question>>::new();
        for node in nodes {
            let mut next = node;
            while next != 0 && seen.insert(next) {
                let Some(node) = snapshot.nodes.get(next as usize) else { break };
                let parent = if node.parent < next { node.parent } else { 0 };
                let caller = (parent != 0).then(|| snapshot.nodes[parent as usize].frame);
                if let Some((module, question)) = self.question(snapshot, node.frame, caller) {
                    batches.entry(module).or_default().push(question);
                }
                next = parent;
            }
        }
        for (number, questions) in batches {
            self.send(snapshot, number, questions);
        }
    }

    /// Waits for all names of the call stacks. `progress` hears how many are there, of how many.
    pub(crate) fn resolve(
        &mut self,
        snapshot: &Snapshot,
        nodes: &[u32],
        mut progress: impl FnMut(usize, usize),
    ) {
        // The first answers tell which frames have no name, and those are asked about once more.
        loop {
            self.ask(snapshot, nodes.iter().copied());
            let total = self.unanswered;
            if total == 0 {
                return;
            }
            while self.unanswered > 0 {
                self.receive(Some(Duration::from_millis(100)));
                progress(total - self.unanswered.min(total), total);
            }
        }
    }

    /// Takes what has been answered meanwhile; whether that was anything.
    pub(crate) fn poll(&mut self) -> bool {
        let before = self.unanswered;
        while self.unanswered > 0 && self.receive(None) {}
        self.unanswered < before
    }

    /// What remains to be asked about a frame, and of which module.
    fn question(
        &mut self,
        snapshot: &Snapshot,
        frame: u32,
        caller: Option<u32>,
    ) -> Option<(usize, Question)> {
        if !self.known.contains_key(&frame) {
            let (module, question) = self.first_question(snapshot, frame)?;
            self.pending.insert(frame);
            return Some((module, question));
        }
        let is_nameless = self.get(frame).last().is_some_and(|frame| frame.function.is_none());
        let caller = caller.filter(|_| is_nameless && self.is_symbolic)?;
        if self.pending.contains(&frame) || self.callees.contains_key(&caller) {
            return None;
        }
        let called = snapshot.frames.get(caller as usize)?;
        let number = called.module?;
        if snapshot.frames[frame as usize].module == Some(number) {
            return None;
        }
        self.callees.insert(caller, None);
        let address = called.address.wrapping_sub(snapshot.modules.get(number)?.bias);
        Some((number, Question::Callee { caller, address }))
    }

    fn first_question(&mut self, snapshot: &Snapshot, index: u32) -> Option<(usize, Question)> {
        let frame = snapshot.frames.get(index as usize)?;
        let address = match frame.kind {
            FrameKind::Return | FrameKind::Heuristic => frame.address.saturating_sub(1),
            FrameKind::Exact => frame.address,
            FrameKind::Ending(_) => {
                self.known.insert(index, [].into());
                return None;
            }
        };
        let module = frame.module.and_then(|number| snapshot.modules.get(number));
        let address = address.wrapping_sub(module.map_or(0, |module| module.bias));
        let path = module.map(|module| module.path.clone());
        let bare = Frame { module: path, address, ..Frame::default() };
        self.known.insert(index, [bare].into());
        let number = frame.module.filter(|_| self.is_symbolic && module.is_some())?;
        Some((number, Question::Frames { frame: index, address }))
    }

    fn send(&mut self, snapshot: &Snapshot, number: usize, questions: Vec<Question>) {
        let module = &snapshot.modules[number];
        let pool = self.pool.get_or_insert_with(Pool::new);
        self.unanswered += questions.len();
        let workers = pool.workers.len();
        // To be opened once more pays only where there is much to ask.
        let parts = (questions.len() / QUESTIONS_MIN).clamp(1, workers);
        for (part, questions) in questions.chunks(questions.len().div_ceil(parts)).enumerate() {
            let (path, build_id) = (PathBuf::from(&module.path), module.build_id.clone());
            let batch = Batch { number, path, build_id, questions: questions.into() };
            // A worker ends only after its sender is dropped.
            let _sent = pool.workers[(number + part) % workers].send(batch);
        }
    }

    /// Takes the next answers, if there are any within that time.
    fn receive(&mut self, patience: Option<Duration>) -> bool {
        let Some(pool) = &self.pool else { return false };
        let answers = match patience {
            Some(patience) => pool.answers.recv_timeout(patience).ok(),
            None => pool.answers.try_recv().ok(),
        };
        let Some(answers) = answers else { return false };
        for answer in answers {
            match answer {
                Answer::Frames { frame, frames } => {
                    self.pending.remove(&frame);
                    self.known.insert(frame, frames.into());
                    self.unanswered -= 1;
                }
                Answer::Callee { caller, name } => {
                    self.callees.insert(caller, name);
                    self.unanswered -= 1;
                }
                Answer::Unreadable { module } => {
                    self.unreadable.insert(module);
                }
            }
        }
        true
    }
}

impl Pool {
    fn new() -> Self {
        let (answer, answers) = mpsc::channel();
        let number = thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
        let workers = (0..number).map(|_| {
            let (sender, batches) = mpsc::channel();
            let answer = answer.clone();
            thread::spawn(move || work(&batches, &answer));
            sender
        });
        Self { workers: workers.collect(), answers }
    }
}

/// Answers until nobody asks or listens any more.
fn work(batches: &Receiver<Batch>, answers: &Sender<Vec<Answer>>) {
    let mut objects = HashMap::new();
    for batch in batches {
        let Batch { number, path, build_id, questions } = batch;
        let mut first = Vec::new();
        let object = objects.entry(number).or_insert_with(|| {
            let object = Object::open(&path, &build_id);
            if !object.is_readable() {
                first.push(Answer::Unreadable { module: number });
            }
            object
        });
        if answers.send(first).is_err() {
            return;
        }
        for questions in questions.chunks(ANSWERS_MAX) {
            let answered = questions.iter().map(|question| match *question {
                Question::Frames { frame, address } => {
                    Answer::Frames { frame, frames: object.frames(address) }
                }
                Question::Callee { caller, address } => {
                    Answer::Callee { caller, name: object.callee(address) }
                }
            });
            if answers.send(answered.collect()).is_err() {
                return;
            }
        }
    }
}
