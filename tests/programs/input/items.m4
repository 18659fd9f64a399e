dnl Input of m4: recursion, arithmetic, strings.
define(`loop', `ifelse($1, 0, , `item$1 loop(decr($1))')')dnl
loop(500)
eval(2 ** 20 - 1)
translit(abcdef, a-f, A-F)
define(`squares', `ifelse($1, 0, 0, `eval($1 * $1 + squares(decr($1)))')')dnl
squares(100)
