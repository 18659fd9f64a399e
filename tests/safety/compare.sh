#!/usr/bin/env bash
# What Heapsight, memcheck, ASan and Scudo find of the planted mistakes, by CWE number, and what
# they cost: writes docs/safety-comparison.md.
#
#   cargo build --release -p heapsight-preload && tests/safety/compare.sh
#
# Needs cc, c++, valgrind, python3, sqlite3, perl, and for Scudo LLVM's run-time library
# (Debian: libclang-rt-14-dev); a tool that is not there has an empty column. ASan alone instruments:
# its programs are compiled anew. SIZES, ROUNDS and SO may be set.
set -u
cd "$(dirname "$0")/../.."
SO=${SO:-$PWD/target/release/libheapsight.so}
SIZES=${SIZES:-"17 5000"}
ROUNDS=${ROUNDS:-15}
SCUDO=$(ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-x86_64.so 2>/dev/null | tail -1)
OUT=docs/safety-comparison.md
export W=$(mktemp -d) SO SCUDO
trap 'rm -rf "$W"' EXIT
planted=tests/safety/planted

for kind in plain asan; do
    sanitize=""; [ $kind = asan ] && sanitize="-fsanitize=address"
    cc -g -O1 -std=gnu11 -w -pthread $sanitize -o "$W/c-$kind" $planted/misuse.c
    c++ -g -O1 -std=c++17 -w $sanitize -o "$W/cpp-$kind" $planted/misuse.cpp
    cc -g -O1 -w -pthread $sanitize -o "$W/leak-$kind" tests/leaks/planted/leak.c
    cc -g -O2 -w $sanitize -o "$W/churn-$kind" $planted/churn.c
done

# run TOOL PROGRAM ARGUMENTS...: as a tool runs it; what it says on standard error.
run() {
    local tool=$1 program=$2; shift 2
    local preload=(env "LD_PRELOAD=$SO")
    case $tool in
        basic | full | guard) "${preload[@]}" HEAPSIGHT=safety=$tool,safety_seed=1 "$W/$program-plain" "$@" ;;
        left) "${preload[@]}" HEAPSIGHT=safety=guard,guard_side=left,safety_seed=1 "$W/$program-plain" "$@" ;;
        leaks) "${preload[@]}" HEAPSIGHT=leaks=on "$W/$program-plain" "$@" ;;
        memcheck) valgrind -q --leak-check=no "$W/$program-plain" "$@" ;;
        memcheck-leaks) valgrind -q --leak-check=full --num-callers=30 "$W/$program-plain" "$@" ;;
        asan) ASAN_OPTIONS=detect_leaks=0:alloc_dealloc_mismatch=1 "$W/$program-asan" "$@" ;;
        asan-leaks) ASAN_OPTIONS=detect_leaks=1 "$W/$program-asan" "$@" ;;
        scudo) LD_PRELOAD=$SCUDO SCUDO_OPTIONS=dealloc_type_mismatch=true "$W/$program-plain" "$@" ;;
    esac 2>&1 >/dev/null </dev/null
}

# judge TOOL CWE PROGRAM ARGUMENTS...: a line, whether the tool has said anything of its own. A crash
# without a word is no finding, whatever it is that crashes.
judge() {
    local tool=$1 cwe=$2; shift 2
    local said
    said=$(ulimit -c 0; run "$tool" "$@" | grep -cE '^heapsight: |^==[0-9]+== *(Invalid|Mismatched|Use of|Conditional|Source)|ERROR: AddressSanitizer|Scudo ERROR')
    echo "$tool $cwe $([ "$said" -gt 0 ] && echo 1 || echo 0) $*"
}
export -f run judge

tools="basic full guard left memcheck asan"
[ -n "$SCUDO" ] && tools="$tools scudo"

# CWE PROGRAM KIND; 0 stands for a program without a mistake.
kinds="
122 c overflow-1
122 c overflow-nul
122 c overflow-8
122 c overflow-copy
122 c overflow-unfreed
122 c overflow-realloc
122 c overflow-shrunk
122 cpp vector
124 c underflow-1
124 c underflow-8
126 c overflow-read
127 c underflow-read
415 c double-free
415 c double-free-later
415 c realloc-after-free
415 cpp twice
416 c write-after-free
416 c write-after-free-end
416 c write-after-realloc
416 c read-after-free
416 c follow-after-free
416 cpp string
590 c free-stack
590 c free-static
761 c free-inside
761 c free-off-by-1
761 c free-before
761 c realloc-inside
762 cpp malloc/delete
762 cpp malloc/delete[]
762 cpp new/free
762 cpp new[]/free
762 cpp new/delete[]
762 cpp new[]/delete
0 c none
0 cpp new/delete
0 cpp new[]/delete[]
0 cpp malloc/free
0 cpp new/sized
0 cpp aligned/aligned
"
cases() {
    local cwe program kind tool size origins=(malloc calloc realloc aligned) turn=0
    while read -r cwe program kind; do
        [ -z "$cwe" ] && continue
        for size in $SIZES; do
            turn=$((turn + 1))
            for tool in $tools; do
                if [ "$program" = c ]; then
                    echo "$tool $cwe c $kind ${origins[turn % 4]} $size"
                else
                    echo "$tool $cwe cpp $kind $size"
                fi
            done
        done
    done <<<"$kinds"
}
cases | xargs -P "$(nproc)" -L 1 bash -c 'judge "$@"' judge >"$W/results"

# Of the functions that leak in leak.c, how many a report names.
leaking=$(grep -oE 'LEAK: .* in [a-z_]+' tests/leaks/planted/leak.c | awk '{print $NF}' | sort -u)
named() {
    local report function count=0
    report=$(run "$1" leak leak)
    for function in $leaking; do
        grep -qw -- "$function" <<<"$report" && count=$((count + 1))
    done
    echo "$count"
}
n_leaks=$(wc -w <<<"$leaking")

table() {
    echo "| CWE | programs | \`basic\` | \`full\` | \`guard\` | \`guard_side=left\` | full ∪ guard | memcheck | ASan | Scudo |"
    echo "|---|---|---|---|---|---|---|---|---|---|"
    awk -v leaks="$n_leaks functions | – | – | – | – | leaks=on: $(named leaks) | $(named memcheck-leaks) | $(named asan-leaks) | –" '
        function cell(tool, cwe) { return (tool, cwe) in all ? found[tool, cwe] + 0 : "–" }
        BEGIN {
            name[122] = "122 heap overflow, written"; name[124] = "124 underflow, written"
            name[126] = "126 over-read"; name[127] = "127 under-read"
            name[401] = "401 leak"; name[415] = "415 double free"; name[416] = "416 use after free"
            name[590] = "590 free of no heap memory"; name[761] = "761 free not at the start"
            name[762] = "762 mismatched routines"; name[0] = "none: reports"
            count = split("122 124 126 127 401 415 416 590 761 762 0", order, " ")
        }
        {
            key = $4 FS $5 FS $6 FS $7
            all[$1, $2]++; found[$1, $2] += $3
            if (!((key) in seen)) { seen[key] = 1; programs[$2]++ }
            if ($3 && ($1 == "full" || $1 == "guard" || $1 == "left") && !((key) in union)) { union[key] = 1; both[$2]++ }
        }
        END {
            for (i = 1; i <= count; i++) {
                cwe = order[i]
                if (cwe == 401) { print "| " name[cwe] " | " leaks " |"; continue }
                printf "| %s | %d | %s | %s | %s | %s | %d | %s | %s | %s |\n", name[cwe], programs[cwe], cell("basic", cwe), cell("full", cwe), cell("guard", cwe), cell("left", cwe), both[cwe], cell("memcheck", cwe), cell("asan", cwe), cell("scudo", cwe)
            }
        }' "$W/results"
}

cat >"$W/json.py" <<'P'
import json
rows = [{"id": i, "name": "string %d" % i, "tags": ["a%d" % i, "b"]} for i in range(12000)]
text = json.dumps(rows)
for _ in range(3):
    rows = json.loads(text)
P
cat >"$W/rows.sql" <<'P'
create table t(a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
insert into t select i, 'row ' || i from n;
create index by_b on t(b);
select count(*) from t where b like 'row 1%';
P
cat >"$W/words.pl" <<'P'
my %count; for my $i (1 .. 200000) { $count{"word " . ($i % 5000)} .= "x" }
print scalar(keys %count), "\n";
P
# As GNU time, to the microsecond: seconds of processor time and KiB, into a file.
cc -O1 -w -o "$W/time" -x c - <<'C'
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct rusage used;
    pid_t child = fork();
    if (child == 0) { execvp(argv[2], argv + 2); _exit(127); }
    if (wait4(child, NULL, 0, &used) != child) return 1;
    double seconds = used.ru_utime.tv_sec + used.ru_stime.tv_sec
        + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    FILE *out = fopen(argv[1], "a");
    fprintf(out, "%.6f %ld\n", seconds, used.ru_maxrss);
    return fclose(out);
}
C
# measure LABEL PROGRAM...: one run, added to those of the label.
measure() {
    local label=$1; shift
    "$W/time" "$W/runs-$label" "$@" >/dev/null 2>&1 </dev/null
}
# median LABEL: of the processor time, and the largest memory, in MiB.
median() {
    sort -n "$W/runs-$1" | awk '{ t[NR] = $1; if ($2 > m) m = $2 } END { print t[int((NR + 1) / 2)], m / 1024 }'
}
# ratio BASE LABEL: a cell of the table; a dash for what was not run.
ratio() {
    [ -e "$W/runs-$2" ] || { printf ' – |'; return; }
    awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { split(a, x, " "); split(b, y, " "); printf " %.2f×, %.2f× |", y[1] / x[1], y[2] / x[2] }'
}
# cost NAME PROGRAM...: a line of the table. Modes take turns, so that a busy moment hits all; what
# takes many times as long as the others runs once.
cost() {
    local name=$1 mode round modes=(off basic sampled full); shift
    rm -f "$W"/runs-*
    for round in $(seq "$ROUNDS"); do
        measure none "$@"
        # Each is first as often as the others: what runs before has its traces in the caches.
        modes=("${modes[@]:1}" "${modes[0]}")
        for mode in "${modes[@]}"; do
            measure $mode env "LD_PRELOAD=$SO" HEAPSIGHT=safety=$mode "$@"
        done
        [ -n "$SCUDO" ] && measure scudo env LD_PRELOAD="$SCUDO" "$@"
        [ "$name" = churn ] && measure asan env ASAN_OPTIONS=detect_leaks=0 "$W/churn-asan" 1000000
    done
    measure guard env "LD_PRELOAD=$SO" HEAPSIGHT=safety=guard "$@"
    measure memcheck valgrind -q --trace-children=yes --leak-check=no "$@"
    printf '| %s | %s |' "$name" "$(median off | awk '{ printf "%.3f s, %.0f MiB", $1, $2 }')"
    for mode in basic sampled full guard; do ratio off $mode; done
    for mode in memcheck asan scudo; do ratio none $mode; done
    printf ' %s |' "$(counted basic "$@")" "$(counted sampled "$@")" "$(counted full "$@")"
    echo
}
# instructions MODE PROGRAM...: how many it takes with that mode, by callgrind.
instructions() {
    local mode=$1; shift
    rm -f "$W"/callgrind.*
    valgrind -q --tool=callgrind --trace-children=yes --callgrind-out-file="$W/callgrind.%p" \
        env PYTHONHASHSEED=0 "LD_PRELOAD=$SO" HEAPSIGHT=safety=$mode "$@" >/dev/null 2>&1 </dev/null
    awk '/^(summary|totals):/ && $2 > max { max = $2 } END { printf "%d", max }' "$W"/callgrind.*
}
# counted MODE PROGRAM...: by how much more than with safety=off.
counted() {
    local mode=$1; shift
    awk -v a="$(instructions off "$@")" -v b="$(instructions "$mode" "$@")" 'BEGIN { printf "%.4f×", b / a }'
}
costs() {
    echo "| program | \`safety=off\` | \`basic\` | \`sampled\` | \`full\` | \`guard\` | memcheck | ASan | Scudo | \`basic\`, counted | \`sampled\`, counted | \`full\`, counted |"
    echo "|---|---|---|---|---|---|---|---|---|---|---|---|"
    local python; python=$(python3 -c 'import sys; print(sys.executable)')
    cost "python3, JSON, \`PYTHONMALLOC=malloc\`" env PYTHONMALLOC=malloc "$python" "$W/json.py"
    cost "python3, JSON" "$python" "$W/json.py"
    cost "sqlite3, 60,000 rows and an index" sh -c "sqlite3 :memory: <$W/rows.sql"
    cost "perl, strings in a hash" perl "$W/words.pl"
    cost churn "$W/churn-plain" 1000000
}

{
    cat <<P
# Heapsight beside other tools

Written by \`tests/safety/compare.sh\`: the programs of \`tests/safety/planted\` with the sizes
$(sed 's/ / and /g' <<<"$SIZES"), under each tool. A number says how many programs a tool has reported; a crash
without a word is none. memcheck is $(valgrind --version), which runs the program in a simulator; ASan
is gcc's, $(cc -dumpfullversion), **for which the programs are compiled anew, with a check at each access**; Scudo is
LLVM's standalone allocator, preloaded. Heapsight sees the programs as they are.

$(table)

*full ∪ guard* is what one of \`safety=full\`, \`safety=guard\` and \`safety=guard,guard_side=left\`
reports. Of leaks the row counts the leaking functions of \`tests/leaks/planted/leak.c\` that a
report names.

## Cost

Processor time and largest memory, as multiples: Heapsight's of its own \`safety=off\`, the others' of
the program under glibc's allocator; the median of $ROUNDS runs that take turns, but of \`guard\` and
memcheck of one. Such runs are short: where \`basic\` and \`off\` differ, it is noise. So what
\`basic\`, \`sampled\` and \`full\` take is counted, too: instructions as multiples of those with
\`safety=off\`, by callgrind, under which time goes by fifty times as fast, so that \`sampled\` puts
up more guards than in earnest. \`churn\` is a loop that frees and allocates blocks of 16 to 527 bytes, and nothing else.

$(costs)
P
} >"$W/page" && mv "$W/page" "$OUT"
