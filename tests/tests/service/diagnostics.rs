//! A diagnosis names the cause of each broken set-up in its first line, and says what to do.

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{Router, extract::State};
use http::header::CACHE_CONTROL;
use keycloak_auth::{
    Algorithm, CheckStatus, DiagnosticReport, Introspection, Keycloak, KeycloakBuilder, SecureRouter, jose::KeySet,
    keycloak, routing::get,
};
use keycloak_auth_tests::{Answer, Authority, Issuer, Proxy, Reply, Service, rsa_key};
use serde_json::json;
use tokio::{
    io::{AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

mod certificates;

use crate::setup::{builder, clock, unreachable};

const SECRET: &str = "hunter2-canary";

async fn diagnose(builder: KeycloakBuilder) -> DiagnosticReport {
    let keycloak = builder.connect_timeout(Duration::from_secs(2)).build().expect("valid");
    keycloak.diagnose().await
}

/// The first line, and the advice of the check that it is about.
#[track_caller]
fn assert_cause(report: &DiagnosticReport, first_line: &str, advice: &str) {
    let page = report.to_string();
    let line = page.lines().next().unwrap_or_default();
    assert!(
        line.contains(first_line),
        "expected `{first_line}` in the first line of\n{page}"
    );
    let given = report
        .cause()
        .and_then(|check| check.advice.as_deref())
        .unwrap_or_default();
    assert!(given.contains(advice), "expected the advice `{advice}` in\n{page}");
    assert!(!page.contains(SECRET), "{page}");
}

/// Has the token endpoint say what Keycloak says of most services' clients.
fn without_service_account(issuer: &Issuer) {
    let description = "Client not enabled to retrieve service account";
    let refusal = json!({ "error": "unauthorized_client", "error_description": description });
    issuer.reply(Issuer::TOKEN, Reply::status(401).body(refusal.to_string()));
}

#[tokio::test]
async fn a_sound_set_up_is_healthy() {
    let issuer = Issuer::start().await;
    without_service_account(&issuer);
    let report = diagnose(builder(&issuer).client_secret(SECRET)).await;
    assert!(report.is_healthy() && report.status == CheckStatus::Ok, "{report}");
    assert!(report.to_string().starts_with("ok: "), "{report}");
    let names: Vec<&str> = report.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        [
            "configuration",
            "dns",
            "tcp",
            "tls",
            "discovery",
            "key set",
            "service token",
            "clock",
            "client",
            "token"
        ]
    );
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(
        (&json["status"], &json["client_id"]),
        (&json!("ok"), &json!("orders-api"))
    );
    assert_eq!(json["checks"][4]["status"], "ok");
    assert!(!json.to_string().contains(SECRET));
}

#[tokio::test]
async fn a_page_has_the_width_that_is_asked_for() {
    let issuer = Issuer::start().await;
    let report = diagnose(builder(&issuer).realm("Acme")).await;
    let (wide, narrow) = (report.to_string(), format!("{report:80}"));
    assert!(wide.lines().any(|line| line.chars().count() > 100), "{wide}");
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    let words = |page: &str| page.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&wide), words(&narrow), "nothing is lost");
    let advice = narrow.lines().skip_while(|line| !line.contains("-> check")).nth(1);
    let indent = advice.map(|line| line.len() - line.trim_start().len());
    assert_eq!(indent, Some(35), "below its beginning: {narrow}");
    // So narrow that words do not fit: they stay whole.
    assert_eq!(words(&format!("{report:10}")), words(&wide));
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let issuer = Issuer::start().await;
    let report = diagnose(builder(&issuer).server_url(format!("http://{address}"))).await;
    assert_cause(
        &report,
        "FAILED: tcp: nothing accepts connections",
        "check that Keycloak runs",
    );
    let report = diagnose(builder(&issuer).server_url("http://nowhere.invalid")).await;
    assert_cause(
        &report,
        "FAILED: dns: there is no address for the name `nowhere.invalid`",
        "`server_url`",
    );
}

#[tokio::test]
async fn a_realm_that_is_not_there_or_disabled() {
    let issuer = Issuer::start().await;
    let report = diagnose(builder(&issuer).realm("Acme")).await;
    assert_cause(&report, "FAILED: discovery: there is no realm `Acme`", "case-sensitive");
    let report = diagnose(builder(&issuer).realm(" acme")).await;
    assert_cause(
        &report,
        "there is no realm ` acme`",
        "take the white space away that `.realm(…)` has",
    );
    let disabled = json!({ "error": "Realm not enabled" }).to_string();
    issuer.reply(Issuer::DISCOVERY, Reply::status(404).body(disabled));
    assert_cause(
        &diagnose(builder(&issuer)).await,
        "the realm `acme` is disabled",
        "enable it",
    );
}

#[tokio::test]
async fn another_base_path() {
    let issuer = Issuer::start().await;
    let report = diagnose(builder(&issuer).server_url(format!("{}/auth", issuer.url())));
    issuer.reply(&format!("/auth{}", Issuer::DISCOVERY), Reply::status(404));
    assert_cause(
        &report.await,
        "FAILED: discovery: Keycloak is there, under another base path",
        &format!(".server_url(\"{}\")", issuer.url()),
    );
}

#[tokio::test]
async fn another_issuer() {
    let issuer = Issuer::start().await;
    let public = "https://id.example.com/realms/acme";
    let report = diagnose(builder(&issuer).issuer(public)).await;
    assert_eq!(
        report.check("discovery").expect("was looked at").finding,
        format!(
            "the issuer is `{}` when asked there, and tokens have to name `{public}`",
            issuer.issuer()
        )
    );
    let document = json!({ "issuer": public, "jwks_uri": format!("{public}/protocol/openid-connect/certs") });
    issuer.reply(Issuer::DISCOVERY, Reply::json(&document));
    let report = diagnose(builder(&issuer)).await;
    // Whoever has named no issuer must not read that the default stays beside the one that is named.
    let replaces = "the first one takes the place of the default";
    assert_cause(
        &report,
        "FAILED: discovery: the discovery document",
        "`KC_HOSTNAME` of Keycloak",
    );
    for told in [&format!(".issuer(\"{public}\")"), replaces] {
        assert!(report.to_string().contains(told), "says what to name: {report}");
    }
    assert!(report.to_string().contains(&issuer.issuer()), "names both: {report}");
    let issuer = Issuer::start().await;
    let token = issuer.token().claim("iss", public).sign(issuer.key());
    let report = builder(&issuer).build().expect("valid").diagnose().token(&token).await;
    assert_cause(&report, "FAILED: token: it is not accepted: claim `iss`", replaces);
}

#[tokio::test]
async fn a_token_of_another_realm_says_which() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let foreign = other.token().sign(&rsa_key(1).with_kid("foreign"));
    let report = builder(&issuer)
        .build()
        .expect("valid")
        .diagnose()
        .token(&foreign)
        .await;
    let issuers = format!("its issuer is `{}`, expected is `{}`", other.issuer(), issuer.issuer());
    assert_cause(
        &report,
        &format!("FAILED: token: it is not accepted: unknown key: {issuers}"),
        "take a token of this realm",
    );
    let own = issuer.token().sign(&rsa_key(1).with_kid("foreign"));
    let report = builder(&issuer).build().expect("valid").diagnose().token(&own).await;
    let finding = &report.check("token").expect("was looked at").finding;
    assert_eq!(finding, "it is not accepted: unknown key");
}

#[tokio::test]
async fn an_answer_in_the_place_of_its_token_is_told_from_a_bad_token() {
    let issuer = Issuer::start().await;
    let token = issuer.token().sign(issuer.key());
    let answer = json!({ "access_token": token, "scope": "profile email" });
    for pasted in [answer.to_string(), format!("\"{token}\""), "null".to_owned()] {
        let report = builder(&issuer).build().expect("valid").diagnose().token(&pasted).await;
        assert_cause(
            &report,
            "FAILED: token: it is JSON or in quotes",
            "`jq -r .access_token`",
        );
    }
}

#[tokio::test]
async fn something_in_front_of_keycloak() {
    for (reply, first_line, advice) in [
        (
            Reply::status(302).header("location", "https://login.example.com"),
            "redirects",
            "final address",
        ),
        (Reply::status(407), "wants a login (407)", "let the proxy pass"),
        (Reply::status(502), "does not reach it (502)", "proxy's configuration"),
        (Reply::status(500), "answers with status 500", "log"),
        (
            Reply::status(200).body("<html>Welcome</html>"),
            "is not an OpenID provider's discovery document",
            "`.server_url(…)`",
        ),
    ] {
        let issuer = Issuer::start().await;
        issuer.reply(Issuer::DISCOVERY, reply);
        assert_cause(&diagnose(builder(&issuer)).await, first_line, advice);
    }
}

#[tokio::test]
async fn a_proxy_that_was_set() {
    let (issuer, proxy) = (Issuer::start().await, Proxy::start().await);
    let with_password = |url: &str| url.replace("http://", &format!("http://user:{SECRET}@"));
    let report = diagnose(builder(&issuer).proxy(with_password(proxy.url()))).await;
    assert!(report.cause().is_none() && proxy.requests_to("/certs") == 1, "{report}");
    let named = format!("the proxy `{}` of `.proxy(…)`", proxy.url());
    for check in ["configuration", "dns"] {
        let finding = &report.check(check).expect("was looked at").finding;
        assert!(finding.contains(&named), "{finding}");
    }
    assert!(!report.to_string().contains(SECRET), "{report}");

    let report = diagnose(builder(&issuer).proxy(with_password("http://127.0.0.1:1"))).await;
    assert_cause(
        &report,
        "FAILED: tcp: nothing accepts connections at the proxy `http://127.0.0.1:1` of `.proxy(…)`: ",
        "check `.proxy(…)`",
    );
    let report = diagnose(builder(&issuer).proxy(with_password("http://proxy.invalid:3128"))).await;
    let line = "FAILED: tcp: there is no address for the proxy `http://proxy.invalid:3128` of `.proxy(…)`: ";
    assert_cause(&report, line, "check `.proxy(…)`");
}

#[tokio::test]
async fn the_answer_for_a_client_names_what_is_wrong_with_the_certificate() {
    let authority = Authority::default();
    for (names, from, until, code) in [
        (["127.0.0.1"], 2020, 2021, "cert_expired"),
        (["id.example.com"], 2020, 2099, "hostname_mismatch"),
    ] {
        let issuer = Issuer::with_tls(authority.certificate(&names, from, until)).await;
        let keycloak = builder(&issuer)
            .root_certificates(authority.pem())
            .build()
            .expect("valid");
        let service = crate::setup::service(&keycloak).await;
        let answer = service.get_as("/me", &issuer.valid_token()).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_str()),
            (503, Some(code)),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn http_and_https_mixed_up() {
    let issuer = Issuer::start().await;
    let https = issuer.url().replace("http://", "https://");
    assert_cause(
        &diagnose(builder(&issuer).server_url(&*https)).await,
        "FAILED: tls: TLS does not come about, because Keycloak speaks http there",
        &format!("`.server_url(\"{}\")`", issuer.url()),
    );
    let keycloak = builder(&issuer).server_url(https).build().expect("valid");
    let error = keycloak.ready().await.expect_err("no TLS there").cause().to_string();
    assert!(
        error.ends_with(": it does not speak https there, in most cases it is http: check `server_url`"),
        "{error}"
    );
    let tls = Issuer::with_tls(Authority::default().certificate(&["127.0.0.1"], 2020, 2099)).await;
    let http = tls.url().replace("https://", "http://");
    let advice = format!("`.server_url(\"{}\")`", tls.url());
    let report = diagnose(builder(&tls).server_url(http)).await;
    assert_cause(
        &report,
        "FAILED: tls: Keycloak speaks https there, and not http",
        &advice,
    );
    let report = diagnose(builder(&tls).server_url(answering_plain_text(&tls, REFUSAL).await)).await;
    assert_cause(
        &report,
        "FAILED: tls: Keycloak speaks https there, and not http",
        "`.server_url(\"https://",
    );
}

#[tokio::test]
async fn an_endpoint_that_wants_to_be_left_alone_is_left_alone() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let keycloak = builder(&issuer).client_secret(SECRET).use_introspection(true);
    let keycloak = keycloak.clock(clock.clone()).build().expect("valid");
    for path in [Issuer::TOKEN, Issuer::INTROSPECTION] {
        issuer.reply(path, Reply::status(429).header("retry-after", "40"));
    }
    keycloak.client_credentials().await.expect_err("busy");
    keycloak.authenticate("opaque").await.expect_err("busy");
    let asked = || issuer.requests_to(Issuer::TOKEN) + issuer.requests_to(Issuer::INTROSPECTION);
    assert_eq!(asked(), 2);
    clock.advance(Duration::from_secs(10));
    let report = keycloak.diagnose().await;
    assert_eq!(asked(), 2);
    for check in ["service token", "client"] {
        let check = report.check(check).expect("was looked at");
        assert_eq!(check.status, CheckStatus::Warning, "{report}");
        assert!(check.finding.contains("left alone for 30 s more"), "{report}");
        assert!(check.finding.contains("429"), "{report}");
    }
    clock.advance(Duration::from_secs(30));
    keycloak.diagnose().await;
    assert!(asked() >= 4, "after that they are asked again");
}

/// A bad certificate may be somebody else's, and what speaks http there as well: nobody is advised to do without TLS.
#[tokio::test]
async fn http_is_not_tried_after_a_bad_certificate() {
    let tls = Issuer::with_tls(Authority::default().certificate(&["127.0.0.1"], 2020, 2099)).await;
    let address = answering_plain_text(&tls, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let https = address.replace("http://", "https://");
    assert_cause(
        &diagnose(builder(&tls).server_url(https)).await,
        "FAILED: tls: ",
        "`.root_certificates(…)`",
    );
}

#[tokio::test]
async fn http_is_not_tried_by_a_client_of_the_services_own_or_through_a_proxy() {
    let issuer = Issuer::start().await;
    let proxy = Proxy::start().await;
    let https = builder(&issuer).server_url(issuer.url().replace("http://", "https://"));
    for builder in [
        https.clone().http_client(reqwest::Client::builder().no_proxy()),
        https.proxy(proxy.url()),
    ] {
        let report = diagnose(builder).await;
        let tls = report.check("tls").expect("was looked at");
        assert_eq!(tls.status, CheckStatus::Failed, "{report}");
        assert!(!tls.finding.contains("speaks http"), "{report}");
    }
    assert_eq!(issuer.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn who_accepts_connections_and_says_nothing_takes_no_more_than_his_part_of_a_diagnosis() {
    let issuer = Issuer::start().await;
    // The system accepts what nobody takes.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let silent = builder(&issuer).server_url(format!("https://{address}"));
    let report = diagnose(silent.request_timeout(Duration::from_millis(200))).await;
    let tls = report.check("tls").expect("was looked at");
    assert_eq!(tls.status, CheckStatus::Failed, "{report}");
    assert!(!tls.finding.contains("of a diagnosis"), "{report}");
}

/// How nginx tells who speaks http that it speaks https.
const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

/// The address of a port that speaks TLS as this issuer does, and answers others in plain text.
async fn answering_plain_text(tls: &Issuer, plain: &'static str) -> String {
    const HANDSHAKE: u8 = 22;

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let upstream = tls.url().replace("https://", "");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut first = [0];
            match client.peek(&mut first).await {
                Ok(1) if first == [HANDSHAKE] => {
                    let mut server = TcpStream::connect(&upstream).await.expect("it listens");
                    tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
                }
                // The client may be gone already.
                _ => drop(client.write_all(plain.as_bytes()).await),
            }
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn clocks_that_differ() {
    let issuer = Issuer::start().await;
    let clock = clock();
    // Dates have whole seconds, so the last digit of the difference is open.
    clock.advance(Duration::from_secs(605));
    let report = diagnose(builder(&issuer).clock(clock)).await;
    assert_cause(&report, "FAILED: clock: this clock is 60", "NTP");
}

#[tokio::test]
async fn a_secret_that_is_not_accepted() {
    let issuer = Issuer::start().await;
    let refusal = json!({ "error": "invalid_client" }).to_string();
    issuer.reply(Issuer::INTROSPECTION, Reply::status(401).body(refusal));
    let report = diagnose(builder(&issuer).client_secret(SECRET)).await;
    assert_cause(
        &report,
        "FAILED: client: Keycloak does not accept the client `orders-api`",
        "`.client_secret(…)`",
    );
}

#[tokio::test]
async fn a_token_of_the_services_own() {
    let issuer = Issuer::start().await;
    let answering = async |token: &str| {
        let tokens = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300 });
        issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
        let before = issuer.requests_to(Issuer::TOKEN);
        let report = diagnose(builder(&issuer).client_secret(SECRET)).await;
        // One request finds out whether the realm is enabled, one gets the token.
        assert_eq!(issuer.requests_to(Issuer::TOKEN) - before, 2);
        let grant = issuer.last_request_to(Issuer::TOKEN).expect("asked").form;
        assert!(format!("{grant:?}").contains("client_credentials"), "{grant:?}");
        for page in [report.to_string(), serde_json::to_string(&report).expect("JSON")] {
            assert!(!page.contains(token) && !page.contains(SECRET), "{page}");
        }
        report
    };
    let own = || {
        issuer
            .token()
            .claim("azp", "orders-api")
            .claim("scope", "email orders:read")
    };
    let accepted = answering(&own().claim("aud", json!(["account", "orders-api"])).sign(issuer.key())).await;
    let check = accepted.check("service token").expect("was looked at");
    assert_eq!(
        (check.status, check.finding.as_str()),
        (
            CheckStatus::Ok,
            "a token of this service's own is accepted here; its audience is `account`, `orders-api`, its scopes are `email`, \
             `orders:read`"
        )
    );
    let refused = answering(&own().claim("aud", "account").sign(issuer.key())).await;
    let check = refused.check("service token").expect("was looked at");
    assert_eq!(
        (check.status, check.finding.as_str()),
        (
            CheckStatus::Ok,
            "a token of this service's own is for other services, and not accepted here; its audience is `account`, its scopes \
             are `email`, `orders:read`"
        )
    );
    let foreign = answering(&own().claim("iss", "https://another").sign(issuer.key())).await;
    assert_cause(
        &foreign,
        "warning: service token: a token of this service's own would not be accepted here: claim `iss`",
        "issuer",
    );
    assert!(foreign.is_healthy(), "{foreign}");
    assert!(refused.is_healthy(), "{refused}");
    let bare = answering(&own().without("aud").without("scope").sign(issuer.key())).await;
    let finding = &bare.check("service token").expect("was looked at").finding;
    assert!(
        finding.ends_with("its audience is empty, its scopes are empty"),
        "{finding}"
    );
}

#[tokio::test]
async fn no_token_of_the_services_own() {
    let issuer = Issuer::start().await;
    let skipped = async |builder: KeycloakBuilder| {
        let report = diagnose(builder).await;
        let check = report.check("service token").expect("is named").clone();
        assert_eq!(check.status, CheckStatus::Skipped, "{report}");
        check.finding
    };
    let finding = skipped(builder(&issuer)).await;
    assert!(finding.contains("no `client_secret`"), "{finding}");
    let refusal = |error: &str, description: &str| {
        let body = json!({ "error": error, "error_description": description });
        Reply::status(401).body(body.to_string())
    };
    for (reply, expected) in [
        (
            refusal("unauthorized_client", "Client not enabled to retrieve service account"),
            "`orders-api` has no service account",
        ),
        (
            refusal("unauthorized_client", "Invalid client or Invalid client credentials"),
            "the check `client` says why",
        ),
        (refusal("invalid_scope", "Invalid scopes"), "no token: `invalid_scope`"),
    ] {
        issuer.reply(Issuer::TOKEN, reply);
        let finding = skipped(builder(&issuer).client_secret(SECRET)).await;
        assert!(finding.contains(expected), "expected `{expected}` in `{finding}`");
    }
    for (reply, expected) in [
        (Reply::status(503), "answered with status 503"),
        (Reply::status(200).body("{}"), "did not answer as a token endpoint does"),
    ] {
        issuer.reply(Issuer::TOKEN, reply);
        let report = diagnose(builder(&issuer).client_secret(SECRET)).await;
        assert_cause(
            &report,
            "warning: service token: no token of this service's own can be had: ",
            "`token_endpoint`",
        );
        assert!(report.to_string().contains(expected), "{report}");
    }
}

/// What fails for want of something above is not looked at, so that nobody looks for a second cause.
#[tokio::test]
async fn one_cause_is_one_failure() {
    let failing = async |builder: KeycloakBuilder, issuer: &Issuer, cause: &str| {
        let keycloak = builder.client_secret(SECRET).build().expect("valid");
        let report = keycloak.diagnose().token(&issuer.valid_token()).await;
        let failed = report
            .checks
            .iter()
            .filter(|check| check.status > CheckStatus::Ok)
            .map(|check| check.name);
        assert_eq!(failed.collect::<Vec<_>>(), [cause], "{report}");
        report
    };
    let assert_skipped = |report: &DiagnosticReport, name: &str, reason: &str| {
        let check = report.check(name).expect("is named");
        assert_eq!(check.status, CheckStatus::Skipped, "{name}: {report}");
        assert!(
            check.finding.contains(reason),
            "{name}: expected `{reason}` in\n{report}"
        );
    };
    let has_failed_above = "what failed above has to be right first";

    let issuer = Issuer::start().await;
    for (server_url, cause) in [("http://127.0.0.1:1", "tcp"), ("https://nowhere.invalid", "dns")] {
        let report = failing(builder(&issuer).server_url(server_url), &issuer, cause).await;
        assert_skipped(&report, "client", "Keycloak has to be reached first");
        assert_skipped(&report, "token", has_failed_above);
    }

    let report = failing(builder(&issuer).realm("Acme"), &issuer, "discovery").await;
    assert_skipped(&report, "key set", "the discovery document has to be right first");
    for name in ["service token", "client", "token"] {
        assert_skipped(&report, name, has_failed_above);
    }

    without_service_account(&issuer);
    issuer.reply(Issuer::JWKS, Reply::status(500));
    let report = failing(builder(&issuer), &issuer, "key set").await;
    assert_skipped(&report, "token", has_failed_above);
    assert_eq!(report.check("client").expect("was looked at").status, CheckStatus::Ok);

    let issuer = Issuer::start().await;
    let disabled = json!({ "error": "access_denied", "error_description": "Realm not enabled" });
    for path in [Issuer::TOKEN, Issuer::INTROSPECTION] {
        issuer.reply(path, Reply::status(403).body(disabled.to_string()));
    }
    let report = failing(builder(&issuer), &issuer, "discovery").await;
    for name in ["service token", "client"] {
        assert_skipped(&report, name, has_failed_above);
    }

    // A token that is bad whatever Keycloak says has a cause of its own.
    let report = unreachable().diagnose().token("e30.e30.e30").await;
    assert_eq!(
        report.check("token").expect("was looked at").status,
        CheckStatus::Failed
    );
}

#[tokio::test]
async fn keys_of_another_kind() {
    let issuer = Issuer::start().await;
    let report = diagnose(builder(&issuer).algorithms([Algorithm::ES256])).await;
    assert_cause(
        &report,
        "FAILED: key set: no key is for `ES256`, the keys are for `RS256`",
        "set `.algorithms(…)` to what the keys are for: `RS256`",
    );
    let encryption = json!({ "kty": "oct", "kid": "k", "k": "AAAA" });
    issuer.publish_jwks(vec![rsa_key(0).jwk(), encryption]);
    let report = diagnose(builder(&issuer)).await;
    let finding = &report.check("key set").expect("was looked at").finding;
    assert!(finding.contains("1 usable key (left out: key `k`"), "{finding}");
}

#[tokio::test]
async fn a_token_that_is_refused() {
    let issuer = Issuer::start().await;
    let keycloak: Keycloak = builder(&issuer).build().expect("valid");
    let accepted = keycloak.diagnose().token(&issuer.valid_token()).await;
    assert_eq!(
        accepted.check("token").expect("was looked at").finding,
        "it is accepted, as that of `alice`"
    );
    let check = accepted.check("token").expect("was looked at");
    let details: Vec<&str> = check.details.iter().map(String::as_str).collect();
    let of = format!("client `orders-web`, issuer `{}`", issuer.issuer());
    assert_eq!(
        details,
        [
            &*of,
            "realm roles: `default-roles-acme`, `offline_access`, `admin`, `uma_authorization`",
            "roles of `account`: `manage-account`, `manage-account-links`, `view-profile`",
            "groups: `/ops`",
            "scopes: `profile`, `email`"
        ]
    );
    let many = (0..25).map(|number| format!("role-{number}")).collect::<Vec<_>>();
    let token = issuer
        .token()
        .claim("realm_access", json!({ "roles": many }))
        .without("azp")
        .without("groups");
    let report = keycloak.diagnose().token(&token.sign(issuer.key())).await;
    let page = report.to_string();
    assert!(page.contains("`role-19` and 5 more"), "{page}");
    assert!(
        page.contains("client none, issuer ") && page.contains("groups: none"),
        "{page}"
    );
    let token = issuer.token().without("aud").sign(issuer.key());
    let report = keycloak.diagnose().token(&token).await;
    assert_cause(
        &report,
        "FAILED: token: it is not accepted: claim `aud` is missing",
        "audience mapper for `orders-api`",
    );
    assert!(!report.to_string().contains(&token), "{report}");
}

#[tokio::test]
async fn a_lightweight_token_that_nobody_asks_about_deserves_a_look() {
    let issuer = Issuer::start().await;
    let light = issuer.token().without("realm_access").claim("jti", "onltro:66384c88");
    let token = light.sign(issuer.key());
    let diagnose = async |builder: KeycloakBuilder| builder.build().expect("valid").diagnose().token(&token).await;
    let report = diagnose(builder(&issuer)).await;
    assert_cause(
        &report,
        "warning: token: it is accepted, as that of `alice`, and is a lightweight token",
        "`.introspection(Introspection::WhenLightweight)`",
    );
    assert!(report.is_healthy(), "{report}");
    crate::introspection::answer_for(&issuer, &token, |_| {});
    let asking = builder(&issuer).client_secret(SECRET);
    let report = diagnose(asking.introspection(Introspection::WhenLightweight)).await;
    assert_eq!(
        report.check("token").expect("was looked at").status,
        CheckStatus::Ok,
        "{report}"
    );
}

#[tokio::test]
async fn a_token_of_the_services_own_is_inactive_towards_a_service_that_it_is_not_for() {
    let issuer = Issuer::start().await;
    let own = issuer.token().claim("aud", "account").claim("azp", "orders-api");
    let tokens = json!({ "access_token": own.sign(issuer.key()), "token_type": "Bearer", "expires_in": 300 });
    issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&json!({ "active": false })));
    let report = diagnose(
        builder(&issuer)
            .client_secret(SECRET)
            .introspection(Introspection::Always),
    )
    .await;
    let check = report.check("service token").expect("was looked at");
    assert_eq!(check.status, CheckStatus::Ok, "{report}");
    assert!(
        check.finding.contains(
            "Keycloak calls it inactive towards `orders-api`, which is not in its audience; its audience is `account`"
        ),
        "{report}"
    );
}

#[tokio::test]
async fn a_diagnosis_takes_no_longer_than_ten_seconds_and_spoils_nothing() {
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::JWKS,
        issuer.usual(Issuer::JWKS).after(Duration::from_secs(3600)),
    );
    let keycloak = builder(&issuer)
        .request_timeout(Duration::from_secs(60))
        .build()
        .expect("valid");
    let report = tokio::time::timeout(Duration::from_secs(10), keycloak.diagnose())
        .await
        .expect("in time");
    assert_cause(&report, "FAILED: key set: no answer within the 9 s", "overloaded");
    issuer.reply_as_usual(Issuer::JWKS);
    assert!(keycloak.authenticate(&issuer.valid_token()).await.is_ok());
}

#[tokio::test]
async fn whatever_hangs_a_diagnosis_ends_and_says_at_which_step() {
    const TOKEN_ENDPOINT: &str = "/realms/acme/protocol/openid-connect/token";

    let hanging = async |path: &str| {
        let issuer = Issuer::start().await;
        issuer.reply(path, Reply::status(200).after(Duration::from_secs(3600)));
        let settings = builder(&issuer).client_secret(SECRET);
        let keycloak = settings
            .request_timeout(Duration::from_secs(60))
            .build()
            .expect("valid");
        let report = tokio::time::timeout(Duration::from_secs(10), keycloak.diagnose()).await;
        report.expect("in time")
    };
    let (discovery, keys, client, token) = tokio::join!(
        hanging(Issuer::DISCOVERY),
        hanging(Issuer::JWKS),
        hanging(Issuer::INTROSPECTION),
        hanging(TOKEN_ENDPOINT),
    );
    for (report, step) in [
        (discovery, "tls"),
        (keys, "key set"),
        (client, "client"),
        (token, "service token"),
    ] {
        let line = format!("FAILED: {step}: no answer within the 9 s");
        assert_cause(&report, &line, "overloaded");
        let failed = report.checks.iter().filter(|check| check.status == CheckStatus::Failed);
        assert_eq!(failed.count(), 1, "the others are not to blame: {report}");
    }
}

#[tokio::test]
async fn whatever_is_answered_a_diagnosis_ends_and_keeps_the_secrets() {
    let issuer = Issuer::start().await;
    let token = issuer.valid_token();
    let echo = format!("{SECRET} {token}");
    let bodies = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "\u{0}\u{feff}".to_owned(),
        "[".repeat(100_000),
        json!({ "issuer": 1, "jwks_uri": [], "keys": {}, "error": {}, "access_token": null, "active": "yes" })
            .to_string(),
        json!({ "issuer": issuer.issuer(), "jwks_uri": "::", "keys": [1, null, { "kty": "RSA" }], "active": 1 })
            .to_string(),
        json!({ "access_token": "..", "token_type": "Bearer", "error_description": echo }).to_string(),
        json!({ "error": "invalid_client", "error_description": echo }).to_string(),
        echo,
    ];
    for path in [Issuer::DISCOVERY, Issuer::JWKS, Issuer::TOKEN, Issuer::INTROSPECTION] {
        for body in &bodies {
            for status in [200, 400, 500] {
                issuer.reply(path, Reply::status(status).body(body.clone()));
                let keycloak = builder(&issuer).client_secret(SECRET).build().expect("valid");
                let report = keycloak.diagnose().token(&token).await;
                assert_eq!(report.checks.len(), 10, "{report}");
                for page in [report.to_string(), format!("{report:?}"), json!(report).to_string()] {
                    assert!(!page.contains(SECRET) && !page.contains(&token), "{page}");
                }
            }
        }
        issuer.reply_as_usual(path);
    }
}

#[tokio::test]
async fn a_token_that_is_anything_at_all() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let huge = "e30.".repeat(100_000);
    for token in [
        "",
        ".",
        "..",
        "...",
        "e30.e30.",
        "\u{0}",
        "ä.ö.ü",
        "Bearer x",
        "e30.e30.e30",
        &huge,
    ] {
        let report = keycloak.diagnose().token(token).await;
        assert_cause(&report, "FAILED: token: ", "");
    }
}

#[tokio::test]
async fn settings_that_deserve_a_second_look_are_all_named() {
    let keycloak = Keycloak::builder().server_url("http://nowhere.invalid").realm("acme");
    let report = diagnose(keycloak.client_id("orders-api").without_audience_check()).await;
    let check = report.check("configuration").expect("was looked at");
    assert_eq!(check.status, CheckStatus::Warning, "{report}");
    for part in ["reached by http", "the audience is not checked"] {
        assert!(check.finding.contains(part), "{report}");
    }
    let advice = check.advice.as_deref().unwrap_or_default();
    assert!(
        advice.contains("use https") && advice.contains("`.audience(…)`"),
        "{report}"
    );
}

#[tokio::test]
async fn what_introspection_needs_is_looked_at_and_keys_where_they_are_needed() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::INTROSPECTION, Reply::status(404));
    issuer.reply(Issuer::JWKS, Reply::status(404));
    let confidential = || builder(&issuer).client_secret(SECRET);
    let keys = KeySet::parse(json!({ "keys": [rsa_key(0).jwk()] }).to_string()).expect("a key set");
    for settings in [
        confidential().introspection(Introspection::WhenOpaque).key_set(keys),
        confidential().introspection(Introspection::Always),
    ] {
        let report = diagnose(settings).await;
        let line = "FAILED: client: the introspection endpoint answers with status 404";
        assert_cause(&report, line, "log");
        assert!(
            report
                .check("key set")
                .is_some_and(|check| check.status < CheckStatus::Warning),
            "{report}"
        );
    }
}

#[tokio::test]
async fn after_its_end_a_keycloak_says_so() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    keycloak.close().await;
    assert_cause(
        &keycloak.diagnose().await,
        "FAILED: configuration: this `Keycloak` was closed",
        "`close()`",
    );
    assert!(issuer.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_accepts_connections_and_never_answers() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::DISCOVERY, Reply::status(200).after(Duration::from_secs(3600)));
    let report = diagnose(builder(&issuer).request_timeout(Duration::from_secs(1))).await;
    assert_cause(
        &report,
        "FAILED: tls: no complete answer from Keycloak within 1 s",
        "overloaded",
    );
}

#[test]
fn without_a_runtime_a_diagnosis_says_so() {
    let keycloak = unreachable();
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(report) = keycloak.diagnose().into_future().as_mut().poll(&mut context) else {
        panic!("there is nobody to wake it");
    };
    assert_cause(
        &report,
        "FAILED: configuration: there is no tokio runtime",
        "`#[tokio::main]`",
    );
}

#[keycloak(realm_roles = "admin")]
async fn full_report(State(keycloak): State<Keycloak>) -> DiagnosticReport {
    keycloak.recent_diagnosis().await
}

#[tokio::test]
async fn the_full_report_is_served_behind_a_policy_only() {
    let issuer = Issuer::start().await;
    without_service_account(&issuer);
    let keycloak = builder(&issuer).client_secret(SECRET).build().expect("valid");
    let probes = Router::new().nest("/health", keycloak.health_router());
    let routes = SecureRouter::<Keycloak>::new()
        .route("/health/keycloak", get(full_report))
        .merge_public(probes)
        .secure_from_state();
    let service = Service::start(routes.with_state(keycloak)).await;
    let anonymous = service.get("/health/keycloak").send().await;
    assert_eq!(anonymous.status, 401, "{anonymous:?}");
    let roles = |names: &[&str]| {
        let token = issuer.token().claim("realm_access", json!({ "roles": names }));
        token.sign(issuer.key())
    };
    let user = service.get_as("/health/keycloak", &roles(&["user"])).await;
    assert_eq!(user.status, 403, "{user:?}");
    for refusal in [&anonymous, &user] {
        assert!(!refusal.text().contains("checks"), "{refusal:?}");
    }
    assert_eq!(
        issuer.requests_to(Issuer::DISCOVERY),
        1,
        "for the keys: refused callers start no diagnosis"
    );
    let token = roles(&["admin"]);
    let admin = service.get_as("/health/keycloak", &token).await;
    assert_eq!(admin.status, 200, "{admin:?}");
    let report = admin.json();
    assert_eq!(
        (&report["status"], &report["client_id"]),
        (&json!("ok"), &json!("orders-api"))
    );
    let checks = report["checks"].as_array().expect("checks");
    assert!(
        checks
            .iter()
            .any(|check| check["name"] == "discovery" && check["status"] == "ok")
    );
    let page = admin.text();
    assert!(!page.contains(SECRET) && !page.contains(&token), "{page}");
    let live = service.get("/health/live").send().await;
    assert_eq!((live.status, live.json()), (200, json!({ "status": "live" })));
}

#[tokio::test]
async fn however_many_ask_and_hang_up_keycloak_is_asked_every_5_seconds_at_most() {
    let issuer = Issuer::start().await;
    let discovery = issuer.usual(Issuer::DISCOVERY);
    issuer.reply(Issuer::DISCOVERY, discovery.after(Duration::from_secs(3600)));
    let routes = SecureRouter::<Keycloak>::new()
        .route("/diagnosis", get(everybodys_report))
        .secure_from_state();
    let service = Service::start(routes.with_state(builder(&issuer).build().expect("valid"))).await;
    let ask = || service.get("/diagnosis").send();
    for _ in 0..10 {
        let hung_up = tokio::time::timeout(Duration::from_millis(100), ask()).await;
        assert!(hung_up.is_err());
    }
    issuer.reply_as_usual(Issuer::DISCOVERY);
    let asking: JoinSet<Answer> = (0..20).map(|_| ask()).collect();
    for answer in asking.join_all().await {
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (200, &json!("ok")),
            "{answer:?}"
        );
        assert_eq!(answer.header(CACHE_CONTROL), Some("no-store"));
    }
    // One of the first who hung up; and of that for all others one, and one more for the endpoints.
    assert_eq!(
        (issuer.requests_to(Issuer::DISCOVERY), issuer.requests_to(Issuer::JWKS)),
        (3, 1)
    );

    issuer.reply(Issuer::DISCOVERY, Reply::status(404));
    assert_eq!(ask().await.status, 200, "as it was found");
    let mut answer = ask().await;
    while answer.status == 200 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer = ask().await;
    }
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (503, &json!("failed")),
        "{answer:?}"
    );
}

#[keycloak(public)]
async fn everybodys_report(State(keycloak): State<Keycloak>) -> DiagnosticReport {
    keycloak.recent_diagnosis().await
}

#[tokio::test]
async fn readiness_comes_without_a_request_and_outlasts_an_outage() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::JWKS, Reply::status(503));
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let service = Service::start(Router::new().nest("/health", keycloak.health_router())).await;
    let ready = async || service.get("/health/ready").send().await;
    assert_eq!(
        (ready().await.status, ready().await.json()),
        (503, json!({ "status": "not ready" }))
    );
    eventually("a failure", async || keycloak.last_provider_error().is_some()).await;
    assert_eq!(service.get("/health/live").send().await.status, 200);
    issuer.reply_as_usual(Issuer::JWKS);
    clock.advance(Duration::from_secs(60));
    eventually("readiness", async || ready().await.status == 200).await;
    issuer.reply(Issuer::JWKS, Reply::status(503));
    clock.advance(Duration::from_secs(3600));
    let before = issuer.requests().len();
    for _ in 0..20 {
        assert_eq!(ready().await.status, 200, "the keys at hand serve on");
    }
    assert!(
        issuer.requests().len() - before <= 2,
        "a probe asks nobody: {:?}",
        issuer.requests()
    );
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        while !condition().await {
            ticks.tick().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), asking).await;
    assert!(in_time.is_ok(), "waited in vain: {what}");
}
