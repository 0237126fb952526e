//! Names that lead nowhere, certificates that are not right, handshakes that do not end.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use keycloak_auth::{AuthError, ClientAuthentication, ProviderError};
use keycloak_auth_tests::{Authority, Gateway, Issuer, Logs, Reply, claims_of};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::json;

use super::{LONGEST, assert_said, assert_unavailable, eventually, warnings};
use crate::setup::{builder, clock, lasting, service};

const NO_KEYS: &str = "cannot fetch Keycloak's keys, there are no keys yet: ";

const MESSAGE: &str = "the token cannot be checked at the moment";

#[tokio::test]
async fn row_35_certificates_that_are_not_right() {
    let authority = Authority::default();
    let good = || authority.certificate(&["127.0.0.1"], 2020, 2099);
    for (what, bad, code) in [
        (
            "expired",
            authority.certificate(&["127.0.0.1"], 2020, 2021),
            "cert_expired",
        ),
        (
            "not valid yet",
            authority.certificate(&["127.0.0.1"], 2090, 2099),
            "cert_untrusted",
        ),
        (
            "another host",
            authority.certificate(&["id.example.com"], 2020, 2099),
            "hostname_mismatch",
        ),
        (
            "an authority that has expired",
            authority
                .intermediate("Acme Expired", 2020, 2021)
                .certificate(&["127.0.0.1"], 2020, 2099),
            "cert_expired",
        ),
        (
            "another authority",
            Authority::default().certificate(&["127.0.0.1"], 2020, 2099),
            "cert_untrusted",
        ),
    ] {
        let logs = Logs::capture();
        let issuer = Issuer::with_tls(Arc::clone(&bad)).await;
        for path in [Issuer::DISCOVERY, Issuer::JWKS] {
            // A certificate is looked at once for each connection.
            issuer.reply(path, issuer.usual(path).header("connection", "close"));
        }
        let clock = clock();
        let keycloak = builder(&issuer)
            .root_certificates(authority.pem())
            .clock(clock.clone())
            .build()
            .expect("valid");
        let service = service(&keycloak).await;
        let token = lasting(&issuer, Duration::from_secs(86_400));
        let known = token.sign(issuer.key());
        for _ in 0..3 {
            assert_unavailable(&service.get_as("/me", &known).await, code, MESSAGE);
        }
        assert!(issuer.requests().is_empty(), "{what}: {:?}", issuer.requests());
        issuer.show_certificate(good());
        clock.advance(Duration::from_secs(1));
        assert_eq!(service.get_as("/me", &known).await.text(), "alice", "{what}");

        issuer.show_certificate(bad);
        clock.advance(Duration::from_secs(300));
        assert_eq!(service.get_as("/me", &known).await.text(), "alice", "{what}");
        eventually("the outage is noticed", || keycloak.last_provider_error().is_some()).await;
        let unseen = token.claim("jti", "unseen").sign(issuer.key());
        assert_eq!(service.get_as("/me", &unseen).await.text(), "alice", "{what}");
        assert_said(
            &warnings(&logs),
            &[
                "cannot fetch Keycloak's keys, there are no keys yet: cannot reach ",
                "cannot fetch Keycloak's keys, the last good keys stay in use: cannot reach ",
            ],
        );
    }
}

#[tokio::test]
async fn row_35_a_handshake_that_does_not_end() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let gateway = Gateway::to(&issuer).await;
    let keycloak = builder(&issuer)
        .server_url(gateway.url().replace("http://", "https://"))
        .connect_timeout(Duration::from_millis(500))
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    let token = issuer.token().claim("iss", keycloak.issuer()).sign(issuer.key());
    let began = Instant::now();
    assert_unavailable(
        &service.get_as("/me", &token).await,
        "keycloak_connection_error",
        MESSAGE,
    );
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    assert_eq!(gateway.connections(), 1);
    assert_said(&warnings(&logs), &[NO_KEYS]);
}

/// With the settings as they come: nobody waits longer than 5 s.
#[tokio::test]
async fn row_35_a_cold_start_answers_within_5_s() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let gateway = Gateway::to(&issuer).await;
    gateway.inject(Issuer::JWKS, keycloak_auth_tests::Fault::SlowBody);
    let keycloak = builder(&issuer)
        .server_url(gateway.url())
        .issuer(issuer.issuer())
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    let began = Instant::now();
    let answer = service.get_as("/me", &issuer.valid_token()).await;
    let took = began.elapsed();
    assert_unavailable(&answer, "keycloak_connection_error", MESSAGE);
    assert!(took > Duration::from_secs(4) && took < LONGEST, "{took:?}");
    assert_eq!(gateway.requests_to(Issuer::JWKS), 1);
    // The attempt ends a little after those who wait for it.
    eventually("the attempt ends", || keycloak.last_provider_error().is_some()).await;
    assert_said(&warnings(&logs), &[NO_KEYS]);
}

#[tokio::test]
async fn row_35_a_name_that_is_not_known() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let resolver = Arc::new(Resolver {
        works: AtomicBool::new(false),
        address: issuer.address(),
    });
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .dns_resolver(Arc::clone(&resolver));
    let keycloak = builder(&issuer)
        .server_url(format!("http://keycloak.test:{}", issuer.address().port()))
        .issuer(issuer.issuer())
        .http_client(client)
        .clock(clock.clone())
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    let token = lasting(&issuer, Duration::from_secs(86_400)).sign(issuer.key());
    assert_unavailable(
        &service.get_as("/me", &token).await,
        "keycloak_connection_error",
        MESSAGE,
    );
    resolver.works.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    resolver.works.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(300));
    assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    eventually("the outage is noticed", || keycloak.last_provider_error().is_some()).await;
    assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    let warned = warnings(&logs);
    assert_eq!(warned.len(), 2, "{warned:#?}");
    assert!(warned.iter().all(|line| line.contains("no such name")), "{warned:#?}");
    assert_eq!(
        issuer.requests(),
        [Issuer::DISCOVERY, Issuer::JWKS],
        "once, while the name was known"
    );
}

struct Resolver {
    works: AtomicBool,
    address: SocketAddr,
}

impl Resolve for Resolver {
    fn resolve(&self, _: Name) -> Resolving {
        let found = self.works.load(Ordering::SeqCst).then_some(self.address);
        Box::pin(async move {
            let address = found.ok_or("no such name")?;
            Ok(Box::new(std::iter::once(address)) as Addrs)
        })
    }
}

#[tokio::test]
async fn row_33_an_own_client_follows_no_redirect_either() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    let token = issuer.valid_token();
    let mut claims = claims_of(&token);
    claims["active"] = json!(true);
    other.reply(Issuer::INTROSPECTION, Reply::json(&claims));
    let tokens = json!({ "access_token": "canary", "token_type": "Bearer", "expires_in": 300 });
    other.reply(Issuer::TOKEN, Reply::json(&tokens));
    let is_redirect = |cause: &ProviderError| matches!(cause, ProviderError::Status { status: 307, .. });
    for path in [Issuer::DISCOVERY, Issuer::JWKS, Issuer::INTROSPECTION, Issuer::TOKEN] {
        let location = format!("{}{path}", other.url());
        issuer.reply(path, Reply::status(307).header("location", &location));
        let following = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::limited(10));
        let keycloak = builder(&issuer)
            .client_authentication(ClientAuthentication::client_secret_post("secret"))
            .use_introspection(path == Issuer::INTROSPECTION)
            .http_client(following);
        let keycloak = keycloak.build().expect("valid");
        let error = match path {
            Issuer::TOKEN => keycloak.client_credentials().await.map(drop),
            _ => keycloak.authenticate(&token).await.map(drop),
        };
        let error = error.expect_err(path);
        let (AuthError::Unavailable(unavailable)
        | AuthError::IntrospectionUnavailable(unavailable)
        | AuthError::TokenEndpointUnavailable(unavailable)) = &error
        else {
            panic!("{path}: {error:?}")
        };
        assert!(is_redirect(unavailable.cause()), "{path}: {error:?}");
        issuer.reply_as_usual(path);
    }
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn row_35_an_own_client_that_decodes_reads_no_more_than_256_kib_of_what_comes_out() {
    let issuer = Issuer::start().await;
    let keycloak = || {
        let decoding = reqwest::Client::builder().no_proxy().gzip(true);
        builder(&issuer).http_client(decoding).build().expect("valid")
    };
    let usual = issuer.usual(Issuer::JWKS).body_json().to_string();
    let reply = |blanks: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(usual.as_bytes()).expect("packed");
        encoder.write_all(&vec![b' '; blanks]).expect("packed");
        let packed = encoder.finish().expect("packed");
        assert!(packed.len() < 100_000, "it is small on its way");
        Reply::status(200).header("content-encoding", "gzip").body(packed)
    };
    issuer.reply(Issuer::JWKS, reply(1));
    keycloak().ready().await.expect("it does decode");
    issuer.reply(Issuer::JWKS, reply(10_000_000));
    let error = keycloak().ready().await.expect_err("10 MB");
    assert!(
        matches!(error.cause(), ProviderError::TooLarge { limit: 262_144, .. }),
        "{error:?}"
    );
}
