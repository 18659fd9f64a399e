<?php
// Input of php: arrays, strings, regular expressions, objects, generators, JSON.
$counts = array_count_values(preg_split('/\s+/', trim(file_get_contents('words.txt'))));
uksort($counts, fn($a, $b) => $counts[$b] <=> $counts[$a] ?: strcmp($a, $b));
foreach (array_slice($counts, 0, 5) as $word => $count) {
    echo "$word $count\n";
}
class Node {
    public ?Node $other = null;
    public function __construct(public string $name) {}
}
for ($i = 0; $i < 20000; $i++) {
    $a = new Node("a$i");
    $b = new Node("b$i");
    $a->other = $b;
    $b->other = $a;
}
echo gc_collect_cycles() > 0 ? "collected\n" : "nothing to collect\n";
function squares(int $limit): Generator {
    for ($i = 0; $i < $limit; $i++) {
        yield $i => $i * $i;
    }
}
$sum = 0;
foreach (squares(10000) as $square) {
    $sum += $square;
}
echo $sum, ' ', md5(json_encode($counts)), "\n";
