//! Ledgers for the viewing commands: of a small C program that is compiled for the test, so that
//! there are symbols to find.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use heapsight::ledger::testing::Ledger;
use heapsight::ledger::{
    Class, Counters, Frame, FrameKind, Mode, Module, Node, Point, Site, Snapshot, State, Thread,
};
use object::{Object, ObjectSegment, ObjectSymbol};

use crate::world::World;

/// `add_item` is compiled into `fill_cart`.
const SHOP: &str = "\
#include <stdlib.h>
static inline __attribute__((always_inline)) void *add_item(int n) {
    return malloc(n);
}
__attribute__((noinline)) void *fill_cart(int n) {
    char *item = add_item(n);
    item[0] = 1;
    return item;
}
__attribute__((noinline)) void *greet(void) {
    char *text = malloc(7);
    text[0] = 'h';
    return text;
}
int main(int argc, char **argv) {
    return fill_cart(argc) == greet();
}
";

/// Where it is loaded.
const BIAS: u64 = 0x5555_5555_0000;

/// The compiled program.
pub(crate) struct Shop {
    path: PathBuf,
    build_id: Vec<u8>,
    end: u64,
    fill_cart: u64,
    greet: u64,
    main: u64,
}

impl Shop {
    pub(crate) fn build(world: &World) -> Self {
        let source = world.file("shop.c", SHOP, 0o644);
        let path = world.path("shop");
        let status = Command::new("cc")
            .args(["-g", "-O1", "-pie", "-fPIE", "-Wl,--build-id", "-o"])
            .args([&path, &source])
            .status()
            .expect("cc, the linker of every Rust build here, runs");
        assert!(status.success(), "cc cannot build a program");
        let data = fs::read(&path).expect("it was built");
        let file = object::File::parse(&*data).expect("an object");
        // A return address: behind the first call of the function.
        let call = |name: &str| {
            let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name)).expect("a symbol");
            let (start, size) = (symbol.address(), symbol.size());
            let segments = file.segments().filter_map(|segment| {
                let offset = start.checked_sub(segment.address())? as usize;
                segment.data().ok()?.get(offset..offset + size as usize)
            });
            let code = segments.last().expect("code");
            start + code.windows(5).position(|code| code[0] == 0xe8).expect("a call") as u64 + 5
        };
        let ends = file.segments().map(|segment| segment.address() + segment.size());
        Self {
            build_id: file.build_id().ok().flatten().expect("a build id").to_vec(),
            end: BIAS + ends.max().expect("segments"),
            fill_cart: BIAS + call("fill_cart"),
            greet: BIAS + call("greet"),
            main: BIAS + call("main"),
            path,
        }
    }

    /// What it recorded: `fill_cart` holds 5000 bytes, `greet` nothing.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let frame = |address| Frame { address, module: Some(0), kind: FrameKind::Return };
        let counters = |allocations: u64, bytes: u64, live: u64, live_bytes: u64| Counters {
            allocations,
            bytes,
            frees: allocations - live,
            freed_bytes: bytes - live_bytes,
            live,
            live_bytes,
            at_peak: allocations,
            at_peak_bytes: bytes,
            own_peak_bytes: bytes,
            ..Counters::default()
        };
        let site = |node, counters| Site { node, counters };
        let sites = vec![
            Site::default(),
            Site::default(),
            site(2, counters(10, 10_000, 5, 5000)),
            site(3, counters(100, 700, 0, 0)),
        ];
        let mut snapshot = Snapshot {
            modules: vec![Module {
                start: BIAS,
                end: self.end,
                bias: BIAS,
                path: self.path.to_string_lossy().into_owned(),
                build_id: self.build_id.clone(),
                unloaded_ns: None,
            }],
            frames: vec![
                Frame::default(),
                frame(self.main),
                frame(self.fill_cart),
                frame(self.greet),
            ],
            nodes: vec![
                Node::default(),
                Node { parent: 0, frame: 1 },
                Node { parent: 1, frame: 2 },
                Node { parent: 1, frame: 3 },
            ],
            sites,
            threads: vec![Thread { id: 31137, name: "shop".into(), ..Thread::default() }],
            classes: vec![Class {
                block_size: 1024,
                allocations: 110,
                bytes: 10_700,
                frees: 105,
                freed_bytes: 5700,
            }],
            timeline: [(1, 10_700), (9, 5000)]
                .map(|(s, bytes)| Point {
                    ns: s * 1_000_000_000,
                    bytes,
                    high_bytes: bytes,
                    resident: 1 << 20,
                    ..Point::default()
                })
                .into(),
            ..Snapshot::default()
        };
        snapshot.process.pid = 31137;
        snapshot.process.program = self.path.to_string_lossy().into_owned();
        snapshot.process.command = ["./shop", "--open"].map(String::from).into();
        snapshot.process.elapsed_ns = 10_000_000_000;
        snapshot.process.state = State::Exited(3);
        snapshot.tracking.mode = Mode::Full;
        let totals = &mut snapshot.totals;
        (totals.total_allocations, totals.bytes_allocated) = (110, 10_700);
        (totals.total_deallocations, totals.bytes_deallocated) = (105, 5700);
        (totals.current_allocations, totals.current_bytes) = (5, 5000);
        (totals.peak_allocations, totals.peak_bytes) = (110, 10_700);
        snapshot
    }
}

/// Writes the ledger of a snapshot.
pub(crate) fn write(path: &Path, snapshot: &Snapshot) {
    fs::write(path, Ledger::of(snapshot).bytes()).expect("the ledger can be written");
}
