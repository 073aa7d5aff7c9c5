//! The binary as its users start it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn plenum(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(arguments)
        .env_remove("PLENUM_CONFIG")
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = plenum(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the program says when it refuses.
fn refusal(arguments: &[&str]) -> String {
    let output = plenum(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_default_configuration_is_printed() {
    let text = stdout(&["config", "--default"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/plenum.toml");
    assert_eq!(text, std::fs::read_to_string(file).unwrap());
}

#[test]
fn the_effective_configuration_tells_origins() {
    let text = stdout(&["config", "--dev", "--http-port", "8080"]);
    assert!(text.contains("port = 8080 # flag --http-port"), "{text}");
    assert!(text.contains("devkey = \"***\" # --dev"), "{text}");
}

#[test]
fn a_token_has_three_parts() {
    let token = stdout(&["token", "--dev", "--room", "tea", "--identity", "ada"]);
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
}

#[test]
fn a_server_without_keys_is_refused() {
    let text = refusal(&["serve"]);
    assert!(text.contains("[keys]") && text.contains("--dev"), "{text}");
}

#[test]
fn unknown_files_and_keys_are_refused() {
    let text = refusal(&["serve", "--config", "/nonexistent/plenum.toml"]);
    assert!(text.contains("/nonexistent/plenum.toml"), "{text}");
    let output = Command::new(env!("CARGO_BIN_EXE_plenum"))
        .args(["serve", "--dev"])
        .env("PLENUM_HTTP__PROT", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("PLENUM_HTTP__PROT"), "{text}");
    assert!(text.contains("did you mean `http.port`?"), "{text}");
}
