"""For gdb: stops a program in calls of the allocation functions, and writes down, for each stop, the
stack as gdb sees it and the site that the ledger counted this very block for.

The environment says what to do; see debugger.rs.
"""
import mmap
import os
import random
import re
import struct

import gdb

# Sections of the ledger, and its records, by docs/ledger.md.
THREADS, CHUNKS = 5, 7
CELLS, CELL_LEN = 64, 64


class Ledger:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.words = memoryview(self.bytes).cast("I")

    def records(self, section):
        offset, stride, count = struct.unpack_from("<QI4xI", self.bytes, 24 + 24 * section)
        return range(offset, offset + stride * count, stride)

    def allocations(self):
        """By place of the chunk, how many blocks each of its sites has allocated, up to 2^31."""
        begin, step = 64 // 4, CELL_LEN // 4
        cells = {}
        for chunk in self.records(CHUNKS):
            first = chunk // 4 + begin
            cells[chunk] = self.words[first:first + CELLS * step:step].tolist()
        return cells

    def shard(self, thread):
        """The shard that only this thread writes now."""
        for record in reversed(self.records(THREADS)):
            ended = struct.unpack_from("<Q", self.bytes, record + 32)[0]
            id, shard = struct.unpack_from("<II", self.bytes, record)
            if id == thread and not ended:
                return shard
        return None

    def counted(self, thread, before):
        """The sites for which the thread has counted blocks since then."""
        shard = self.shard(thread)
        sites = []
        for chunk, cells in self.allocations().items():
            owner, first_site = struct.unpack_from("<II", self.bytes, chunk)
            if shard is None or owner != shard + 1:
                continue
            old = before.get(chunk, [0] * CELLS)
            for cell, (count, was) in enumerate(zip(cells, old)):
                sites += [first_site + cell] * (count - was)
        return sites


def register(name):
    return int(gdb.selected_frame().read_register(name)) & (1 << 64) - 1


def run(command):
    gdb.execute(command, to_string=True)


def is_alive():
    return gdb.selected_thread() is not None


def go_to(where):
    point = gdb.Breakpoint(where, internal=True)
    run("continue")
    point.delete()


def start():
    """To the program's entry: the libraries are there and have been initialised."""
    # With displaced stepping, gdb 13 makes programs of several threads crash.
    for setting in ("pagination off", "confirm off", "width 0", "startup-with-shell off",
                    "breakpoint pending on", "displaced-stepping off",
                    "backtrace past-main on", "backtrace past-entry on", "backtrace limit 5000"):
        run("set " + setting)
    for name in ("LD_PRELOAD", "HEAPSIGHT", "PYTHONMALLOC"):
        run(f"set environment {name} {os.environ['STOPS_' + name]}")
    run("handle all nostop noprint pass")
    run("starti")
    auxiliary = gdb.execute("info auxv", to_string=True)
    go_to("*" + re.search(r"AT_ENTRY .*(0x[0-9a-f]+)", auxiliary).group(1))


def base(library):
    with open(f"/proc/{gdb.selected_inferior().pid}/maps") as maps:
        return min(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(library))


def stack():
    """The callers, innermost first. A debugger's inlined and tail calls are not on the stack."""
    frame, callers = gdb.newest_frame().older(), []
    while frame is not None and frame.is_valid():
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            callers.append(frame.pc())
        frame = frame.older()
    return callers


def finish():
    """Until this call has returned."""
    thread, sp = gdb.selected_thread().num, register("rsp")
    memory = gdb.selected_inferior().read_memory(sp, 8)
    point = gdb.Breakpoint(f"*{struct.unpack('<Q', memory)[0]:#x}", internal=True)
    point.thread = thread
    run("continue")
    while is_alive() and (gdb.selected_thread().num, register("rsp")) != (thread, sp + 8):
        run("continue")
    point.delete()


def stops(out):
    start()
    ledger = Ledger(os.environ["STOPS_LEDGER"])
    where = base(os.environ["STOPS_LD_PRELOAD"])
    marker = os.environ["STOPS_MARKER"]
    if marker:
        go_to(marker)
    offsets = [int(offset) for offset in os.environ["STOPS_OFFSETS"].split()]
    points = [gdb.Breakpoint(f"*{where + offset:#x}", internal=True) for offset in offsets]
    choice = random.Random(1)
    for _ in range(int(os.environ["STOPS_COUNT"])):
        for point in points:
            point.enabled = True
            point.ignore_count = choice.randrange(int(os.environ["STOPS_SKIP"]))
        run("continue")
        if not is_alive():
            break
        thread, before, callers = gdb.selected_thread().ptid[1], ledger.allocations(), stack()
        for point in points:
            point.enabled = False
        finish()
        if not is_alive():
            break
        sites = ledger.counted(thread, before)
        print(*sites, "|", *(f"{pc:x}" for pc in callers), file=out)
    if is_alive():
        run("kill")


with open(os.environ["STOPS_OUT"], "w") as out:
    stops(out)
    print("done", file=out)
