# Input of make: many small jobs at once, each a few processes of the shell's.
NUMBERS := $(shell seq 1 6)
PARTS := $(NUMBERS:%=part-%.txt)

all.txt: $(PARTS)
	cat $^ | sort -n > $@

part-%.txt: words.txt
	@head -n $* $< | tail -n 1 | tr ' ' '\n' | wc -l | sed 's/^ */$* /' > $@
