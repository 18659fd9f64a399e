// Allocates natively, called from code that is compiled as it runs.
const { createHash } = require("crypto");
const { deflateRawSync } = require("zlib");

function hash(text, depth) {
    if (depth > 0)
        return hash(text + depth, depth - 1);
    return createHash("sha256").update(text).digest("hex");
}

function work(rounds) {
    let length = 0;
    for (let round = 0; round < rounds; round++) {
        const words = ["b", "c", "a"].sort((left, right) => {
            new ArrayBuffer(100 + round % 50);
            return left < right ? -1 : 1;
        });
        length += hash(words.join(), round % 9).length + new Map([[round, words]]).size;
        if (round % 16 === 0)
            length += deflateRawSync(Buffer.alloc(300, words[0])).length;
    }
    return length;
}

// Long enough that the functions have been compiled.
work(3000);
process.ppid;
work(1e7);
