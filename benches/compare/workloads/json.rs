//! JSON read into values that own their strings, arrays and objects, walked, and dropped.
//!
//! usage: json PERCENT

use std::collections::BTreeMap;
use std::fmt::Write;

enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

struct Parser<'text> {
    rest: &'text str,
}

impl Parser<'_> {
    fn value(&mut self) -> Option<Value> {
        self.space();
        match self.rest.as_bytes().first()? {
            b'n' => self.word("null").map(|()| Value::Null),
            b't' => self.word("true").map(|()| Value::Bool(true)),
            b'f' => self.word("false").map(|()| Value::Bool(false)),
            b'"' => self.string().map(Value::String),
            b'[' => self.array(),
            b'{' => self.object(),
            _ => self.number(),
        }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    /// Whether `mark` comes next, which then has been read.
    fn takes(&mut self, mark: &str) -> bool {
        self.space();
        self.word(mark).is_some()
    }

    fn string(&mut self) -> Option<String> {
        self.word("\"")?;
        let mut text = String::new();
        loop {
            let end = self.rest.find(['"', '\\'])?;
            text.push_str(&self.rest[..end]);
            let is_escape = self.rest.as_bytes()[end] == b'\\';
            self.rest = &self.rest[end + 1..];
            if !is_escape {
                return Some(text);
            }
            let escaped = self.rest.chars().next()?;
            text.push(if escaped == 'n' { '\n' } else { escaped });
            self.rest = &self.rest[escaped.len_utf8()..];
        }
    }

    fn number(&mut self) -> Option<Value> {
        let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        let end = self.rest.bytes().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let number = self.rest[..end].parse().ok()?;
        self.rest = &self.rest[end..];
        Some(Value::Number(number))
    }

    fn array(&mut self) -> Option<Value> {
        self.word("[")?;
        let mut values = Vec::new();
        if self.takes("]") {
            return Some(Value::Array(values));
        }
        loop {
            values.push(self.value()?);
            if self.takes("]") {
                return Some(Value::Array(values));
            }
            self.takes(",").then_some(())?;
        }
    }

    fn object(&mut self) -> Option<Value> {
        self.word("{")?;
        let mut members = BTreeMap::new();
        loop {
            self.space();
            let name = self.string()?;
            self.takes(":").then_some(())?;
            members.insert(name, self.value()?);
            if self.takes("}") {
                return Some(Value::Object(members));
            }
            self.takes(",").then_some(())?;
        }
    }
}

fn weigh(value: &Value) -> f64 {
    match value {
        Value::Null => 1.0,
        Value::Bool(is) => f64::from(u8::from(*is)),
        Value::Number(number) => *number,
        Value::String(text) => text.len() as f64,
        Value::Array(values) => values.iter().map(weigh).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() as f64 + weigh(value)).sum()
        }
    }
}

fn document() -> String {
    let mut text = String::from("[");
    for index in 0..8000_u32 {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{comma}\n {{\"id\": {index}, \"name\": \"user \\\"{}\\\"\", \"active\": {}, \
             \"tags\": [\"a{}\", \"long tag number {}\", null], \
             \"place\": {{\"x\": {}.5, \"y\": -{}, \"label\": \"line\\nbreak\"}}}}",
            index * 7919 % 10007,
            index % 3 == 0,
            index % 7,
            index % 11,
            index % 640,
            index % 480,
        );
    }
    text.push(']');
    text
}

pub fn main() {
    let percent = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(100_u64);
    let text = document();
    let mut total = 0.0;
    for _ in 0..(percent * 2 / 5).max(1) {
        let value = Parser { rest: &text }.value().expect("well-formed JSON");
        total += weigh(&value);
    }
    println!("{total}");
}
