//! What the cache of verified tokens may be asked for.

use super::*;
use crate::Algorithm;

const HEADER: &str = "e30";

fn key_set() -> KeySet {
    let keys = KeySet::parse(
        br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    );
    keys.expect("a key set")
}

/// A token that a key of the set verified, and that the validator took for good.
fn verified(validator: &Validator, keys: &KeySet, audience: &str) -> Arc<VerifiedToken> {
    let key = keys.select(Some("k1"), Algorithm::EdDSA).expect("its key");
    let json = format!(
        r#"{{"iss":"https://id.example.com/realms/acme","typ":"Bearer","exp":2000,"iat":1000,"aud":"{audience}"}}"#
    );
    let payload = jose::encode(json.as_bytes());
    let token = format!("{HEADER}.{payload}.c2lnbmF0dXJl");
    let start = HEADER.len() + 1;
    let claims = Claims::of_token(&token, start..start + payload.len(), &json).expect("claims");
    let expectations = Arc::clone(&validator.expectations);
    Arc::new(VerifiedToken::signed(
        claims,
        Arc::clone(key),
        expectations,
        Completeness::Complete,
    ))
}

fn find(validator: &Validator, token: &VerifiedToken, now: u64) -> Option<Result<(), InvalidToken>> {
    let found = validator.find(token.token().as_bytes(), Duration::from_secs(now));
    found.map(|found| validator.judge_found(found).map(drop))
}

#[test]
fn an_entry_counts_for_the_expectations_that_it_was_checked_against_alone() {
    let [orders, billing] =
        ["orders-api", "billing-api"].map(|name| Validator::new(Expectations::of_audience(name), 10));
    let token = verified(&orders, &key_set(), "orders-api");
    for validator in [&orders, &billing] {
        validator.cache.insert(&token);
    }
    assert_eq!(find(&orders, &token, 1500), Some(Ok(())));
    assert_eq!(find(&billing, &token, 1500), None);
    assert!(billing.cache.find(token.token().as_bytes()).is_none(), "it is dropped");
}

#[test]
fn an_entry_is_checked_for_its_times_and_its_key_each_time() {
    let validator = Validator::new(Expectations::of_audience("orders-api"), 10);
    let keys = key_set();
    let token = verified(&validator, &keys, "orders-api");
    let found_at = |now| {
        validator.cache.insert(&token);
        find(&validator, &token, now)
    };
    assert_eq!(found_at(999), Some(Err(InvalidToken::NotYetValid)));
    assert_eq!(found_at(1999), Some(Ok(())));
    assert_eq!(found_at(2000), Some(Err(InvalidToken::Expired)));
    let known = validator.raise_not_before(1001, Duration::from_secs(1500));
    assert!(known.is_ok());
    assert_eq!(found_at(1500), Some(Err(InvalidToken::IssuedBeforeNotBefore)));
    keys.retire_keys_missing_in(&KeySet::empty());
    assert_eq!(found_at(1500), None);
}
