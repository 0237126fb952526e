#!/usr/bin/env bash
# Counts the instructions of a warm, a cold and some refused requests with callgrind, and fails when one takes over 5 % more than is recorded
# in instructions.txt beside this script.
#
# Time cannot be a threshold, because it depends on what else a machine does. Instructions do not, but they depend on the compiler, the C
# library and the processor. So what is compared are multiples of an unprotected route that is counted in the same run; and of a cold
# request only what comes beside the raw verification of the signature, for which a processor may have instructions of its own.
#
#     bash tests/benches/instructions.sh             compares
#     bash tests/benches/instructions.sh --record    takes what is counted as the new record
set -euo pipefail
cd "$(dirname "$0")/../.."

record=tests/benches/instructions.txt
command -v valgrind >/dev/null || { echo "valgrind is missing: apt-get install valgrind" >&2; exit 1; }
cargo bench --quiet -p keycloak-auth-tests --bench request --no-run
bench=$(cargo bench -p keycloak-auth-tests --bench request --no-run 2>&1 | sed -n 's/.*Executable .*(\(.*\))/\1/p')

# count NAME REPETITIONS: the instructions of one request; so many make a round of the benchmark. Without its fast bins, the C library
# does not tidy up in the midst of some requests and not of others.
count() {
    local rounds=8 log collected
    log=$(GLIBC_TUNABLES=glibc.malloc.mxfast=0 valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*Batch*run*' \
        "$bench" --bench --only "$1" --rounds "$rounds" 2>&1) || { echo "$log" >&2; exit 1; }
    collected=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log")
    if [ "${collected:-0}" -eq 0 ]; then
        printf '%s\nnothing was counted in `%s`\n' "$log" "$1" >&2
        exit 1
    fi
    echo $((collected / (rounds * $2)))
}

unprotected=$(count 'unprotected' 256)
verification=$(count 'raw RSA verification' 16)
echo "an unprotected route takes $unprotected instructions, the raw verification of a signature $verification"

worse=0
counted=$(mktemp)
trap 'rm -f "$counted"' EXIT
# compare NAME ALTERNATIVE REPETITIONS [INSTRUCTIONS THAT DO NOT COUNT]
compare() {
    local instructions ratio before verdict
    instructions=$(count "$2" "$3")
    instructions=$((instructions - ${4:-0}))
    ratio=$(awk "BEGIN { printf \"%.3f\", $instructions / $unprotected }")
    before=$(awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$record" 2>/dev/null || true)
    printf '%s\t%s\n' "$1" "$ratio" >>"$counted"
    if [ -z "$before" ]; then
        verdict="not recorded"
        worse=1
    elif awk "BEGIN { exit !($ratio > $before * 1.05) }"; then
        verdict="over 5 % more than the recorded $before"
        worse=1
    else
        verdict="recorded: $before"
    fi
    printf '%-42s %7d instructions, %6.3f × unprotected (%s)\n' "$1" "$instructions" "$ratio" "$verdict"
}

compare 'warm' 'warm: guard, from state' 256
compare 'warm, with the user' 'warm: guard and user, from state' 256
compare 'warm, by secure_with' 'warm: guard, by secure_with' 256
compare 'warm, layer on a plain router' 'warm: layer on a plain router' 256
compare 'cold, without the verification' 'cold: guard, from state' 16 "$verification"
compare 'refused, not a token' 'refused: not a token' 256
compare 'refused, unknown key' 'refused: unknown key, in the cooldown' 256

if [ "${1:-}" = --record ]; then
    cp "$counted" "$record"
    echo "recorded in $record"
elif [ "$worse" -ne 0 ]; then
    echo "where that is what a change is worth, say so in its commit and record it: bash tests/benches/instructions.sh --record" >&2
    exit 1
fi
