//! The rules of ARCHITECTURE.md that a compiler does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of Plenum's crates a crate may depend on, other than for its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("plenum-types", &[]),
    ("plenum-rtp", &["plenum-types"]),
    ("plenum-media", &["plenum-types", "plenum-rtp"]),
    ("plenum-routing", &["plenum-types", "plenum-rtp"]),
    (
        "plenum-engine",
        &[
            "plenum-types",
            "plenum-rtp",
            "plenum-media",
            "plenum-routing",
        ],
    ),
    ("plenum-net", &["plenum-types", "plenum-engine"]),
    ("plenum-signaling", &["plenum-types"]),
    (
        "plenum-loadgen",
        &["plenum-types", "plenum-rtp", "plenum-media"],
    ),
    (
        "plenum",
        &[
            "plenum-types",
            "plenum-net",
            "plenum-engine",
            "plenum-signaling",
            "plenum-loadgen",
        ],
    ),
    (
        "plenum-testkit",
        &["plenum-types", "plenum-rtp", "plenum-engine"],
    ),
    ("plenum-tests", &[]),
    (
        "plenum-benches",
        &[
            "plenum-types",
            "plenum-rtp",
            "plenum-media",
            "plenum-engine",
            "plenum-net",
            "plenum-testkit",
        ],
    ),
];

/// Crates that do no IO.
const PURE: &[&str] = &[
    "plenum-types",
    "plenum-rtp",
    "plenum-media",
    "plenum-routing",
    "plenum-engine",
    "plenum-testkit",
];

/// What a crate without IO cannot need.
const IO_CRATES: &[&str] = &["tokio", "mio", "axum", "quinn-udp", "socket2"];

/// The one crate that may contain `unsafe`.
const MAY_BE_UNSAFE: &str = "plenum-net";

struct Package {
    manifest: PathBuf,
    dependencies: BTreeSet<String>,
}

fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata failed");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let dependencies = dependencies
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(dependency, "name"))
                .collect();
            let manifest = PathBuf::from(text(package, "manifest_path"));
            let package_name = text(package, "name");
            (
                package_name,
                Package {
                    manifest,
                    dependencies,
                },
            )
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    for (name, package) in packages() {
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} is not in the table of crates"));
        for dependency in &package.dependencies {
            let ours = dependency.starts_with("plenum");
            assert!(
                !ours || allowed.contains(&dependency.as_str()),
                "{name} may not depend on {dependency}"
            );
        }
    }
}

#[test]
fn the_test_kit_is_for_tests_and_benches_only() {
    for (name, package) in packages() {
        // The benches draw simulated calls, and no crate may depend on them.
        let may = name == "plenum-benches";
        assert!(
            may || !package.dependencies.contains("plenum-testkit"),
            "{name} depends on the test kit outside of its tests"
        );
    }
}

#[test]
fn pure_crates_do_no_io() {
    let packages = packages();
    for name in PURE {
        for dependency in &packages[*name].dependencies {
            assert!(
                !IO_CRATES.contains(&dependency.as_str()),
                "{name} is pure and may not depend on {dependency}"
            );
        }
    }
}

#[test]
fn only_one_crate_may_be_unsafe() {
    for (name, package) in packages() {
        if name == MAY_BE_UNSAFE {
            continue;
        }
        let source = package.manifest.with_file_name("src");
        let roots = ["lib.rs", "main.rs"].map(|root| source.join(root));
        for root in roots.iter().filter(|root| root.exists()) {
            let text = std::fs::read_to_string(root).expect("a readable source");
            assert!(
                text.contains("#![forbid(unsafe_code)]"),
                "{} does not forbid unsafe code",
                root.display()
            );
        }
    }
}

#[test]
fn modules_have_names() {
    let mut found = Vec::new();
    for package in packages().values() {
        let root = package.manifest.parent().expect("a manifest has a folder");
        collect_mod_files(root, &mut found);
    }
    assert!(found.is_empty(), "name these after their module: {found:?}");
}

fn collect_mod_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            let skipped = ["target", "node_modules"].map(std::ffi::OsStr::new);
            if !skipped.contains(&path.file_name().unwrap_or_default()) {
                collect_mod_files(&path, found);
            }
        } else if path.file_name() == Some("mod.rs".as_ref()) {
            found.push(path);
        }
    }
}
