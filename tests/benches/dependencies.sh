#!/usr/bin/env bash
# How many crates a service compiles for keycloak-auth with its default features, beside how many it does for axum, reqwest, jsonwebtoken
# and utoipa, which it would need to do the same by hand. Fails when there are more than ten more.
#
#     bash tests/benches/dependencies.sh
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/target/dependencies

# crates NAME DEPENDENCIES: how many crates there are, the package itself not counted.
crates() {
    mkdir -p "$work/$1/src"
    : >"$work/$1/src/lib.rs"
    cp "$root/Cargo.lock" "$work/$1/"
    printf '[package]\nname = "%s"\nedition = "2024"\n\n[dependencies]\n%s\n\n[workspace]\n' "$1" "$2" >"$work/$1/Cargo.toml"
    cargo tree --quiet --manifest-path "$work/$1/Cargo.toml" --edges normal,build --prefix none --no-dedupe --format '{p}' |
        sort -u | grep -vc "^$1 "
}

by_hand=$(crates by-hand 'axum = "0.8"
jsonwebtoken = { version = "11", features = ["aws_lc_rs"] }
reqwest = "0.13"
utoipa = "6"')
least=$(crates by-hand-at-least 'axum = { version = "0.8", default-features = false, features = ["json", "matched-path"] }
jsonwebtoken = { version = "11", default-features = false, features = ["aws_lc_rs"] }
reqwest = { version = "0.13", default-features = false, features = ["form", "http2", "rustls"] }
utoipa = { version = "6", default-features = false, features = ["axum_extras", "macros"] }')
ours=$(crates by-keycloak-auth "keycloak-auth = { path = \"$root/keycloak-auth\" }")

echo "keycloak-auth with its default features: $ours crates"
echo "axum, reqwest, jsonwebtoken and utoipa with theirs: $by_hand, so $((ours - by_hand)) more (goal: at most 10)"
echo "with the features alone that keycloak-auth uses of them: $least, so $((ours - least)) more"
[ $((ours - by_hand)) -le 10 ]
