//! speedscope's JSON: one profile a metric over one table of frames, in its "sampled" form.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Entry, Profile};
use crate::view::metric::Metric;
use crate::view::stacks::label;

#[derive(Serialize)]
struct File {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: String,
    exporter: String,
    #[serde(rename = "activeProfileIndex")]
    active: usize,
    shared: Shared,
    profiles: Vec<Sampled>,
}

#[derive(Serialize)]
struct Shared {
    frames: Vec<Place>,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
struct Place {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
struct Sampled {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    unit: &'static str,
    #[serde(rename = "startValue")]
    start: u64,
    #[serde(rename = "endValue")]
    end: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

const METRICS: [Metric; 5] =
    [Metric::Peak, Metric::Live, Metric::Bytes, Metric::Count, Metric::Temporary];

/// Writes the file; `metric` is shown first.
pub(crate) fn write(profile: &Profile<'_>, metric: Metric, sink: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *sink, &file(profile, metric))?;
    writeln!(sink)
}

fn file(profile: &Profile<'_>, metric: Metric) -> File {
    let mut frames = Vec::new();
    let mut places = HashMap::new();
    let mut number = |place: Place| {
        *places.entry(place).or_insert_with_key(|place| {
            frames.push(place.clone());
            frames.len() - 1
        })
    };
    let stacks: Vec<Vec<usize>> =
        profile.entries.iter().map(|entry| stack(entry).map(&mut number).collect()).collect();
    let profiles = METRICS.map(|metric| {
        let values = profile.entries.iter().map(|entry| profile.value(metric, entry));
        let used = stacks.iter().zip(values).filter(|(_, value)| *value > 0);
        let (samples, weights): (Vec<_>, Vec<_>) =
            used.map(|(stack, value)| (stack.clone(), value)).unzip();
        Sampled {
            kind: "sampled",
            name: metric.phrase(),
            unit: if metric.is_bytes() { "bytes" } else { "none" },
            start: 0,
            end: weights.iter().fold(0, |sum, weight| sum.saturating_add(*weight)),
            samples,
            weights,
        }
    });
    File {
        schema: "https://www.speedscope.app/file-format-schema.json",
        name: profile.title(),
        exporter: format!("heapsight@{}", env!("CARGO_PKG_VERSION")),
        active: METRICS.iter().position(|it| *it == metric).unwrap_or(0),
        shared: Shared { frames },
        profiles: profiles.into(),
    }
}

/// From the root on.
fn stack<'a>(entry: &'a Entry<'_>) -> impl Iterator<Item = Place> + 'a {
    let ending = entry.ending().map(|name| Place { name: name.into(), file: None, line: None });
    let calls = entry.stack.calls.iter().rev().map(|call| Place {
        name: label(&call.frame).into_owned(),
        file: call.frame.file.clone(),
        line: call.frame.line,
    });
    ending.into_iter().chain(calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;
    use serde_json::Value;

    #[test]
    fn each_metric_is_a_profile_over_the_same_frames() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let mut sink = Vec::new();
        write(&Profile::of(&snapshot, &names), Metric::Live, &mut sink).expect("written");
        let file: Value = serde_json::from_slice(&sink).expect("JSON");
        let live = &file["profiles"][1];
        assert_eq!(file["activeProfileIndex"], 1);
        assert_eq!((&live["unit"], &live["endValue"]), (&"bytes".into(), &5300.into()));
        let frame = live["samples"][0][3].as_u64().expect("a number") as usize;
        let expected = serde_json::json!({ "name": "add_item", "file": "src/shop.c", "line": 14 });
        assert_eq!(file["shared"]["frames"][frame], expected);
    }
}
