#!/usr/bin/env bash
# Builds glibc's malloc tests as ordinary programs of this machine.
#
# usage: build.sh SOURCE BUILD JOBS TEST...
#
# In glibc's own build a test is linked with the libc just built. Here it is linked with the libc
# of the machine, as a user's program is, and with the part of glibc's `support` library that
# compiles against public headers. `shims/` stands in for the few internal headers they include.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here

main() {
    source_tree=$1 build=$2 jobs=$3
    shift 3
    mkdir -p "$build"/{include,objects,bin,logs}
    lay_out_headers
    export source_tree build here
    export -f compile_support compile_test compile
    support_files | xargs -P "$jobs" -n 1 bash -c 'compile_support "$@"' _
    rm -f "$build/libsupport.a"
    ar cr "$build/libsupport.a" "$build"/objects/*.o
    printf '%s\n' "$@" | xargs -P "$jobs" -n 1 bash -c 'compile_test "$@"' _
}

# A directory with nothing but the headers meant to be seen: the whole of glibc's `include` would
# hide the host's headers.
lay_out_headers() {
    local header
    ln -sfn "$source_tree/support" "$build/include/support"
    ln -sfn "$source_tree/malloc" "$build/include/malloc"
    for header in include/{libc-diag,array_length,intprops,scratch_buffer}.h \
                  sysdeps/generic/malloc-{size,alignment}.h; do
        ln -sf "$source_tree/$header" "$build/include/"
    done
}

# The routines that glibc's Makefile names, and what they use of malloc's internals.
support_files() {
    sed -n '/^libsupport-routines/,/^$/s/^  *\([^ ]*\).*/\1/p' "$source_tree/support/Makefile" \
        | sed "s|.*|$source_tree/support/&.c|"
    ls "$source_tree"/malloc/scratch_buffer_*.c
}

# glibc's own options, less its warnings: it keeps them clean with the compiler of its release.
compile() {
    gcc -std=gnu11 -fgnu89-inline -O2 -g -w -U_FORTIFY_SOURCE -D_GNU_SOURCE -DTEST_NO_MALLOPT \
        -include "$here/shims/prelude.h" \
        -I"$build/include" -I"$here/shims" -I"$build/include/support" "$@"
}

# Routines for time64, clone and the like need more of glibc than a host has. One that a malloc
# test needs shows when that test is linked.
compile_support() {
    local name
    name=$(basename "$1" .c)
    compile -c "$1" -o "$build/objects/$name.o" 2> "$build/logs/$name.txt" \
        || rm -f "$build/objects/$name.o"
}

compile_test() {
    local file=$source_tree/malloc/$1.c log=$build/logs/$1.txt
    if [[ ! -f $file ]]; then
        echo "glibc: $1: this version of glibc has no such test" >&2
    elif ! compile "$file" "$build/libsupport.a" -pthread -o "$build/bin/$1" 2> "$log"; then
        echo "glibc: $1 does not build: $(grep -m 1 -e error -e undefined "$log")" >&2
    fi
}

main "$@"
