# Input of perl: hashes, regular expressions, sorting, closures, formats.
use strict;
use warnings;

open(my $input, '<', 'words.txt') or die "words.txt: $!";
my %counts;
while (my $line = <$input>) {
    $counts{$_}++ for $line =~ /(\w+)/g;
}
close($input);
my @top = (sort { $counts{$b} <=> $counts{$a} || $a cmp $b } keys %counts)[0 .. 4];
printf "%-12s %6d\n", $_, $counts{$_} for @top;

my @closures = map { my $n = $_; sub { $n * shift } } 1 .. 1000;
my $sum = 0;
$sum += $_->(3) for @closures;
print "$sum\n";

my $text = join ',', map { "item$_" } 1 .. 20000;
$text =~ s/item(\d+)/$1 % 7 == 0 ? "seven" : $1/ge;
print length($text), ' ', unpack('%32C*', $text), "\n";
my %tree;
push @{ $tree{ $_ % 13 }{ $_ % 7 } }, $_ for 1 .. 10000;
print join(' ', map { scalar keys %{ $tree{$_} } } sort { $a <=> $b } keys %tree), "\n";
