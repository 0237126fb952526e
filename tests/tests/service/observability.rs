//! The spans and events of the guide, by name, level and fields.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use keycloak_auth::{CustomClaims, SecureRouter, keycloak, routing::get};
use keycloak_auth_tests::{Issuer, Logs, Record, Reply, Service, rsa_key};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;
use tracing::{Instrument as _, Level, field::Empty, info_span};

use crate::setup::{admin, builder, clock, me, routes, unreachable};

const GUIDE: &str = include_str!("../../../keycloak-auth/src/docs/observability.md");

/// What a table of the guide says of an event: its levels and fields.
struct Documented {
    levels: BTreeSet<String>,
    fields: BTreeSet<String>,
}

fn code_spans(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The events of the guide, by name.
fn documented_events() -> BTreeMap<String, Documented> {
    let rows = GUIDE.lines().filter(|line| line.starts_with("| `keycloak."));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .filter(|cells| cells.len() == 6)
        .map(|cells| {
            let name = code_spans(cells[1]).pop_first().expect("a name");
            let levels = ["debug", "info", "warn", "error"].into_iter();
            let words: Vec<&str> = cells[2].split(|c: char| !c.is_alphabetic()).collect();
            let levels = levels
                .filter(|level| words.contains(level))
                .map(str::to_owned)
                .collect();
            let fields = code_spans(cells[3]);
            (name, Documented { levels, fields })
        })
        .collect()
}

/// The fields of the span of the guide.
fn documented_span_fields() -> BTreeSet<String> {
    let table = GUIDE
        .split("# Spans")
        .nth(1)
        .and_then(|rest| rest.split("# Events").next());
    let rows = table.expect("a section").lines().filter(|line| line.starts_with("| `"));
    let cells = rows
        .filter(|row| row.split('|').count() == 4)
        .map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| code_spans(cell.expect("a cell"))).collect()
}

#[track_caller]
fn assert_documented(record: &Record) {
    if record.is_span {
        assert_eq!((record.name, record.level), ("keycloak.request", Level::INFO));
        let declared: BTreeSet<String> = record.declared.iter().map(|field| (*field).to_owned()).collect();
        assert_eq!(declared, documented_span_fields());
        return;
    }
    let events = documented_events();
    let Some(documented) = events.get(record.name) else {
        panic!("not in the guide: {record:?}")
    };
    let level = record.level.to_string().to_lowercase();
    assert!(documented.levels.contains(&level), "{level}: {record:?}");
    for field in &record.declared {
        assert!(
            *field == "message" || documented.fields.contains(*field),
            "{field}: {record:?}"
        );
    }
}

fn named<'r>(records: &'r [Record], name: &str) -> Vec<&'r Record> {
    records.iter().filter(|record| record.name == name).collect()
}

#[derive(Deserialize)]
struct Tenant {
    #[expect(dead_code, reason = "no token of this test has it")]
    tenant_id: u32,
}

#[keycloak(authenticated)]
async fn tenant(CustomClaims(_): CustomClaims<Tenant>) {}

#[test]
fn the_guide_lists_the_events_and_spans_of_the_source_and_no_others() {
    fn read(folder: &Path, source: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, source);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                source.push((path.display().to_string(), text));
            }
        }
    }
    let mut source = Vec::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../keycloak-auth/src"),
        &mut source,
    );
    let mut names = BTreeSet::new();
    for (file, text) in &source {
        for level in ["trace!(", "debug!(", "info!(", "warn!(", "error!(", "$level!("] {
            for (at, _) in text.match_indices(&format!("tracing::{level}")) {
                let rest = text[at..].split_once('(').expect("it ends with one").1.trim_start();
                let name = rest.strip_prefix("name: \"").and_then(|rest| rest.split_once('"'));
                let (name, _) = name.unwrap_or_else(|| {
                    panic!("an event without a name in {file}: give it `name: \"keycloak.…\"` and a row in observability.md")
                });
                names.insert(name.to_owned());
            }
        }
        assert!(
            !text.contains("debug_span!") && !text.contains("#[instrument"),
            "{file}"
        );
    }
    let listed: BTreeSet<String> = documented_events().into_keys().collect();
    let unlisted: Vec<&String> = names
        .difference(&listed)
        .filter(|name| !name.contains("dev_realm"))
        .collect();
    assert_eq!(unlisted, Vec::<&String>::new(), "give them a row in observability.md");
    assert_eq!(listed.difference(&names).collect::<Vec<_>>(), Vec::<&String>::new());
    for name in names.iter().filter(|name| name.contains("dev_realm")) {
        assert!(GUIDE.contains(&format!("`{name}`")), "{name}");
    }
}

#[tokio::test]
async fn everything_that_is_told_stands_in_the_guide() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer)
        .client_secret("secret")
        .clock(clock.clone())
        .danger_accept_invalid_certs(true)
        .build()
        .expect("valid");
    let router = routes()
        .route("/tenant", get(tenant))
        .route("/reported", get(admin).report_only())
        .secure_with(keycloak.clone());
    let service = Service::start(router).await;
    let bare = Service::start(axum::Router::new().route("/me", axum::routing::get(me))).await;
    let key = issuer.key();
    let token = issuer
        .token()
        .claim("exp", keycloak_auth_tests::now() + 86_400)
        .sign(key);
    let less = issuer.token().without("realm_access").sign(key);

    issuer.reply(Issuer::JWKS, Reply::status(503));
    assert_eq!(service.get_as("/me", &token).await.status, 503);
    clock.advance(Duration::from_secs(2));
    assert_eq!(service.get_as("/me", &token).await.status, 503);
    clock.advance(Duration::from_secs(60));
    let mut keys = vec![issuer.key().jwk()];
    keys.extend((0..65).map(|number| json!({ "kty": "oct", "k": "AAAA", "kid": number.to_string() })));
    issuer.publish_jwks(keys);
    issuer.reply_as_usual(Issuer::JWKS);
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    assert_eq!(service.get_as("/admin", &less).await.status, 403);
    assert_eq!(service.get_as("/reported", &less).await.status, 200);
    assert_eq!(service.get_as("/tenant", &token).await.status, 401);
    let without_scheme = service.get("/me").header("authorization", &token).send().await;
    assert_eq!(without_scheme.status, 401);
    let unknown = issuer.token().sign(&rsa_key(1).with_kid("unknown"));
    assert_eq!(service.get_as("/me", &unknown).await.status, 401);
    let foreign = issuer.token().claim("aud", "another").sign(key);
    assert_eq!(service.get_as("/me", &foreign).await.status, 401);
    let accepts_nobody = builder(&issuer).build().expect("valid");
    accepts_nobody
        .authenticate(&foreign)
        .await
        .expect_err("for another service");
    assert_eq!(bare.get_as("/me", &token).await.status, 503);
    let without_scheme = service.get("/me").authorization(&token).send().await;
    assert_eq!(without_scheme.status, 401);
    let refusal = |error: &str| Reply::status(400).body(json!({ "error": error }).to_string());
    for reply in [
        refusal("invalid_client"),
        refusal("invalid_grant"),
        Reply::status(500),
        Reply::status(500),
    ] {
        issuer.reply(Issuer::TOKEN, reply);
        keycloak.refresh_token("refresh").await.expect_err("no tokens");
    }

    let client = keycloak.service_client().for_origin(service.url("")).build();
    let client = client.expect("an origin");
    let tokens = json!({ "access_token": "not-a-good-one", "token_type": "Bearer", "expires_in": 300 });
    for reply in [Reply::json(&tokens), Reply::json(&tokens), refusal("invalid_grant")] {
        issuer.reply(Issuer::TOKEN, reply);
        let answer = client.get(&service.url("/me")).send().await.expect("an answer");
        assert_eq!(answer.status(), 401);
        clock.advance(Duration::from_secs(20));
    }

    let introspecting = builder(&issuer)
        .client_secret("secret")
        .clock(clock.clone())
        .use_introspection(true)
        .build()
        .expect("valid");
    issuer.reply(Issuer::INTROSPECTION, Reply::status(500));
    introspecting.authenticate(&token).await.expect_err("nobody knows");
    issuer.reply_as_usual(Issuer::INTROSPECTION);
    introspecting.authenticate(&token).await.expect_err("not active");
    let of_another = json!({ "active": true, "sub": "another" });
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&of_another));
    introspecting.authenticate(&less).await.expect_err("about another");
    issuer.reply(Issuer::INTROSPECTION, Reply::status(500));
    for number in 0..2 {
        introspecting
            .authenticate(&format!("opaque-{number}"))
            .await
            .expect_err("nobody knows");
        clock.advance(Duration::from_secs(2));
    }
    issuer.reply(Issuer::INTROSPECTION, Reply::status(500).after(Duration::from_secs(3)));
    let mut crowd = JoinSet::new();
    for number in 0..65 {
        let introspecting = introspecting.clone();
        crowd.spawn(async move {
            introspecting
                .authenticate(&format!("of-a-crowd-{number}"))
                .await
                .is_ok()
        });
    }
    assert!(crowd.join_all().await.iter().all(|is_good| !is_good));

    issuer.reply(Issuer::JWKS, Reply::status(503));
    clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(service.get_as("/me", &token).await.status, 503);

    let records = logs.records();
    for record in &records {
        assert_documented(record);
    }
    let told: BTreeSet<&str> = records.iter().map(|record| record.name).collect();
    let listed = documented_events();
    let missing: Vec<&String> = listed.keys().filter(|name| !told.contains(name.as_str())).collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "events of the guide that did not happen"
    );
}

#[tokio::test]
async fn each_request_to_keycloak_is_a_span_with_its_outcome_and_without_secrets() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let settings = || builder(&issuer).client_secret("secret");
    let keycloak = settings().build().expect("valid");
    keycloak.ready().await.expect("keys");
    issuer.reply(Issuer::TOKEN, Reply::status(400).body(r#"{"error":"invalid_grant"}"#));
    keycloak.refresh_token("canary-refresh").await.expect_err("refused");
    let endpoint = format!("{}{}?key=canary-query", issuer.url(), Issuer::INTROSPECTION);
    let introspecting = settings()
        .use_introspection(true)
        .introspection_endpoint(endpoint)
        .build()
        .expect("valid");
    introspecting
        .authenticate("canary-opaque")
        .await
        .expect_err("not active");
    unreachable().ready().await.expect_err("nobody is there");
    issuer.reply(Issuer::DISCOVERY, Reply::status(200).after(Duration::from_secs(60)));
    let impatient = settings()
        .request_timeout(Duration::from_millis(100))
        .build()
        .expect("valid");
    impatient.ready().await.expect_err("too late");

    let mut records = logs.records();
    while records.iter().any(|record| record.is_span && !record.is_over) {
        tokio::task::yield_now().await;
        records = logs.records();
    }
    let port = issuer.url().rsplit(':').next().expect("a port");
    let spans = named(&records, "keycloak.request");
    let told: Vec<_> = spans
        .iter()
        .map(|span| {
            [
                "keycloak.endpoint",
                "http.request.method",
                "http.response.status_code",
                "error.type",
                "otel.status_code",
            ]
            .map(|field| match span.field(field) {
                // Both deadlines are the same, and either may be noticed first.
                "interrupted" => "timeout",
                value => value,
            })
        })
        .collect();
    assert_eq!(
        told,
        [
            ["discovery", "GET", "200", "", ""],
            ["jwks", "GET", "200", "", ""],
            ["token", "POST", "400", "400", "ERROR"],
            ["introspection", "POST", "200", "", ""],
            ["discovery", "GET", "", "connection", "ERROR"],
            ["discovery", "GET", "", "timeout", "ERROR"],
        ]
    );
    for span in &spans[..4] {
        assert_eq!(
            (span.field("server.address"), span.field("server.port")),
            ("127.0.0.1", port)
        );
        assert_eq!(span.field("otel.kind"), "client");
    }
    assert_eq!(
        spans[3].field("url.full"),
        format!("{}{}", issuer.url(), Issuer::INTROSPECTION)
    );
    assert!(!format!("{records:?}").contains("canary"), "{records:?}");
}

#[tokio::test]
async fn a_decision_is_an_event_with_route_handler_and_outcome() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let router = SecureRouter::new()
        .route("/users/{id}", get(admin))
        .secure_with(keycloak);
    let service = Service::start(router).await;
    let token = issuer.valid_token();
    let less = issuer.token().without("realm_access").sign(issuer.key());
    service.get_as("/users/canary-7?canary", &token).await;
    service.get_as("/users/canary-7", &less).await;
    service.get("/users/canary-7").send().await;
    service.get_as("/users/canary-7", "garbage").await;
    let records = logs.records();
    let told: Vec<_> = named(&records, "keycloak.decision")
        .into_iter()
        .map(|event| {
            assert_eq!(event.level, Level::DEBUG);
            assert_eq!(
                (event.field("http.request.method"), event.field("http.route")),
                ("GET", "/users/{id}")
            );
            assert!(event.field("code.function.name").ends_with("setup::admin"), "{event:?}");
            assert!(
                !event.fields.contains_key("enduser.id"),
                "nobody asked for it: {event:?}"
            );
            let message = event.field("message").split(':').next().unwrap_or_default();
            [event.field("keycloak.outcome"), event.field("error.type"), message]
        })
        .collect();
    assert_eq!(
        told,
        [
            ["allowed", "", "allowed"],
            ["denied", "missing_roles", "refused"],
            ["unauthenticated", "missing_header", "refused"],
            ["invalid_token", "malformed_token", "refused"],
        ]
    );
    let own = records.iter().filter(|record| !record.is_span);
    assert!(
        own.clone().all(|event| !format!("{event:?}").contains("canary")),
        "no path and no query"
    );
}

#[tokio::test]
async fn the_subject_is_told_only_to_those_who_asked_for_it() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let token = issuer.token().claim("sub", "canary-subject").sign(issuer.key());
    for (asked, told) in [(false, ""), (true, "canary-subject")] {
        let keycloak = builder(&issuer).record_enduser_id(asked).build().expect("valid");
        let router = SecureRouter::new().route("/me", get(me)).secure_with(keycloak);
        let traced = axum::middleware::from_fn(async |request, next: axum::middleware::Next| {
            let span = info_span!(target: "keycloak_auth_of_a_service", "request", enduser.id = Empty);
            next.run(request).instrument(span).await
        });
        let service = Service::start(router.layer(traced)).await;
        assert_eq!(service.get_as("/me", &token).await.status, 200);
        let records = logs.records();
        let events = named(&records, "keycloak.decision");
        assert_eq!(events.last().expect("an event").field("enduser.id"), told);
        let spans = named(&records, "request");
        assert_eq!(spans.last().expect("a span").field("enduser.id"), told);
        assert_eq!(logs.text().contains("canary-subject"), asked);
    }
}

#[tokio::test]
async fn a_client_that_keycloak_refuses_is_warned_of_once_until_it_works_again() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).client_secret("wrong").clock(clock.clone());
    let keycloak = keycloak.build().expect("valid");
    let warnings = || named(&logs.records(), "keycloak.client_refused").len();
    let refused = Reply::status(401).body(r#"{"error":"invalid_client"}"#);
    for round in 1..3 {
        issuer.reply(Issuer::TOKEN, refused.clone());
        for _ in 0..5 {
            keycloak.refresh_token("refresh").await.expect_err("refused");
        }
        assert_eq!(warnings(), round);
        issuer.reply(
            Issuer::TOKEN,
            Reply::json(&json!({ "access_token": "a", "token_type": "Bearer" })),
        );
        keycloak.refresh_token("refresh").await.expect("tokens");
        clock.advance(Duration::from_secs(60));
    }
}
