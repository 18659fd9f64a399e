# Input of the shells: subshells, pipelines, substitutions, background jobs, traps.
count() {
    echo "$1" | tr ' ' '\n' | grep -c .
}
total=0
number=0
while read -r line && [ "$number" -lt 6 ]; do
    number=$((number + 1))
    total=$((total + $(count "$line")))
    (
        trap 'echo "line '"$number"' has $(count "$line") words"' EXIT
        exit 0
    )
done <words.txt
echo "total $total"
for job in 1 2 3 4; do
    (echo "job $job" >"job-$job"; exit "$job") &
    pids="${pids:-} $!"
done
for pid in $pids; do
    status=0
    wait "$pid" || status=$?
    echo "status $status"
done
cat job-1 job-2 job-3 job-4
text=$(i=0; while [ $i -lt 300 ]; do printf 'x%s' $i; i=$((i + 1)); done)
echo ${#text}
case $text in x0x1*) echo begins ;; *) echo odd ;; esac
