use serde::Deserialize;

use super::*;

fn parse(json: &str) -> Result<Claims, InvalidPayload> {
    Claims::parse(json)
}

fn claims(json: &str) -> Claims {
    parse(json).expect("valid claims")
}

/// A payload as Keycloak 26 writes it.
const ALICE: &str = r#"{"exp":1767225900,"iat":1767225600,"jti":"onrtro:1","iss":"https://id.example.com/realms/acme","aud":["orders-api","account"],
    "sub":"u-1","typ":"Bearer","azp":"orders-web","sid":"s-1","acr":"1","allowed-origins":["*"],
    "realm_access":{"roles":["admin","\u00fcber"]},
    "resource_access":{"orders-api":{"roles":["orders:read"]},"billing-api":{"roles":["admin"]}},
    "scope":"openid  email","email_verified":true,"name":"Alice \"A\" Admin","groups":["/ops","/ops/oncall"],
    "preferred_username":"alice","given_name":"Alice","family_name":"Admin","email":"alice@acme.test",
    "tenant":{"id":7,"plans":["gold","silver"]},"a.b":true,"level":-3}"#;

#[test]
fn reads_every_claim() {
    let claims = claims(ALICE);
    assert_eq!(claims.issuer(), Some("https://id.example.com/realms/acme"));
    assert_eq!(claims.subject(), Some("u-1"));
    assert_eq!(claims.audience().collect::<Vec<_>>(), ["orders-api", "account"]);
    assert_eq!(
        (claims.expires_at(), claims.issued_at(), claims.not_before()),
        (Some(1_767_225_900), Some(1_767_225_600), None)
    );
    assert_eq!(claims.realm_roles().collect::<Vec<_>>(), ["admin", "über"]);
    assert_eq!(claims.client_roles("orders-api").collect::<Vec<_>>(), ["orders:read"]);
    assert_eq!(claims.client_roles("billing-api").collect::<Vec<_>>(), ["admin"]);
    assert_eq!(claims.client_roles("orders").count(), 0);
    assert_eq!(claims.clients().count(), 2);
    assert_eq!(claims.scopes().collect::<Vec<_>>(), ["openid", "email"]);
    assert_eq!(claims.groups().collect::<Vec<_>>(), ["/ops", "/ops/oncall"]);
    assert_eq!(claims.name(), Some("Alice \"A\" Admin"));
    assert_eq!(
        (claims.username(), claims.email(), claims.email_verified()),
        (Some("alice"), Some("alice@acme.test"), true)
    );
    assert!(!claims.is_bound());
}

#[test]
fn hands_the_payload_to_a_type_of_the_caller() {
    #[derive(Deserialize)]
    struct Custom {
        tenant: Tenant,
    }
    #[derive(Deserialize)]
    struct Tenant {
        id: u32,
    }

    assert_eq!(claims(ALICE).claims::<Custom>().expect("fits").tenant.id, 7);
    assert!(claims(r#"{"sub":"x"}"#).claims::<Custom>().is_err());
}

#[test]
fn a_registered_claim_of_a_wrong_type_is_named() {
    for (claim, values) in [
        ("iss", ["1", "null", r#"["x"]"#, "{}"].as_slice()),
        (
            "aud",
            &[
                "null",
                "1",
                "{}",
                "[1]",
                r#"["orders-api",null]"#,
                "true",
                r#"[["orders-api"]]"#,
            ],
        ),
        ("typ", &["null", "[]"]),
        ("azp", &["null", "7"]),
        ("sub", &["null", "7"]),
        (
            "exp",
            &[
                "null",
                r#""1767225900""#,
                "-1",
                "-1.5",
                "1e300",
                "18446744073709551615",
                "253402300800",
                "[]",
                "true",
            ],
        ),
        ("nbf", &["null", r#""0""#, "-1", "{}"]),
        ("iat", &["null", r#""0""#, "-1", "18446744073709551615"]),
    ] {
        for value in values {
            let json = format!(r#"{{"{claim}":{value}}}"#);
            assert_eq!(parse(&json).map(|_| ()), Err(InvalidPayload::Claim(claim)), "{json}");
        }
    }
}

#[test]
fn what_is_not_a_claims_set_is_malformed() {
    for json in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{}{}",
        r#"{"exp":NaN}"#,
        r#"{"exp":1e400}"#,
        r#"{"exp":1,}"#,
        r#"{"sub":"a","sub":"a"}"#,
        r#"{"s\u0075b":"a","sub":"b"}"#,
        r#"{"realm_access":{"roles":["a"],"roles":["admin"]}}"#,
        r#"{"realm_access":{"roles":[]},"realm_access":{"roles":["admin"]}}"#,
        r#"{"resource_access":{"c":{"roles":[]},"c":{"roles":["admin"]}}}"#,
        r#"{"custom":{"x":[{"a":1,"a":2}]}}"#,
        r#"{"groups":[{"a":1,"a":2}]}"#,
        "\u{feff}{}",
    ] {
        assert_eq!(parse(json).map(|_| ()), Err(InvalidPayload::Malformed), "{json}");
    }
    assert_eq!(
        parse(&format!(r#"{{"x":{}}}"#, "[".repeat(4000))).map(|_| ()),
        Err(InvalidPayload::Malformed)
    );
}

#[test]
fn roles_and_groups_of_a_wrong_type_grant_nothing() {
    for json in [
        r#"{"realm_access":"admin"}"#,
        r#"{"realm_access":null}"#,
        r#"{"realm_access":["admin"]}"#,
        r#"{"realm_access":{"roles":"admin"}}"#,
        r#"{"realm_access":{"roles":{"admin":true}}}"#,
        r#"{"realm_access":{"roles":[["admin"],{"admin":1},null,7,true,1.5,-1]}}"#,
        r#"{"resource_access":{"orders-api":["admin"]}}"#,
        r#"{"resource_access":"admin"}"#,
        r#"{"groups":"/ops"}"#,
        r#"{"groups":{"/ops":true}}"#,
        r#"{"scope":["admin"]}"#,
    ] {
        let claims = claims(json);
        assert_eq!(
            claims.realm_roles().count() + claims.groups().count() + claims.scopes().count(),
            0,
            "{json}"
        );
        assert_eq!(claims.client_roles("orders-api").count(), 0, "{json}");
    }
}

#[test]
fn fractions_of_a_second_shorten_a_token() {
    let claims = claims(r#"{"exp":10.9,"nbf":10.1,"iat":1e1}"#);
    assert_eq!(
        (claims.expires_at(), claims.not_before(), claims.issued_at()),
        (Some(10), Some(11), Some(10))
    );
}

#[test]
fn any_confirmation_claim_binds_the_token() {
    for cnf in ["null", "{}", r#"{"jkt":"x"}"#, r#""x""#, "[]"] {
        assert!(claims(&format!(r#"{{"cnf":{cnf}}}"#)).is_bound(), "{cnf}");
    }
}

#[test]
fn debug_shows_no_personal_data() {
    let shown = format!("{:?}", claims(ALICE));
    assert!(shown.contains("u-1") && !shown.contains("alice"), "{shown}");
}

/// Asking for one is the same as looking through all, whatever the names have in common and wherever they stand.
#[test]
fn names_are_found_exactly_where_they_are() {
    let mut names: Vec<String> = (0..40).map(|number| format!("role-{number:02}")).collect();
    names.extend(
        [
            "", "a", "b", "ab", "ba", "é", "ée", "\"\\", "role-1", "role-010", "ROLE-01",
        ]
        .map(String::from),
    );
    // Equal in length, in the last two bytes and in the middle: these differ in nothing that is compared first.
    names.extend(["xyMyz", "zyMyz", "xxMyz"].map(String::from));
    for (begin, end) in [(0, 0), (0, 1), (0, 7), (0, 8), (3, 20), (5, 29), (40, 54), (0, 54)] {
        let own = &names[begin..end];
        let json = serde_json::json!({
            "realm_access": { "roles": own }, "groups": own, "scope": own.join(" "),
            "resource_access": { "role-01": { "roles": [] }, "role-02": { "roles": own }, "role-03": { "roles": ["x"] } },
        });
        let claims = claims(&json.to_string());
        assert_eq!(claims.realm_roles().collect::<Vec<_>>(), own);
        assert_eq!(claims.client_roles("role-02").collect::<Vec<_>>(), own);
        for name in names
            .iter()
            .map(String::as_str)
            .chain(["absent", "role-40", "role-0", "yyMyz"])
        {
            let is_there = own.iter().any(|own| own == name);
            assert_eq!(claims.has_realm_role(name), is_there, "{name:?} in {own:?}");
            assert_eq!(claims.has_group(name), is_there, "{name:?} in {own:?}");
            assert_eq!(claims.has_client_role("role-02", name), is_there, "{name:?} in {own:?}");
            assert!(!claims.has_client_role("role-01", name) && !claims.has_client_role("role-0", name));
            assert_eq!(
                claims.has_scope(name),
                is_there && !name.is_empty(),
                "{name:?} in {own:?}"
            );
            assert_eq!(claims.scopes().any(|scope| scope == name), claims.has_scope(name));
        }
    }
}

/// However much text there is, and whether it has escapes.
#[test]
fn a_token_has_the_claims_that_its_payload_has() {
    for count in [0, 1, 10, 30, 100, 1000] {
        for letter in ["x", "é", "\"", "\\"] {
            let names: Vec<String> = (0..count)
                .map(|number| format!("{number}{}", letter.repeat(number % 40)))
                .collect();
            let json = serde_json::json!({
                "sub": letter, "exp": 2000, "aud": names, "realm_access": { "roles": names }, "scope": names.join(" "),
                "resource_access": { "client": { "roles": names } }, "name": letter.repeat(count), "custom": names,
            });
            let json = json.to_string();
            let token = format!("e30.{}.c2ln", jose::encode(json.as_bytes()));
            let claims = Claims::of_token(&token, 4..token.len() - 5, &json).expect("claims");
            assert_eq!((claims.token(), claims.json()), (Some(&*token), &*json));
            let told = parse(&json).expect("claims");
            assert_eq!((told.token(), told.json()), (None, &*json));
            for claims in [claims, told] {
                assert_eq!((claims.subject(), claims.expires_at()), (Some(letter), Some(2000)));
                assert_eq!(
                    (claims.name(), claims.not_before()),
                    (Some(&*letter.repeat(count)), None)
                );
                assert_eq!(claims.audience().collect::<Vec<_>>(), names);
                assert_eq!(claims.realm_roles().collect::<Vec<_>>(), names);
                assert_eq!(claims.client_roles("client").collect::<Vec<_>>(), names);
                assert_eq!(claims.scopes().collect::<Vec<_>>(), names);
            }
        }
    }
}

#[test]
fn a_name_longer_than_any_token_is_not_there() {
    let name = "x".repeat(1 << 24);
    let claims = claims(ALICE);
    assert!(!claims.has_realm_role(&name) && !claims.has_client_role(&name, &name) && !claims.has_scope(&name));
}
