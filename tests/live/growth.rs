//! `heapsight leaks PID --growth N`.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::{Asked, Said, heapsight, said};

/// Looks several times while the list grows, if it does.
fn watch(asked: &mut Asked, is_growing: bool, format: &str) -> Said {
    let arguments = ["leaks", &asked.pid(), "--growth", "4", "--every", "400ms"];
    let mut watcher = heapsight(&arguments).args(["--format", format]).spawn().expect("it starts");
    while watcher.try_wait().expect("a child").is_none() {
        if is_growing {
            asked.grow();
        }
        thread::sleep(Duration::from_millis(5));
    }
    watcher.wait_with_output().expect("a child").into()
}

#[test]
fn a_list_that_grows_is_named_with_its_holder() {
    let mut asked = Asked::start("sleep");
    let said = watch(&mut asked, true, "text");
    assert_eq!(said.code, Some(23), "{}{}", said.out, said.err);
    for part in ["grew in each of 3 intervals", "blocks a second", "keep", "held by "] {
        assert!(said.out.contains(part), "{part} is not in:\n{}", said.out);
    }
    let said = watch(&mut asked, true, "json");
    assert_eq!(said.code, Some(23), "{}", said.err);
    let growth: Value = serde_json::from_str(&said.out).expect("JSON");
    let growing = growth["growing"].as_array().expect("a list");
    assert_eq!(growing.len(), 1, "{growth:#}");
    let bytes: Vec<_> = growing[0]["bytes"].as_array().expect("sizes").iter().collect();
    assert!(bytes.windows(2).all(|pair| pair[0].as_u64() < pair[1].as_u64()), "{bytes:?}");
    assert!(growing[0]["group"]["held_by"].is_object(), "{growth:#}");
    assert_eq!(growth["looks"].as_array().map(Vec::len), Some(4));
    asked.end();
}

#[test]
fn what_stays_as_it_is_does_not_grow() {
    let mut asked = Asked::start("busy");
    let said = watch(&mut asked, false, "text");
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("nothing grows"), "{}", said.out);
    asked.end();
}

#[test]
fn two_looks_are_too_few() {
    let refused = said(&["leaks", "1", "--growth", "2"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("3..=1000"), "{}", refused.err);
    let program = heapsight(&["leaks", "--growth", "3", "--", "true"])
        .stdout(Stdio::null())
        .output()
        .expect("it starts");
    assert_eq!(program.status.code(), Some(2));
}
