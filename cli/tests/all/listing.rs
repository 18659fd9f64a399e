//! `heapsight options` shows the whole table, and the documentation is what it writes.

use std::fs;
use std::path::Path;

use heapsight::options::{TABLE, Values};
use serde_json::Value;

use crate::world::{World, outcome};

fn listing(arguments: &[&str]) -> String {
    let listing = outcome(World::new().command().arg("options").args(arguments));
    assert_eq!((listing.code, listing.stderr.as_str()), (Some(0), ""));
    listing.stdout
}

#[test]
fn every_option_is_listed_with_its_values_and_default() {
    let text = listing(&[]);
    for row in TABLE {
        let default = row.default().to_string();
        let default = if default.is_empty() { "empty".into() } else { default };
        let line = format!("{}={}  (default: {default})", row.name, row.values);
        assert!(text.lines().any(|candidate| candidate == line), "{line:?} is not in:\n{text}");
    }
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
}

#[test]
fn the_json_form_has_every_row() {
    let json: Value = serde_json::from_str(&listing(&["--json"])).expect("valid JSON");
    let rows = json.as_array().expect("an array");
    assert_eq!(rows.len(), TABLE.len());
    for (object, row) in rows.iter().zip(TABLE) {
        assert_eq!(object["name"], row.name);
        assert_eq!(object["doc"], row.doc);
        assert_eq!(object["default"], row.default().to_string());
        match row.values {
            Values::Words(choices) => {
                let values = object["values"].as_array().expect("an array");
                assert_eq!(values.len(), choices.len());
                for (value, choice) in values.iter().zip(choices) {
                    assert_eq!(value["value"], choice.word);
                    let max = choice.size.map(|size| size.max);
                    assert_eq!(value["size"]["max"].as_u64(), max, "{}", choice.word);
                }
            }
            Values::Number(number) => assert_eq!(object["max"], number.max),
            Values::Path(_) => assert_eq!(object["path"], true),
        }
    }
}

#[test]
fn the_documentation_is_what_the_table_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/options.md");
    let written = fs::read_to_string(&page).expect("docs/options.md exists");
    assert!(
        written == listing(&["--markdown"]),
        "docs/options.md differs from the table: write it again with \
         'cargo run -q -p heapsight-cli -- options --markdown > docs/options.md'"
    );
}
