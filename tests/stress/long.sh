#!/usr/bin/env bash
# Random programs against every mode until the time is up: the stress program of this directory, on
# the allocator as shipped, with a new seed for each run. At the end a line for each mode.
#
#   cargo build --release -p heapsight-preload && tests/stress/long.sh MINUTES
#
# `guard_side=exact` is not among them: it does not align as C promises. Of what goes wrong the
# output and the command are kept in the directory that it names, and the exit code is 1. SO, SEED
# (the first one), MODES and OUT (that directory) may be set.
set -u
cd "$(dirname "$0")/../.."
minutes=${1:?how many minutes}
SO=$(realpath "${SO:-target/release/libheapsight.so}") || exit 2
OUT=${OUT:-$(mktemp -d)}
seed=${SEED:-1}
MODES=${MODES:-"
safety=off,track=off
safety=off,track=stats
safety=off,track=full
safety=off,track=sample:16K
safety=basic,track=off
safety=basic,track=stats
safety=basic,track=full
safety=basic,track=sample:16K
safety=full,track=full
safety=full,track=stats
safety=full,track=full,quarantine=0
safety=full,track=full,leaks=on,retain_metadata=1
safety=guard,track=full
safety=guard,track=full,guard_side=left
safety=sampled,track=off
safety=sampled:4K,track=off,safety_seed=1
safety=sampled:64K,track=sample:16K
"}
mkdir -p "$OUT"
cc -O2 -g -pthread -fno-builtin-malloc -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free \
    -o "$OUT/stress" tests/stress/*.c || exit 2

# What is served by system calls does fewer operations in a run: a round is to be short.
operations() {
    case $1 in
        *guard*) echo 40000 ;;
        *full*) echo 200000 ;;
        *) echo 400000 ;;
    esac
}

# Whether the allocator has said anything but that nothing leaks.
is_anything_said() { grep '^heapsight: ' "$OUT/run" | grep -qv '^heapsight: no leaks: '; }

failed=0
end=$((SECONDS + minutes * 60))
: >"$OUT/log"
while [ $SECONDS -lt $end ]; do
    for mode in $MODES; do
        [ $SECONDS -lt $end ] || break
        threads=$((seed % 7 + 1))
        command=("$OUT/stress" --ops "$(operations "$mode")" --seed "$seed" --fork 8 --threads "$threads")
        began=$(date +%s%N)
        LD_PRELOAD=$SO HEAPSIGHT=$mode timeout 900 "${command[@]}" >"$OUT/run" 2>&1
        code=$?
        took=$((($(date +%s%N) - began) / 1000000))
        done=$(awk '/ operations in .*: clean$/ { print $1 }' "$OUT/run")
        echo "$mode ${done:-0} $took $seed" >>"$OUT/log"
        if [ $code -ne 0 ] || [ -z "$done" ] || is_anything_said; then
            failed=1
            {
                echo "exit code $code: LD_PRELOAD=$SO HEAPSIGHT=$mode ${command[*]}"
                cat "$OUT/run"
            } | tee "$OUT/failure-$seed-${mode//[^a-z0-9]/-}"
        fi
        seed=$((seed + 1))
    done
done
echo "| mode | operations | seconds | runs |"
echo "|---|---|---|---|"
awk '{ n[$1] += $2; t[$1] += $3 / 1000; r[$1]++ }
     END { for (m in n) printf "| `%s` | %d | %.0f | %d |\n", m, n[m], t[m], r[m] }' "$OUT/log" | sort
echo "$OUT"
exit $failed
