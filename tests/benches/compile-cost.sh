#!/usr/bin/env bash
# What `#[keycloak(...)]` costs when a service is compiled: the time of `cargo check` over 200 handlers without the attribute, with it,
# and with a realm file as well; and the lines of LLVM IR that it adds to a handler, by what else the handler takes.
#
# Times are the fastest of several runs in turn, so that whatever else the machine does falls on all of them alike.
#
#     bash tests/benches/compile-cost.sh [handlers] [runs]
set -euo pipefail

handlers=${1:-200}
runs=${2:-7}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/target/compile-cost
export CARGO_TARGET_DIR=$work/target
# What an earlier check found out about the same source would hide what the attribute costs.
export CARGO_INCREMENTAL=0
unset KEYCLOAK_REALM_FILE

# manifest NAME FEATURES [FURTHER DEPENDENCIES OR METADATA]
manifest() {
    mkdir -p "$work/$1/src"
    cp "$root/Cargo.lock" "$work/$1/"
    cat >"$work/$1/Cargo.toml" <<TOML
[package]
name = "$1"
edition = "2024"

[dependencies]
axum = { version = "0.8", default-features = false }
keycloak-auth = { path = "$root/keycloak-auth", default-features = false, features = [$2] }
${3:-}

[workspace]
TOML
}

# package NAME ATTRIBUTE [ARGUMENT [MODULE OF ROUTER AND METHOD ROUTERS [METADATA]]]
package() {
    local name=$1 attribute=$2 argument=${3:-} routers=${4:-axum} metadata=${5:-}
    local router=$routers::Router
    [ "$routers" = axum ] || router=$routers::SecureRouter
    manifest "$name" '"macros"' "$metadata"
    {
        for number in $(seq "$handlers"); do
            echo "$attribute"
            echo "pub async fn handler_$number($argument) -> &'static str { \"$number\" }"
        done
        echo "pub fn router() -> $router {"
        echo "    $router::new()"
        for number in $(seq "$handlers"); do
            echo "        .route(\"/$number\", $routers::routing::get(handler_$number))"
        done
        echo "}"
    } >"$work/$name/src/lib.rs"
}

policy='#[keycloak_auth::keycloak(any(realm_role("clerk"), all(group("/ops"), not(realm_role("auditor")))))]'
package without ''
package attribute "$policy"
package realm "$policy" '' axum "[package.metadata.keycloak]
realm = \"$root/examples/orders/realm.json\""

# Milliseconds of `cargo check` over the package alone.
check() {
    touch "$work/$1/src/lib.rs"
    local begin end
    begin=$(date +%s%N)
    cargo check --quiet --manifest-path "$work/$1/Cargo.toml"
    end=$(date +%s%N)
    echo $(((end - begin) / 1000000))
}

declare -A fastest
for name in without attribute realm; do
    check "$name" >/dev/null # with what it depends on
    fastest[$name]=999999999
done
for _ in $(seq "$runs"); do
    for name in without attribute realm; do
        time=$(check "$name")
        [ "$time" -ge "${fastest[$name]}" ] || fastest[$name]=$time
    done
done

# Lines of LLVM IR in the functions of the package, before any optimization: what `cargo llvm-lines` counts.
lines() {
    touch "$work/$1/src/lib.rs"
    cargo rustc --quiet --manifest-path "$work/$1/Cargo.toml" --lib -- \
        --emit=llvm-ir -C no-prepopulate-passes -C codegen-units=1
    cat "$CARGO_TARGET_DIR"/debug/deps/"$1"-*.ll | grep -c '^  [^ ]'
}
rm -f "$CARGO_TARGET_DIR"/debug/deps/*.ll

# documented NAME ATTRIBUTE ROUTER ROUTES: handlers with an OpenAPI document.
documented() {
    local name=$1 attribute=$2 router=$3 routes=$4
    manifest "$name" '"macros", "utoipa-axum"' 'utoipa = "6"
utoipa-axum = "0.3"'
    {
        for number in $(seq "$handlers"); do
            echo "$attribute"
            echo "#[utoipa::path(get, path = \"/$number\", responses((status = 200)))]"
            echo "pub async fn handler_$number() -> &'static str { \"$number\" }"
        done
        echo "pub fn router() -> $router {"
        echo "    $router::new()"
        for number in $(seq "$handlers"); do
            echo "        .routes($routes!(handler_$number))"
        done
        echo "}"
    } >"$work/$name/src/lib.rs"
}

# added NAME ARGUMENT [MODULE]: what the attribute adds to a handler that takes this.
added() {
    package "without_$1" '' "$2"
    package "attribute_$1" "$policy" "$2" "${3:-axum}"
    echo $((($(lines "attribute_$1") - $(lines "without_$1")) / handlers))
}

echo "cargo check of $handlers handlers, fastest of $runs:"
echo "  without the attribute      ${fastest[without]} ms"
echo "  with the attribute         ${fastest[attribute]} ms"
echo "  and with the realm file    ${fastest[realm]} ms (goal: at most 150 ms more than without)"
echo "lines of LLVM IR that the attribute adds to a handler (goal: at most 300):"
echo "  without arguments          $(added nothing '')"
echo "  the same, in SecureRouter  $(added secured '' keycloak_auth)"
echo "  that takes the headers     $(added headers '_: axum::http::HeaderMap')"
echo "  the same, in SecureRouter  $(added secured_headers '_: axum::http::HeaderMap' keycloak_auth)"
echo "  that takes the body        $(added body '_: String')"
echo "  the same, in SecureRouter  $(added secured_body '_: String' keycloak_auth)"
documented without_document '' utoipa_axum::router::OpenApiRouter utoipa_axum::routes
documented attribute_document "$policy" keycloak_auth::SecureRouter keycloak_auth::secure_routes
without_document=$(lines without_document)
of_documented=$((($(lines attribute_document) - without_document) / handlers))
echo "  with an OpenAPI document   $of_documented (of $((without_document / handlers)) without it)"
