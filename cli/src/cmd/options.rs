//! `heapsight options`: the table of options, for people, for programs and for the documentation.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use heapsight::options::{Choice, OptionRow, TABLE, Values};
use serde_json::{Value, json};

use crate::args::{OptionsArgs, STYLES};
use crate::failure::Failure;

/// The width of the text form: a terminal's least.
const COLUMNS: usize = 80;

/// Prints the table.
pub(crate) fn options(args: &OptionsArgs) -> Result<(), Failure> {
    let listing = if args.json {
        format!("{:#}\n", json())
    } else if args.markdown {
        written(markdown)
    } else {
        written(text)
    };
    match anstream::stdout().write_all(listing.as_bytes()) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// What a listing writes into a string, where no write fails.
fn written(listing: fn(&mut String) -> fmt::Result) -> String {
    let mut out = String::new();
    let _infallible = listing(&mut out);
    out
}

fn text(out: &mut String) -> fmt::Result {
    let (header, name) = (STYLES.get_header(), STYLES.get_literal());
    writeln!(out, "{header}Set options by any of:{header:#}")?;
    writeln!(out, "  heapsight run --track full --leaks on -- PROGRAM")?;
    writeln!(out, "  heapsight run --option track=full,leaks=on -- PROGRAM")?;
    writeln!(out, "  HEAPSIGHT=track=full,leaks=on LD_PRELOAD=/path/to/libheapsight.so PROGRAM")?;
    for row in TABLE {
        writeln!(out, "\n{name}{}={}{name:#}  (default: {})", row.name, row.values, default(row))?;
        write!(out, "    ")?;
        wrap(out, row.doc, 4)?;
        let width = choices(row).map(|(value, _)| value.len()).max().unwrap_or(0).max(6);
        for (value, doc) in choices(row) {
            write!(out, "      {value:width$} ")?;
            wrap(out, doc, 7 + width)?;
        }
    }
    Ok(())
}

/// Writes `sentence` in lines of at most [`COLUMNS`], indented; the first line is already.
fn wrap(out: &mut String, sentence: &str, indent: usize) -> fmt::Result {
    let mut column = indent;
    for (index, word) in sentence.split(' ').enumerate() {
        if index > 0 && column + 1 + word.len() > COLUMNS {
            write!(out, "\n{:indent$}", "")?;
            column = indent;
        } else if index > 0 {
            out.write_char(' ')?;
            column += 1;
        }
        out.write_str(word)?;
        column += word.len();
    }
    out.write_char('\n')
}

fn json() -> Value {
    TABLE
        .iter()
        .map(|row| {
            let mut object = json!({
                "name": row.name,
                "default": row.default().to_string(),
                "doc": row.doc,
            });
            match row.values {
                Values::Words(choices) => {
                    object["values"] = choices.iter().map(json_choice).collect();
                }
                Values::Number(number) => {
                    object["min"] = number.min.into();
                    object["max"] = number.max.into();
                }
                Values::Path(_) => object["path"] = true.into(),
            }
            object
        })
        .collect()
}

fn json_choice(choice: &Choice) -> Value {
    let mut object = json!({ "value": choice.word, "doc": choice.doc });
    if let Some(size) = choice.size {
        object["size"] = json!({ "min": size.min, "max": size.max, "default": size.default });
    }
    object
}

fn markdown(out: &mut String) -> fmt::Result {
    writeln!(out, "# Options")?;
    writeln!(out)?;
    writeln!(out, "<!-- Written by `heapsight options --markdown`; a test compares. -->")?;
    writeln!(out)?;
    writeln!(out, "{MARKDOWN_INTRODUCTION}")?;
    writeln!(out, "| option | values | default |")?;
    writeln!(out, "|---|---|---|")?;
    for row in TABLE {
        let values = row.values.to_string().replace('|', "\\|");
        writeln!(out, "| [`{0}`](#{0}) | `{values}` | {1} |", row.name, quoted_default(row))?;
    }
    for row in TABLE {
        writeln!(out, "\n## {}\n\n{}", row.name, row.doc)?;
        for (index, (word, doc)) in choices(row).enumerate() {
            let gap = if index == 0 { "\n" } else { "" };
            writeln!(out, "{gap}- `{}={word}`: {doc}", row.name)?;
        }
    }
    Ok(())
}

const MARKDOWN_INTRODUCTION: &str = "\
Every option has a name and a value. They are set in the environment of a program that runs on
Heapsight, on the command line of `heapsight run`, or in code:

```sh
HEAPSIGHT=track=full,leaks=on LD_PRELOAD=/path/to/libheapsight.so ./program
heapsight run --track full --leaks on -- ./program
heapsight run --option track=full,leaks=on -- ./program
```

```rust
use heapsight::options::{Config, Track};

let config = Config::builder().track(Track::Full).leaks(true).build()?;
```

```c
heapsight_config config = { .options = \"track=full,leaks=on\" };
heapsight_init(&config);
```

Items are separated by commas. Spaces around items, names and values do not count. When an option is
given twice the later item wins. In a path a backslash takes the next byte literally: `a\\,b` is the
file `a,b`.

A wrong item in the environment is reported in one line on stderr and ignored; the program runs. The
`heapsight` command refuses a wrong item and does not start the program.
";

fn choices(row: &OptionRow) -> impl Iterator<Item = (String, &'static str)> {
    let choices = match row.values {
        Values::Words(choices) => choices,
        Values::Number(_) | Values::Path(_) => &[],
    };
    choices.iter().map(|choice| (choice.to_string(), choice.doc))
}

fn default(row: &OptionRow) -> String {
    match row.default().to_string() {
        text if text.is_empty() => "empty".into(),
        text => text,
    }
}

fn quoted_default(row: &OptionRow) -> String {
    match row.default().to_string() {
        text if text.is_empty() => "empty".into(),
        text => format!("`{text}`"),
    }
}
