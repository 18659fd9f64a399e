"""Runs compiler-rt's LSan tests as their RUN lines say, without lit and without -fsanitize=leak.

What differs from lit: the compiler gets no -fsanitize option and links libheapsight.so where a test
calls its functions; %run is the program under the preloaded library, and nothing else in a line is
(so `%run not` becomes `not %run`).
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

SECONDS_MAX = 600
# The features that lit would find for a standalone LSan on this system.
FEATURES = {"lsan-standalone", "linux", "x86-target-arch", "strace"}
PASSES_WANTED = 55
# Where a test asks for what is no virtue of a leak check; README.md has the long form.
EXPLAINED = {
    "leak_check_segv.cpp": "wants an error for memory that cannot be read; it is passed over",
    "strace_test.cpp": "wants an error under strace, where checks work",
    "swapcontext.cpp": "wants a leak in a coroutine to go unseen",
}


def tests(source):
    """Every test that is for Linux."""
    root = source / "test/lsan/TestCases"
    return sorted(
        path
        for path in root.rglob("*")
        if path.suffix in (".c", ".cpp") and "Darwin" not in path.parts
    )


def lines(test, keyword):
    """The lines of a test that begin with the keyword, continued ones joined."""
    joined, pending = [], ""
    for line in test.read_text(errors="replace").splitlines():
        found = re.search(rf"{keyword}:\s*(.*)$", line)
        if found:
            pending += found.group(1).strip()
            if pending.endswith("\\"):
                pending = pending[:-1]
                continue
            joined.append(pending)
            pending = ""
    return joined


def unmet(test):
    """What the test requires and is not here."""
    required = [word for line in lines(test, "REQUIRES") for word in re.split(r"\s*&&\s*", line)]
    return [feature for feature in required if feature not in FEATURES]


def substituted(line, test, output, options):
    """A RUN line as a shell command."""
    compile_c = f"{options.cc} -O0 -g -I{options.source}/test -I{options.source}/include"
    compile_cxx = f"{options.cxx} -O0 -g -I{options.source}/test -I{options.source}/include"
    link = f"-pthread -Wl,--as-needed {options.library} -Wl,-rpath,{options.library.parent}"
    preload = f"env LD_PRELOAD={options.library} HEAPSIGHT={options.heapsight}"
    line = line.replace("%run not ", "not %run ")
    # A library comes after what uses it, and a compile-only step takes none.
    line = re.sub(
        r"(%clang(?:xx)?_lsan [^|&]*)",
        lambda found: found.group(1) + ("" if " -c " in found.group(1) else f" {link} "),
        line,
    )
    for name, value in [
        ("%clangxx_lsan ", f"{compile_cxx} "),
        ("%clang_lsan ", f"{compile_c} "),
        ("%clangxx ", f"{compile_cxx} "),
        ("%clang ", f"{compile_c} "),
        ("%env_lsan_opts=", "env LSAN_OPTIONS=detect_leaks=1:"),
        ("%device_rundir/", ""),
        ("%push_to_device", "true"),
        ("%adb_shell", "true"),
        ("%run ", f"{preload} "),
        ("FileCheck", options.filecheck),
        ("%s", str(test)),
        ("%t", str(output)),
    ]:
        line = line.replace(name, value)
    return line


def run(test, options):
    """None if the test passes, otherwise what went wrong."""
    name = test.relative_to(options.source / "test/lsan/TestCases")
    work = options.work / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if key != "HEAPSIGHT"}
    environment["PATH"] = f"{options.work}/bin:{environment['PATH']}"
    # As lit does, for the lines that say nothing else.
    environment["LSAN_OPTIONS"] = "detect_leaks=1"
    for line in lines(test, "RUN"):
        command = substituted(line, test, work / "t", options)
        try:
            done = subprocess.run(
                ["bash", "-c", f"set -o pipefail\n{command}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=work,
                env=environment,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"RUN: {line}\ntimed out"
        if done.returncode != 0:
            return f"RUN: {line}\n{done.stdout.decode(errors='replace')}"
    return None


def write_not(work):
    """`not`, as LLVM's: succeeds if the command fails, but not if it crashes."""
    (work / "bin").mkdir(parents=True, exist_ok=True)
    script = work / "bin/not"
    script.write_text('#!/bin/sh\n"$@"\nstatus=$?\n[ $status -ne 0 ] && [ $status -lt 128 ]\n')
    script.chmod(0o755)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--heapsight", default=os.environ.get("HEAPSIGHT", "track=full,leaks=on"))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    options.cc, options.cxx = os.environ.get("CC", "clang"), os.environ.get("CXX", "clang++")
    names = ["FileCheck", *(f"FileCheck-{version}" for version in range(21, 13, -1))]
    options.filecheck = next(filter(None, map(shutil.which, names)), None)
    if not options.filecheck:
        print("lsan: FileCheck is missing (package llvm-19-tools)", file=sys.stderr)
        sys.exit(77)
    return options


def main():
    options = arguments()
    chosen = [
        test
        for test in tests(options.source)
        if not options.tests or any(name in str(test) for name in options.tests)
    ]
    if options.list:
        print(*(test.name for test in chosen), sep="\n")
        return 0
    options.work.mkdir(parents=True, exist_ok=True)
    write_not(options.work)
    passed, failed, skipped = [], [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runnable = [test for test in chosen if not unmet(test)]
        skipped = [test for test in chosen if unmet(test)]
        for test, story in zip(runnable, pool.map(lambda test: run(test, options), runnable)):
            (passed if story is None else failed).append((test, story))
    unexplained = [(test, story) for test, story in failed if test.name not in EXPLAINED]
    for test, story in unexplained:
        print(f"FAIL {test.name}\n{story[:1500]}\n")
    for test in skipped:
        print(f"SKIP {test.name}: needs {', '.join(unmet(test))}")
    for test, _ in failed:
        print(f"fail {test.name}: {EXPLAINED.get(test.name, 'not explained')}")
    print(
        f"{len(passed)} of {len(chosen)} pass (wanted: {PASSES_WANTED}), {len(failed)} fail, of "
        f"which {len(failed) - len(unexplained)} are explained, {len(skipped)} do not apply"
    )
    return 1 if unexplained else 0


sys.exit(main())
