//! `WEBHOOKS.md` and the Rust types say the same, and its way to verify a signature works.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use plenum_signaling::webhooks::{Happening, RoomEvent};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../WEBHOOKS.md");

/// What stands between the fences of this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = DOCUMENT.split(fence.as_str()).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap())
        .collect()
}

/// The names that serde knows.
fn known() -> BTreeSet<String> {
    let error = serde_json::from_str::<Happening>(r#"{"event":"none"}"#).unwrap_err();
    let text = error.to_string();
    let names = text.split("expected one of ").nth(1).unwrap();
    names
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_event_is_documented_with_all_its_fields() {
    let mut documented = BTreeSet::new();
    for text in blocks("json") {
        let example: Value = serde_json::from_str(text).unwrap();
        let event: RoomEvent = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), example);
        let name = example["event"].as_str().unwrap().to_owned();
        assert!(DOCUMENT.contains(&format!("### `{name}`")), "{name}");
        documented.insert(name);
    }
    assert_eq!(documented, known());
}
