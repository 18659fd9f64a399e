#!/usr/bin/env bash
# Runs glibc's own malloc tests with libheapsight.so in place of glibc's malloc.
#
# The first run fetches and builds them (a minute); later ones find them in the cache. README.md
# says where they come from and what each of them demands.

set -euo pipefail

# Better than glibc's own malloc, which passes 34 this way. The ceiling is 36: two of the tests can
# only be passed by a heap that is laid out like glibc's.
readonly PASSES_WANTED=35

# The tests time themselves out, after 20 to 100 s. This is for those that cannot even do that.
readonly OUTER_TIMEOUT_SECONDS=120

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

usage() {
    cat <<TEXT
usage: run.sh [--library PATH.so] [--jobs N] [--keep DIR] [TEST...]
       run.sh --preload OTHER.so | --baseline | --list

  --library PATH  the libheapsight.so to test (default: target/release/libheapsight.so)
  --preload PATH  test another allocator, without expectations
  --baseline      test glibc's own malloc, without expectations
  --jobs N        run N tests at once (default: the number of processors)
  --keep DIR      where sources, programs and outputs stay
                  (default: \${XDG_CACHE_HOME:-~/.cache}/heapsight/glibc-tests)
  --list          print the tests and what is expected of each
  TEST...         run only these

HEAPSIGHT in the environment reaches the tests: HEAPSIGHT=track=full run.sh

Exit status: 0 as good as expected, 1 not, 2 wrong usage, 77 the tests cannot be had here.
TEXT
}

main() {
    library=$here/../../target/release/libheapsight.so
    cache=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/heapsight/glibc-tests
    jobs=$(nproc)
    has_expectations=yes
    chosen=()
    parse_arguments "$@"
    read_tests
    check_library
    prepare
    run_tests
    print_results
}

parse_arguments() {
    while (($# > 0)); do
        case $1 in
            --library) library=$(value_of "$@"); shift ;;
            --preload) library=$(value_of "$@"); has_expectations=no; shift ;;
            --baseline) library=; has_expectations=no ;;
            --jobs) jobs=$(value_of "$@"); shift ;;
            --keep) cache=$(value_of "$@"); shift ;;
            --list) list; exit 0 ;;
            --help | -h) usage; exit 0 ;;
            -*) fail 2 "unknown option $1; try --help" ;;
            *) chosen+=("$1") ;;
        esac
        shift
    done
    [[ $jobs =~ ^[1-9][0-9]*$ ]] || fail 2 "--jobs $jobs: give a number of 1 or more"
    cache=$(realpath -m "$cache")
}

value_of() {
    (($# > 1)) || fail 2 "$1 needs a value; try --help"
    printf '%s\n' "$2"
}

fail() {
    local status=$1
    echo "glibc: $2" >&2
    exit "$status"
}

list() {
    sed '/^#/d' "$here/tests.txt"
}

# The table of tests.txt, as two maps and an order.
read_tests() {
    local test expected setting name
    declare -gA expectation=() environment=()
    tests=()
    while read -r test expected setting; do
        tests+=("$test")
        expectation[$test]=$expected
        environment[$test]=${setting#-}
    done < <(list)
    for name in "${chosen[@]}"; do
        [[ -n ${expectation[$name]:-} ]] || fail 2 "$name is not among the tests; try --list"
    done
    all_tests=("${tests[@]}")
    ((${#chosen[@]} == 0)) || tests=("${chosen[@]}")
}

# A library that cannot be preloaded is ignored by ld.so: every test would then test glibc.
check_library() {
    [[ -n $library ]] || return 0
    [[ -f $library ]] || fail 1 "$library does not exist; run cargo build --release first"
    library=$(realpath "$library")
    LD_PRELOAD=$library grep -qF "$library" /proc/self/maps \
        || fail 1 "$library cannot be preloaded here; ld.so has said why above, if it knows"
}

# Sources by version of glibc, programs also by what builds them: either is made when missing, and
# only a complete one gets its final name.
prepare() {
    local version recipe source_tree
    version=$(dpkg-query -W -f '${source:Version}' libc6 2>/dev/null) || version=unknown
    source_tree=$cache/$version/source
    recipe=$( (gcc --version; cat "$here"/{build.sh,tests.txt,shims/*}) | cksum | cut -d ' ' -f 1)
    programs=$cache/$version/build-$recipe
    mkdir -p "$cache/$version"
    if [[ ! -d $source_tree ]]; then
        rm -rf "$source_tree.new"
        "$here/fetch.sh" "$source_tree.new"
        mv "$source_tree.new" "$source_tree"
    fi
    if [[ ! -d $programs ]]; then
        command -v gcc >/dev/null || fail 77 "gcc is missing: the tests cannot be built here"
        echo "glibc: building ${#all_tests[@]} tests" >&2
        rm -rf "$programs.new"
        "$here/build.sh" "$source_tree" "$programs.new" "$jobs" "${all_tests[@]}"
        mv "$programs.new" "$programs"
    fi
}

run_tests() {
    local test
    outputs=$cache/outputs/$(basename "${library:-glibc}" .so)
    rm -rf "$outputs"
    mkdir -p "$outputs"
    export library programs outputs OUTER_TIMEOUT_SECONDS
    export -f run_one
    for test in "${tests[@]}"; do
        printf '%s\n' "$test${environment[$test]:+ ${environment[$test]}}"
    done | xargs -P "$jobs" -L 1 bash -c 'run_one "$@"' _
}

# `timeout` interrupts rather than terminates: on SIGINT a test ends its child before itself. The
# library is preloaded into the test alone.
run_one() {
    local test=$1 setting=${2:-} status=0 program=$programs/bin/$1
    if [[ ! -x $program ]]; then
        echo "not built" > "$outputs/$test.result"
        return
    fi
    cd "$outputs"
    timeout --signal=INT --kill-after=5 "$OUTER_TIMEOUT_SECONDS" \
        env ${setting:+"$setting"} ${library:+LD_PRELOAD="$library"} "$program" \
        > "$test.out" 2>&1 < /dev/null || status=$?
    case $status in
        0) echo pass ;;
        77) echo unsupported ;;
        124 | 137) echo timeout ;;
        *) if grep -q '^Timed out' "$test.out"; then echo timeout; else echo fail; fi ;;
    esac > "$test.result"
}

print_results() {
    local test result note passes=0 regressions=0
    for test in "${tests[@]}"; do
        result=$(<"$outputs/$test.result")
        note=
        if [[ $result == pass ]]; then
            passes=$((passes + 1))
        elif [[ -f $outputs/$test.out ]]; then
            note=$(telling_line "$outputs/$test.out")
        fi
        if [[ $has_expectations == yes && $result != pass ]]; then
            if [[ ${expectation[$test]} == pass ]]; then
                regressions=$((regressions + 1))
            else
                note="(expected) $note"
            fi
        fi
        printf '%-30s %-12s %s\n' "$test" "$result" "$note"
    done
    echo "glibc malloc tests: $passes of ${#tests[@]} pass"
    echo "glibc: the output of each test is in $outputs" >&2
    [[ $has_expectations == yes ]] || return 0
    judge "$passes" "$regressions"
}

# The line of an output that says most about a failure, in the width of a table.
telling_line() {
    tr -cd '[:print:]\n' < "$1" | sed "s|$cache/[^ ]*/||g" | awk '
        NR == 1 { first = $0 }
        !told && tolower($0) ~ /error|fail|expect|timed out/ { told = $0 }
        END { print substr(told ? told : first, 1, 90) }'
}

# A choice of tests is judged by its regressions alone.
judge() {
    local passes=$1 regressions=$2
    if ((regressions > 0)); then
        fail 1 "$regressions tests fail that are expected to pass"
    elif ((${#chosen[@]} == 0 && passes < PASSES_WANTED)); then
        fail 1 "fewer than $PASSES_WANTED of ${#tests[@]} pass"
    fi
}

main "$@"
