#!/usr/bin/env python3
"""Holds the truth of the corpus against LeakSanitizer (package gcc): what is lost, in bytes and blocks.

usage: oracle.py [NAME...]

LSan knows no cycles, so a program's lost, indirect and cycle blocks are counted together. Where it
differs, the difference has to be one of EXPLAINED.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAMS = pathlib.Path(__file__).parent / "programs"
# What LSan does differently, and why the truth is as it is.
EXPLAINED = {
    "arena": "LSan does not look into mapped memory that a global leads to",
    "shared_memory": "LSan does not look into mapped memory that a global leads to",
    "result": "LSan does not know of a result that has not been fetched",
}


def planted(source):
    """Blocks and bytes that the source says are lost, in whatever way."""
    markers = re.findall(
        r"// LEAK (?:lost|indirect|cycle|possible) (\d+) blocks? (\d+) bytes?", source.read_text()
    )
    return sum(int(blocks) for blocks, _ in markers), sum(int(size) for _, size in markers)


def build(source, output):
    compiler = ["gcc", "-std=gnu11"] if source.suffix == ".c" else ["g++", "-std=c++17"]
    flags = ["-g", "-O1", "-w", "-pthread", "-fsanitize=leak", "-o", str(output / "planted")]
    library = source.with_suffix(".lib.c")
    if library.exists():
        shared = output / "libplanted.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shared, library], check=True)
        flags.append(f'-DPLANT_LIBRARY="{shared}"')
    subprocess.run([*compiler, *flags, source], check=True)


def found(output):
    """Blocks and bytes that LSan says are lost."""
    run = [str(output / "planted"), "leak"]
    done = subprocess.run(run, capture_output=True, timeout=60, check=False, text=True)
    text = re.search(r"SUMMARY: \w+: (\d+) byte\(s\) leaked in (\d+) alloc", done.stderr)
    return (int(text.group(2)), int(text.group(1))) if text else (0, 0)


def main():
    unexplained = 0
    for source in sorted(PROGRAMS.glob("c*/*.c*")):
        name = source.name.split(".")[0]
        if ".lib." in source.name or sys.argv[1:] and name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as directory:
            build(source, pathlib.Path(directory))
            truth, theirs = planted(source), found(pathlib.Path(directory))
        if truth != theirs:
            why = EXPLAINED.get(name, "NOT EXPLAINED")
            unexplained += name not in EXPLAINED
            print(f"{source.name}: truth {truth}, LSan {theirs}: {why}")
    print(f"{unexplained} differences are not explained")
    return 1 if unexplained else 0


sys.exit(main())
