// Input of node: maps, JSON, regular expressions, hashes, compression, worker threads.
const crypto = require("crypto");
const fs = require("fs");
const zlib = require("zlib");
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");

if (!isMainThread) {
  let hash = crypto.createHash("sha256");
  for (let i = workerData; i < 20000; i += 4) hash.update(`line ${i}\n`);
  parentPort.postMessage(hash.digest("hex"));
} else {
  const text = fs.readFileSync("words.txt", "utf8");
  const counts = new Map();
  for (const word of text.match(/\w+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 5);
  console.log(JSON.stringify(top));
  const packed = zlib.gzipSync(text);
  console.log(zlib.gunzipSync(packed).toString() === text, JSON.parse(JSON.stringify(top)).length);
  const results = [];
  let running = 4;
  for (let part = 0; part < 4; part++) {
    const worker = new Worker(__filename, { workerData: part });
    worker.on("message", (digest) => (results[part] = digest));
    worker.on("exit", () => --running || console.log(results.join("\n")));
  }
}
