//! Names that lead nowhere, certificates that are not right, handshakes that do not end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use keycloak_auth::ProviderError;
use keycloak_auth_tests::{Authority, Gateway, Issuer, Logs, http_client};
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use super::{LONGEST, assert_said, assert_unavailable, eventually, warnings};
use crate::setup::{builder, clock, lasting, service};

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
}

/// With the settings as they come: nobody waits longer than 5 s.
#[tokio::test]
async fn row_35_a_cold_start_answers_within_5_s() {
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
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .dns_resolver(Arc::clone(&resolver));
    let keycloak = builder(&issuer)
        .server_url(format!("http://keycloak.test:{}", issuer.address().port()))
        .issuer(issuer.issuer())
        .http_client(client.build().expect("a client"))
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
async fn row_33_an_answer_that_an_own_client_was_redirected_to_is_refused() {
    let issuer = Issuer::start().await;
    let other = Issuer::start().await;
    issuer.reply(
        Issuer::JWKS,
        keycloak_auth_tests::Reply::status(302).header("location", &format!("{}{}", other.url(), Issuer::JWKS)),
    );
    let following = reqwest::Client::builder().no_proxy().build().expect("a client");
    let keycloak = builder(&issuer).http_client(following).build().expect("valid");
    let service = service(&keycloak).await;
    assert_unavailable(
        &service.get_as("/me", &issuer.valid_token()).await,
        "keycloak_connection_error",
        MESSAGE,
    );
    let error = keycloak.last_provider_error().expect("an error");
    assert!(matches!(&*error, ProviderError::Redirected { .. }), "{error:?}");
    assert!(error.to_string().contains("redirect::Policy::none()"), "{error}");

    let careful = builder(&issuer).http_client(http_client()).build().expect("valid");
    let error = careful.ready().await.expect_err("a redirect");
    assert!(
        matches!(error.cause(), ProviderError::Status { status: 302, .. }),
        "{error:?}"
    );
}
