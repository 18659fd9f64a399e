#!/usr/bin/env bash
# Runs compiler-rt's tests of LeakSanitizer, compiled without it, under libheapsight.so.
#
# README.md says where they come from, how they are run, and why some fail.
#
# usage: run.sh [--library PATH.so] [--keep DIR] [--list] [TEST...]
#
# Exit status: 0 as good as wanted, 1 not, 2 wrong usage, 77 the tests cannot be had here.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

main() {
    local library=$here/../../target/release/libheapsight.so
    local cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/heapsight/lsan-tests
    local arguments=()
    while (($# > 0)); do
        case $1 in
            --library | --keep)
                (($# > 1)) || usage "$1 needs a value"
                if [[ $1 == --library ]]; then library=$2; else cache=$2; fi
                shift
                ;;
            --list) arguments+=("$1") ;;
            -*) usage "$1 is no option" ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    [[ -f $library ]] || usage "$library is missing: cargo build --release"
    command -v clang++ >/dev/null || skip "clang++ is missing (package clang)"
    command -v python3 >/dev/null || skip "python3 is missing"
    [[ -d $cache/source/test/lsan ]] || "$here/fetch.sh" "$cache/source"
    exec python3 "$here/run.py" --source "$cache/source" --work "$cache/work" \
        --library "$(realpath "$library")" "${arguments[@]}"
}

usage() {
    echo "lsan: $1" >&2
    echo "usage: run.sh [--library PATH.so] [--keep DIR] [--list] [TEST...]" >&2
    exit 2
}

skip() {
    echo "lsan: $1" >&2
    exit 77
}

main "$@"
