# Input of tclsh: dictionaries, lists, strings, procedures.
set file [open words.txt]
set counts [dict create]
while {[gets $file line] >= 0} {
    foreach word [split $line] {
        dict incr counts $word
    }
}
close $file
set pairs {}
dict for {word count} $counts {
    lappend pairs [list $word $count]
}
set pairs [lsort -index 1 -integer -decreasing [lsort -index 0 $pairs]]
foreach pair [lrange $pairs 0 4] {
    puts $pair
}
proc factorial {n} {
    expr {$n < 2 ? 1 : $n * [factorial [expr {$n - 1}]]}
}
puts [string length [factorial 300]]
set text [string repeat "abc def " 5000]
puts [llength [regexp -all -inline {\w+} $text]]
