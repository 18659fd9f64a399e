# Input of the awks: associative arrays, string functions.
{
    for (i = 1; i <= NF; i++)
        counts[$i]++
}
END {
    for (word in counts) {
        total += counts[word]
        if (counts[word] > best || (counts[word] == best && word < winner)) {
            best = counts[word]
            winner = word
        }
        letters[substr(word, 1, 1)] += length(word)
    }
    print total, best, winner
    text = ""
    for (i = 0; i < 20000; i++)
        text = text sprintf("%d,", i % 77)
    print length(text), split(text, parts, ","), gsub(/7/, "seven", text), length(text)
    for (code = 97; code < 123; code++) {
        letter = sprintf("%c", code)
        print letter, letters[letter] + 0
    }
}
