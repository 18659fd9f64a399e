# Input of python3: collections, JSON, compression, SQLite, threads, child processes.
import collections
import concurrent.futures
import decimal
import hashlib
import json
import re
import sqlite3
import subprocess
import sys
import zlib

text = open("words.txt").read()
counts = collections.Counter(re.findall(r"\w+", text))
print(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5])

document = {word: [count, str(count), {"half": count / 2}] for word, count in counts.items()}
print(json.loads(json.dumps(document)) == document)
print(zlib.decompress(zlib.compress(text.encode())) == text.encode())

database = sqlite3.connect(":memory:")
database.execute("create table words (word text primary key, count integer)")
database.executemany("insert into words values (?, ?)", counts.items())
print(database.execute("select sum(count), max(length(word)) from words").fetchall())

def digest(part):
    return hashlib.sha256(text[part::8].encode()).hexdigest()

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for line in pool.map(digest, range(8)):
        print(line)

decimal.getcontext().prec = 500
print(str(decimal.Decimal(2).sqrt())[-20:], 3**5000 % 10**20)
for number in range(3):
    command = [sys.executable, "-c", f"print({number} * {number})"]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
try:
    [].pop()
except IndexError as error:
    print("expected:", error)
