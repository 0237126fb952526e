//! What a diagnosis says of the certificates that a server sends, accepted or not.

use std::sync::Arc;

use keycloak_auth::{CheckStatus, DiagnosticCheck, DiagnosticReport};
use keycloak_auth_tests::{Authority, Issuer};
use rustls::ServerConfig;

use super::{assert_cause, diagnose};
use crate::setup::builder;

const HOST: &str = "127.0.0.1";

/// The report on a server with these certificates, where `root` is trusted.
async fn trusting(root: &Authority, server: Arc<ServerConfig>) -> DiagnosticReport {
    let issuer = Issuer::with_tls(server).await;
    let report = diagnose(builder(&issuer).root_certificates(root.pem())).await;
    let failed = report.status == CheckStatus::Failed;
    assert_eq!(
        issuer.requests().is_empty(),
        failed,
        "who is not trusted is asked nothing: {report}"
    );
    report
}

#[track_caller]
fn tls(report: &DiagnosticReport) -> &DiagnosticCheck {
    report.check("tls").expect("was looked at")
}

/// The lines about certificates, each up to its dates.
#[track_caller]
fn assert_lines(report: &DiagnosticReport, expected: &[&str]) {
    let details = &tls(report).details;
    assert_eq!(details.len(), expected.len(), "{report}");
    for (line, expected) in details.iter().zip(expected) {
        assert!(line.starts_with(expected), "expected `{expected}` in `{line}`");
    }
    let (page, json) = (report.to_string(), serde_json::to_value(report).expect("JSON"));
    assert!(details.iter().all(|line| page.contains(line)), "{page}");
    let shown = json["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["name"] == "tls");
    assert_eq!(shown.expect("tls")["details"], serde_json::json!(details));
}

#[tokio::test]
async fn a_whole_chain() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2020, 2090);
    let report = trusting(&root, between.certificate(&[HOST, "id.example.com"], 2020, 2099)).await;
    assert!(report.is_healthy() && report.cause().is_none(), "{report}");
    let finding = &tls(&report).finding;
    let begins =
        "TLSv1.3; the certificate is for `127.0.0.1`, `id.example.com`, from `CN=Acme Intermediate`, and ends in ";
    assert!(finding.starts_with(begins) && finding.ends_with(" days"), "{finding}");
    assert_lines(
        &report,
        &[
            "1. `CN=Keycloak` from `CN=Acme Intermediate`, ends in ",
            "2. `CN=Acme Intermediate` from `CN=Acme Root`, ends in ",
        ],
    );
}

#[tokio::test]
async fn the_version_of_http_is_named_where_it_was_agreed_on() {
    let root = Authority::default();
    let mut server = Arc::unwrap_or_clone(root.certificate(&[HOST], 2020, 2099));
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let report = trusting(&root, Arc::new(server)).await;
    assert!(
        tls(&report).finding.starts_with("TLSv1.3, HTTP/1.1; the certificate"),
        "{report}"
    );
}

#[tokio::test]
async fn a_root_that_is_sent_along_does_no_harm() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2020, 2090).sending_also(&root);
    let report = trusting(&root, between.certificate(&[HOST], 2020, 2099)).await;
    assert!(report.cause().is_none(), "{report}");
    assert!(
        tls(&report).details[2].starts_with("3. `CN=Acme Root`, self-signed, ends in "),
        "{report}"
    );
}

#[tokio::test]
async fn certificates_that_do_not_belong_together() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2020, 2090);
    let between = between.sending(&[&root.intermediate("Another", 2020, 2090), &root]);
    let report = trusting(&root, between.certificate(&[HOST], 2020, 2099)).await;
    assert_cause(
        &report,
        "FAILED: tls: the certificates that the server sends do not belong together: that of `CN=Acme Intermediate`, which \
         issued its own, is missing",
        "its own certificate and then the intermediate ones",
    );
    assert_lines(
        &report,
        &[
            "1. `CN=Keycloak` from `CN=Acme Intermediate`, ends in ",
            "2. `CN=Another` from `CN=Acme Root`, ends in ",
            "3. `CN=Acme Root` from `CN=Acme Root`, ends in ",
        ],
    );
}

#[tokio::test]
async fn a_missing_intermediate() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2020, 2090).sending(&[]);
    let report = trusting(&root, between.certificate(&[HOST], 2020, 2099)).await;
    assert_cause(
        &report,
        "FAILED: tls: the server sends only its own certificate: that of `CN=Acme Intermediate`, which issued it, is missing, \
         and it is none of those that are trusted here",
        "`https-certificate-file`",
    );
    assert_lines(&report, &["1. `CN=Keycloak` from `CN=Acme Intermediate`, ends in "]);

    let at = between.at("http://pki.example.com/acme.cer");
    let report = trusting(&root, at.certificate(&[HOST], 2020, 2099)).await;
    assert_cause(
        &report,
        "the server sends only its own certificate",
        "(to be had at `http://pki.example.com/acme.cer`)",
    );
}

#[tokio::test]
async fn a_missing_intermediate_further_up() {
    let root = Authority::default();
    let upper = root.intermediate("Acme Upper", 2020, 2090);
    let lower = upper.intermediate("Acme Lower", 2020, 2090);
    let server = lower.certificate(&[HOST], 2020, 2099);
    assert!(trusting(&root, server).await.is_healthy());
    let lower = upper.sending(&[]).intermediate("Acme Lower", 2020, 2090);
    let report = trusting(&root, lower.certificate(&[HOST], 2020, 2099)).await;
    assert_cause(
        &report,
        "FAILED: tls: the chain that the server sends ends too early: that of `CN=Acme Upper` is missing",
        "the intermediate ones",
    );
}

#[tokio::test]
async fn an_expired_intermediate() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2020, 2021);
    let report = trusting(&root, between.certificate(&[HOST], 2020, 2099)).await;
    assert_cause(
        &report,
        "FAILED: tls: the intermediate certificate `CN=Acme Intermediate`, which the server sends, has expired, ",
        "get the current one from the authority",
    );
    assert_lines(
        &report,
        &[
            "1. `CN=Keycloak` from `CN=Acme Intermediate`, ends in ",
            "2. `CN=Acme Intermediate` from `CN=Acme Root`, has expired, ",
        ],
    );
}

#[tokio::test]
async fn an_intermediate_that_is_not_valid_yet() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2090, 2099);
    assert_cause(
        &trusting(&root, between.certificate(&[HOST], 2020, 2099)).await,
        "FAILED: tls: the intermediate certificate `CN=Acme Intermediate`, which the server sends, is not valid yet, but in ",
        "clock",
    );
}

#[tokio::test]
async fn another_host() {
    let root = Authority::default();
    assert_cause(
        &trusting(
            &root,
            root.certificate(&["id.example.com", "::1", "10.0.0.1"], 2020, 2099),
        )
        .await,
        "FAILED: tls: the certificate is not for `127.0.0.1`, but for `id.example.com`, `::1`, `10.0.0.1`",
        "`server_url`",
    );
    let many: Vec<String> = (0..20).map(|number| format!("host-{number}.example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_cause(
        &trusting(&root, root.certificate(&many, 2020, 2099)).await,
        "`host-7.example.com` and 12 more",
        "`server_url`",
    );
    assert_cause(
        &trusting(&root, root.certificate(&[], 2020, 2099)).await,
        "the certificate is not for `127.0.0.1`, nor for any other: it names no host",
        "subject alternative name",
    );
}

#[tokio::test]
async fn an_unknown_authority() {
    let (root, foreign) = (Authority::default(), Authority::root("Foreign Root"));
    assert_cause(
        &trusting(&root, foreign.certificate(&[HOST], 2020, 2099)).await,
        "FAILED: tls: the server sends only its own certificate: that of `CN=Foreign Root`, which issued it, is missing, and it \
         is none of those that are trusted here",
        "add the authority's certificate by `.root_certificates(…)`",
    );
    // The root is sent along, and known by it.
    let between = foreign.intermediate("Foreign Intermediate", 2020, 2090);
    let report = trusting(&root, between.sending_also(&foreign).certificate(&[HOST], 2020, 2099)).await;
    assert_cause(
        &report,
        "FAILED: tls: the certificate of `127.0.0.1` comes from `CN=Foreign Root`, an authority that is not trusted here",
        "if the authority is yours, add",
    );
    assert_lines(
        &report,
        &[
            "1. `CN=Keycloak` from `CN=Foreign Intermediate`, ends in ",
            "2. `CN=Foreign Intermediate` from `CN=Foreign Root`, ends in ",
            "3. `CN=Foreign Root`, self-signed, ends in ",
        ],
    );
}

#[tokio::test]
async fn an_authority_that_has_the_name_of_a_trusted_one() {
    let (root, impostor) = (Authority::default(), Authority::default());
    assert_cause(
        &trusting(&root, impostor.certificate(&[HOST], 2020, 2099)).await,
        "FAILED: tls: the certificate of `127.0.0.1` comes from an authority that is named `CN=Acme Root` like one that is trusted \
         here, and has another key",
        "made anew",
    );
}

#[tokio::test]
async fn an_expired_certificate() {
    let root = Authority::default();
    let report = trusting(&root, root.certificate(&[HOST], 2020, 2021)).await;
    assert_cause(
        &report,
        "FAILED: tls: the certificate of `127.0.0.1` has expired, ",
        "renew it",
    );
    assert_lines(&report, &["1. `CN=Keycloak` from `CN=Acme Root`, has expired, "]);
    assert_cause(
        &trusting(&root, root.certificate(&[HOST], 2090, 2099)).await,
        "FAILED: tls: the certificate of `127.0.0.1` is not valid yet, but in ",
        "clock",
    );
}

#[tokio::test]
async fn a_certificate_of_an_authority_in_a_servers_place() {
    let root = Authority::default();
    assert_cause(
        &trusting(&root, root.itself()).await,
        "FAILED: tls: the certificate of `127.0.0.1` is one of an authority, which no server may have",
        "issue one for the server",
    );
}

#[tokio::test]
async fn certificates_that_are_not_checked_are_looked_at_all_the_same() {
    let root = Authority::default();
    let issuer = Issuer::with_tls(root.certificate(&["id.example.com"], 2020, 2099)).await;
    let trusting = builder(&issuer).danger_accept_invalid_certs(true);
    let report = diagnose(trusting.root_certificates(root.pem())).await;
    assert_cause(
        &report,
        "warning: configuration: certificates are not checked",
        "remove",
    );
    let check = tls(&report);
    assert_eq!(
        (check.status, check.finding.as_str()),
        (
            CheckStatus::Warning,
            "not checked, and would not pass: the certificate is not for `127.0.0.1`, but for `id.example.com`"
        )
    );
}

#[tokio::test]
async fn an_http_client_of_ones_own_shows_the_servers_certificate_only() {
    let root = Authority::default();
    let between = root.intermediate("Acme Intermediate", 2020, 2090);
    let issuer = Issuer::with_tls(between.certificate(&[HOST], 2020, 2099)).await;
    let root = reqwest::Certificate::from_pem(root.pem().as_bytes()).expect("PEM");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_info(true)
        .add_root_certificate(root);
    let report = diagnose(builder(&issuer).http_client(client)).await;
    let finding = &tls(&report).finding;
    assert!(
        finding.starts_with("TLSv1.3; the certificate is for `127.0.0.1`, from `CN=Acme Intermediate`"),
        "{report}"
    );
    assert!(tls(&report).details.is_empty(), "{report}");
}
