//! Whole programs: what an allocator is worth to software nobody rebuilt for it.
//!
//! Their inputs are written here, from nothing but a length, so a run is the same everywhere and
//! fetches nothing. A program this machine lacks is left out and named in the table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::row::{Clock, Row};

/// Prepares one program's row for a length in percent, or says what is missing.
type Prepare = fn(&Scratch, u32) -> Result<Row, String>;

/// Every whole program.
pub const PROGRAMS: [(&str, Prepare); 4] =
    [("sqlite3", sqlite3), ("cc1", cc1), ("python3", python3), ("perl", perl)];

/// A directory for the inputs, removed in the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A fresh directory of this process.
    pub fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("heapsight-compare-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// One inside of it, removed with it.
    pub fn inside(&self, name: &str) -> Result<Self, String> {
        let path = self.0.join(name);
        std::fs::create_dir_all(&path)
            .map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.0.join(name);
        std::fs::write(&path, text)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("compare: {} stays behind: {error}", self.0.display());
        }
    }
}

/// An in-memory database: inserts, an index, joins, groups, a delete.
fn sqlite3(scratch: &Scratch, percent: u32) -> Result<Row, String> {
    let program = first_line(Command::new("which").arg("sqlite3"))?;
    let rows = 2_000 * percent;
    let script = format!(
        "CREATE TABLE entry(id INTEGER PRIMARY KEY, owner INTEGER, name TEXT, body TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
  INSERT INTO entry SELECT i, i * 7919 % 977, printf('name-%d', i * 31 % 10007),
    substr(hex(i * 2654435761), 1, 4 + i % 12) || printf('%0*d', i % 60 + 1, i) FROM n;
CREATE INDEX entry_owner ON entry(owner, name);
SELECT count(*), sum(length(body)) FROM entry;
SELECT owner, count(*), group_concat(substr(body, 1, 8), '') FROM entry
  GROUP BY owner HAVING owner % 100 = 3 ORDER BY owner;
SELECT count(DISTINCT a.name || b.body) FROM entry a JOIN entry b ON a.owner = b.owner
  AND a.name = b.name WHERE a.id < b.id;
DELETE FROM entry WHERE id % 3 = 0;
SELECT upper(name), count(*) FROM entry GROUP BY upper(name) ORDER BY 2 DESC, 1 LIMIT 10;
"
    );
    let input = scratch.write("workload.sql", &script)?;
    let what = format!("an in-memory database of {rows} rows: insert, index, join, group");
    Ok(Row { input: Some(input), ..row("sqlite3", what, program, &["-batch", ":memory:"]) })
}

/// The C compiler proper on generated functions, at -O2.
fn cc1(scratch: &Scratch, percent: u32) -> Result<Row, String> {
    let program = first_line(Command::new("gcc").arg("-print-prog-name=cc1"))?;
    if !program.is_absolute() {
        return Err("gcc has no C compiler proper (cc1)".to_string());
    }
    let functions = percent;
    let source = scratch.write("workload.i", &c_source(functions))?;
    let what = format!("gcc's compiler at -O2 on {functions} functions");
    let output = source.with_extension("s");
    let (source, output) = (source.to_string_lossy(), output.to_string_lossy());
    Ok(row("cc1", what, program, &["-quiet", "-O2", &source, "-o", &output]))
}

/// Functions with loops, a switch, structures and calls between them.
fn c_source(functions: u32) -> String {
    let mut text = String::from("struct node { struct node *next; long key; double weight; };\n");
    for index in 0..functions {
        let (a, b) = (index % 7 + 2, index % 5 + 1);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "long f{index}(struct node *head, const unsigned *data, int length) {{
  long total = {index}; double mean = 0;
  for (struct node *n = head; n; n = n->next) {{
    switch (n->key % {a}) {{
      case 0: total += n->key * {b}; break;
      case 1: total ^= data[n->key & 15]; break;
      default: mean += n->weight / (1 + n->key); }}
  }}
  for (int i = 0; i + {b} < length; i++)
    for (int j = 0; j < {a}; j++) {{
      unsigned x = data[i] * 2654435761u ^ data[i + {b}] >> j;
      if (x & 1) total += x % {a}{index}u; else mean -= (double) x * {b};
    }}
  return total + (long) mean{call};
}}",
            call = match index {
                0 => String::new(),
                _ => format!(" + (length > 9 ? f{}(head, data, length / 2) : 0)", index - 1),
            }
        );
    }
    text
}

/// The interpreter with every object from malloc: dictionaries, strings, JSON, sorting.
fn python3(scratch: &Scratch, percent: u32) -> Result<Row, String> {
    let program =
        first_line(Command::new("python3").args(["-c", "import sys; print(sys.executable)"]))?;
    let rounds = (percent / 10).max(1);
    let script = format!(
        "import json
total = 0
for turn in range({rounds}):
    rows = [{{'id': i, 'name': 'n%d' % (i * 7919 % 10007), 'tags': [str(i % k) for k in (3, 5, 7)]}}
            for i in range(12000)]
    text = json.dumps(rows)
    again = json.loads(text)
    index = {{}}
    for row in again:
        index.setdefault(row['name'][:3], []).append(row)
    words = sorted(text[:200000].replace(',', ' ').split())
    total += len(index) + len(words) + sum(len(r['tags'][0]) for r in again)
print(total)
"
    );
    let what = format!("{rounds} rounds of JSON, dictionaries and strings, PYTHONMALLOC=malloc");
    // The option -E would have it ignore these.
    let environment = vec![("PYTHONMALLOC", "malloc"), ("PYTHONHASHSEED", "0")];
    let script = scratch.write("workload.py", &script)?;
    Ok(Row {
        environment,
        ..row("python3", what, program, &["-S", "-s", &script.to_string_lossy()])
    })
}

/// Hashes, strings and sorting in perl, whose every value is a block of its own.
fn perl(_: &Scratch, percent: u32) -> Result<Row, String> {
    let program = first_line(Command::new("which").arg("perl"))?;
    let rounds = (percent / 10).max(1);
    let script = format!(
        "my $total = 0;
for my $turn (1 .. {rounds}) {{
  my %seen; my @rows;
  for my $i (1 .. 40000) {{
    my $key = 'k' . ($i * 7919 % 9973);
    push @{{$seen{{$key}}}}, {{ id => $i, text => join('-', $key, $i, 'x' x ($i % 50)) }};
    push @rows, $key . $i;
  }}
  my @sorted = sort {{ $a cmp $b }} @rows;
  my $text = join(',', map {{ uc }} @sorted[0 .. 9999]);
  $total += length($text) + scalar(split /,/, $text) + scalar(keys %seen);
}}
print \"$total\\n\";
"
    );
    let what = format!("{rounds} rounds of hashes, strings and sorting");
    let environment = vec![("PERL_HASH_SEED", "0")];
    Ok(Row { environment, ..row("perl", what, program, &["-e", &script]) })
}

/// A row timed from start to exit.
pub fn row(name: &str, what: String, program: PathBuf, arguments: &[&str]) -> Row {
    Row {
        name: name.to_string(),
        what,
        program,
        arguments: arguments.iter().map(ToString::to_string).collect(),
        environment: Vec::new(),
        input: None,
        clock: Clock::Wall,
    }
}

/// The path a command prints, or that the program behind it is not there.
pub fn first_line(command: &mut Command) -> Result<PathBuf, String> {
    let asked = command.get_program().to_string_lossy().into_owned();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let missing = format!("`{asked} {}` finds nothing on this machine", words.join(" "));
    let output = command.output().map_err(|_| missing.clone())?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next() {
        Some(line) if output.status.success() && !line.is_empty() => Ok(Path::new(line).into()),
        _ => Err(missing),
    }
}
