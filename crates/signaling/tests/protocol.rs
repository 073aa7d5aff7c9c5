//! `PROTOCOL.md` and the Rust types say the same.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use plenum_signaling::messages::{ClientMessage, ClosingReason, ErrorCode, ServerMessage};
use plenum_types::SlotReason;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../PROTOCOL.md");

/// A section of the document that describes one message or part of one.
#[derive(Default)]
struct Section<'a> {
    /// Fields of its tables: full path, whether optional, type.
    fields: BTreeMap<&'a str, &'a str>,
    examples: Vec<Value>,
}

/// The sections below `## <chapter>`, by the names in their headings.
fn chapter(title: &str) -> BTreeMap<&'static str, Section<'static>> {
    let text = DOCUMENT.split("\n## ").find(|part| part.starts_with(title));
    let mut sections: BTreeMap<&str, Section<'_>> = BTreeMap::new();
    let mut name = "";
    let mut example = None;
    let mut in_fields = false;
    for line in text.expect("the chapter").lines() {
        if let Some(heading) = line.strip_prefix("###") {
            name = heading.trim_start_matches('#').trim().trim_matches('`');
            sections.entry(name).or_default();
        }
        let section = sections.entry(name).or_default();
        match line {
            "```json" => example = Some(String::new()),
            "```" => {
                let text = example.take().expect("an open example");
                let value = serde_json::from_str(&text).expect("an example in JSON");
                section.examples.push(value);
            }
            _ => {}
        }
        if let Some(example) = &mut example
            && line != "```json"
        {
            example.push_str(line);
        }
        in_fields = match line.split('|').nth(1).map(str::trim) {
            Some("field") => true,
            Some(_) => in_fields,
            None => false,
        };
        if in_fields && let [_, field, kind, ..] = line.split('|').collect::<Vec<_>>()[..] {
            let field = field.trim();
            if let Some(field) = field.strip_prefix('`') {
                section
                    .fields
                    .insert(field.trim_end_matches('`'), kind.trim());
            }
        }
    }
    sections.remove("");
    sections
}

/// Every path in `value`, such as `publications[].layers[].rid`. Named parts such as
/// ParticipantInfo are not entered: they have tables of their own.
fn paths(value: &Value, prefix: &str, named: &BTreeMap<&str, &str>, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = match prefix {
                    "" => key.clone(),
                    _ => format!("{prefix}.{key}"),
                };
                let is_named = named
                    .get(path.as_str())
                    .is_some_and(|kind| kind.contains("Info"));
                out.insert(path.clone());
                if !is_named {
                    paths(value, &path, named, out);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                paths(item, &format!("{prefix}[]"), named, out);
            }
        }
        _ => {}
    }
}

fn check_fields(name: &str, section: &Section<'_>, example: &Value) {
    let mut found = BTreeSet::new();
    paths(example, "", &section.fields, &mut found);
    found.remove("type");
    let documented: BTreeSet<String> = section
        .fields
        .keys()
        .map(|&field| field.to_owned())
        .collect();
    assert_eq!(
        found, documented,
        "fields of {name}: in the example, in the table"
    );
}

/// The type names that serde knows.
fn known_types<T: serde::de::DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
    let error = serde_json::from_str::<T>(r#"{"type":"no such type"}"#).unwrap_err();
    let text = error.to_string();
    let list = text
        .split("expected one of ")
        .nth(1)
        .expect("a list of types");
    let names = list.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn every_client_message_is_documented() {
    let chapter = chapter("Messages of the client");
    let documented: BTreeSet<String> = chapter.keys().map(|&name| name.to_owned()).collect();
    assert_eq!(documented, known_types::<ClientMessage>());
    let listed: BTreeSet<String> = ClientMessage::TYPES.map(str::to_owned).into();
    assert_eq!(documented, listed);
    for (name, section) in &chapter {
        assert!(!section.examples.is_empty(), "{name} has an example");
        for example in &section.examples {
            assert_eq!(example["type"], *name);
            let message: ClientMessage = serde_json::from_value(example.clone()).unwrap();
            assert_eq!(serde_json::to_value(message).unwrap(), *example, "{name}");
            check_fields(name, section, example);
        }
    }
}

#[test]
fn every_server_message_is_documented() {
    let chapter = chapter("Messages of the server");
    let messages = chapter.keys().filter(|name| !name.ends_with("Info"));
    let documented: BTreeSet<String> = messages.map(|&name| name.to_owned()).collect();
    assert_eq!(documented, known_types::<ServerMessage>());
    for name in &documented {
        let section = &chapter[name.as_str()];
        assert!(!section.examples.is_empty(), "{name} has an example");
        for example in &section.examples {
            assert_eq!(example["type"], *name);
            let message: ServerMessage = serde_json::from_value(example.clone()).unwrap();
            assert_eq!(serde_json::to_value(message).unwrap(), *example, "{name}");
            check_fields(name, section, example);
        }
    }
    let joined = &chapter["joined"].examples[0];
    let other = &joined["participants"][0];
    check_fields("ParticipantInfo", &chapter["ParticipantInfo"], other);
    let publication = &other["publications"][0];
    check_fields("PublicationInfo", &chapter["PublicationInfo"], publication);
}

/// `| `first` | second | third |` of every table row below the chapter.
fn rows(title: &str) -> Vec<Vec<&'static str>> {
    let text = DOCUMENT.split("\n## ").find(|part| part.starts_with(title));
    text.expect("the chapter")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().trim_matches('`')).collect()
        })
        .collect()
}

#[test]
fn every_error_code_is_documented() {
    let documented: Vec<(String, String)> = rows("Error codes")
        .iter()
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let known: Vec<(String, String)> = ErrorCode::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), code.close_code().0.to_string()))
        .collect();
    assert_eq!(documented, known);
    for code in ErrorCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

#[test]
fn every_closing_reason_is_documented() {
    for reason in ClosingReason::ALL {
        let name = serde_json::to_value(reason).unwrap();
        let reconnect = if reason.reconnect() { "yes" } else { "no" };
        let row = format!(
            "| `{}` | {} | {reconnect} |",
            name.as_str().unwrap(),
            reason.close_code().0
        );
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}

#[test]
fn every_slot_reason_is_documented() {
    for reason in SlotReason::ALL {
        let mut words = reason.as_str().split('_');
        let mut name = words.next().unwrap().to_owned();
        for word in words {
            name.push_str(&word[..1].to_uppercase());
            name.push_str(&word[1..]);
        }
        assert!(DOCUMENT.contains(&format!("| `{name}` | ")), "{name}");
    }
}

mod any_text {
    use proptest::prelude::*;

    use super::ClientMessage;

    proptest! {
        #[test]
        fn is_read_or_refused_with_a_sentence(text in "\\PC*") {
            if let Err(error) = ClientMessage::parse(&text) {
                prop_assert!(error.sentence.ends_with('.'));
            }
        }

        #[test]
        fn like_json_is_read_or_refused(
            kind in "[a-z]{0,6}|join|offer|slots|mute",
            field in "[a-z]{1,12}|sdp|slots|publication",
            value in "null|true|-?[0-9]{1,30}|\"[a-z]*\"|\\[\\]|\\{\\}|\\[\\{\"mid\":1\\}\\]",
        ) {
            let _ = ClientMessage::parse(&format!(r#"{{"type":"{kind}","{field}":{value}}}"#));
        }
    }
}
