//! What is not switched on costs nothing: without a feature none of its dependencies is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Optional dependencies that are there anyway, because axum reads JSON with them, or reqwest speaks TLS with them.
const ALSO_OF_OTHERS: [&str; 3] = ["rustls-platform-verifier", "serde_path_to_error", "tokio-rustls"];

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--locked")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// All crates that `keycloak-auth` is built with when it has these features, but for those of its macros' own.
fn dependencies(features: &[&str]) -> BTreeSet<String> {
    let features = features.join(",");
    let tree = cargo(&[
        "tree",
        "--package=keycloak-auth",
        "--edges=normal",
        "--no-default-features",
        &format!("--features={features}"),
        "--prefix=none",
        "--format={p}",
    ]);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The features of `keycloak-auth`, with the optional dependencies that each switches on, by itself or by another one.
fn features() -> BTreeMap<String, BTreeSet<String>> {
    fn collect(features: &Value, feature: &str, found: &mut BTreeSet<String>) {
        for part in features[feature]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            match part.strip_prefix("dep:") {
                Some(dependency) => {
                    found.insert(dependency.to_owned());
                }
                None => collect(features, part, found),
            }
        }
    }
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version=1"])).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "keycloak-auth");
    let features = &package.expect("the package is in the workspace")["features"];
    let names = features.as_object().expect("features").keys();
    names
        .map(|name| {
            let mut found = BTreeSet::new();
            collect(features, name, &mut found);
            (name.clone(), found)
        })
        .collect()
}

#[test]
fn each_feature_brings_its_dependencies_and_those_of_no_other() {
    let features = features();
    let optional = features.values().flatten();
    let optional: BTreeSet<&String> = optional
        .filter(|dependency| !ALSO_OF_OTHERS.contains(&dependency.as_str()))
        .collect();
    assert!(optional.len() >= 5, "the optional dependencies are found: {optional:?}");
    let bare = dependencies(&[]);
    assert!(bare.contains("axum") && bare.contains("reqwest"), "{bare:?}");
    let present: Vec<_> = optional.iter().filter(|name| bare.contains(**name)).collect();
    assert!(present.is_empty(), "without any feature there are {present:?}");
    assert!(!bare.contains("native-tls"), "{bare:?}");

    for (feature, own) in &features {
        let there = dependencies(&[feature]);
        for dependency in &optional {
            let belongs = own.contains(*dependency);
            assert_eq!(
                there.contains(*dependency),
                belongs,
                "`{dependency}` with the feature `{feature}`"
            );
        }
        if own.is_empty() && feature != "native-tls" {
            let more: Vec<_> = there.difference(&bare).collect();
            assert!(
                more.is_empty(),
                "`{feature}` is said to need nothing, and needs {more:?}"
            );
        }
    }
}
