//! Rows 24 to 27: how credentials come in.

use axum::{Router, routing};
use http::Method;
use keycloak_auth_tests::{Issuer, Service};
use tower_http::cors::CorsLayer;

use crate::setup::{Setup, assert_a0, assert_a2, builder, secure_router};

#[tokio::test]
async fn row_24_refuses_two_credentials() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    setup.accepts(&valid).await;
    let other = setup.issuer.valid_token();
    let bearer = format!("Authorization: Bearer {valid}");
    let line = |text: &str| text.as_bytes().to_vec();
    for (what, lines) in [
        ("the same twice", vec![line(&bearer), line(&bearer)]),
        (
            "two tokens",
            vec![line(&bearer), line(&format!("Authorization: Bearer {other}"))],
        ),
        (
            "in lower case",
            vec![line(&bearer), line(&format!("authorization: bearer {other}"))],
        ),
        ("Basic first", vec![line("Authorization: Basic YTpi"), line(&bearer)]),
        ("Basic last", vec![line(&bearer), line("Authorization: Basic YTpi")]),
        ("an empty one", vec![line(&bearer), line("Authorization:")]),
        ("three", vec![line(&bearer), line(&bearer), line(&bearer)]),
        ("a comma", vec![line(&format!("{bearer}, Bearer {other}"))]),
        (
            "a comma without a space",
            vec![line(&format!("{bearer},Bearer {other}"))],
        ),
        ("a comma and a token", vec![line(&format!("{bearer},{other}"))]),
        ("a comma and Basic", vec![line(&format!("{bearer}, Basic YTpi"))]),
        (
            "Basic and a comma",
            vec![line(&format!("Authorization: Basic YTpi, Bearer {valid}"))],
        ),
        (
            "Basic, a comma and a tab",
            vec![line(&format!("Authorization: Basic YTpi,Bearer\t{valid}"))],
        ),
        ("a comma at the end", vec![line(&format!("{bearer},"))]),
    ] {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let answer = setup.service.raw_get("/authenticated", &lines).await;
        assert_a2(&answer, what);
        assert!(!answer.text().contains(&valid[..40]), "{what}");
    }
}

#[tokio::test]
async fn row_24_refuses_headers_that_cannot_be_read() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    setup.accepts(&valid).await;
    for (what, header) in [
        ("no token", "Authorization: Bearer".to_owned().into_bytes()),
        ("a space in place of a token", b"Authorization: Bearer ".to_vec()),
        ("two words", format!("Authorization: Bearer {valid} x").into_bytes()),
        ("a tab inside", format!("Authorization: Bearer {valid}\tx").into_bytes()),
        ("a tab before", format!("Authorization: Bearer\t{valid}").into_bytes()),
        (
            "a space inside",
            format!("Authorization: Bearer {} {}", &valid[..9], &valid[9..]).into_bytes(),
        ),
        (
            "a byte that is not ASCII",
            [b"Authorization: Bearer \xff", valid.as_bytes()].concat(),
        ),
        ("UTF-8", format!("Authorization: Bearer {valid}é").into_bytes()),
        ("Latin 1", b"Authorization: B\xe9arer x".to_vec()),
        ("nothing", b"Authorization:".to_vec()),
    ] {
        let answer = setup.service.raw_get("/authenticated", &[&header]).await;
        assert_a2(&answer, what);
    }
}

#[tokio::test]
async fn row_24_takes_other_schemes_for_no_credentials() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    setup.accepts(&valid).await;
    assert_a0(&setup.service.raw_get("/authenticated", &[]).await, "no header");
    for header in [
        "Authorization: Basic YWxpY2U6YWxpY2U=".to_owned(),
        format!("Authorization: Token {valid}"),
        format!("Authorization: Bearers {valid}"),
        format!("Authorization: JWT {valid}"),
        format!("Authorization: {valid}"),
        format!("Authorization: Digest username=\"{valid}\", realm=\"acme\""),
        "Authorization: Negotiate".to_owned(),
    ] {
        let answer = setup.service.raw_get("/authenticated", &[header.as_bytes()]).await;
        assert_a0(&answer, &header);
    }
}

#[tokio::test]
async fn row_25_reads_the_scheme_in_any_case() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        for header in [
            format!("Authorization: {scheme} {valid}"),
            format!("authorization: {scheme} {valid}"),
            format!("AUTHORIZATION:{scheme}   {valid}  "),
        ] {
            let answer = setup.service.raw_get("/authenticated", &[header.as_bytes()]).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "let in"), "{header}");
        }
    }
}

#[tokio::test]
async fn row_26_ignores_tokens_in_other_places() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    setup.accepts(&valid).await;
    let get = |path: &str| setup.service.get(path);
    for (what, request) in [
        ("query", get(&format!("/authenticated?access_token={valid}"))),
        (
            "query, another name",
            get(&format!("/authenticated?token={valid}&jwt={valid}")),
        ),
        (
            "query, the whole header",
            get(&format!("/authenticated?Authorization=Bearer%20{valid}")),
        ),
        (
            "cookie",
            get("/authenticated").header("cookie", format!("access_token={valid}")),
        ),
        (
            "cookie, other names",
            get("/authenticated").header(
                "cookie",
                format!("Authorization=Bearer {valid}; KEYCLOAK_IDENTITY={valid}"),
            ),
        ),
        ("another header", get("/authenticated").header("x-access-token", &valid)),
        (
            "a forwarded header",
            get("/authenticated").header("x-forwarded-authorization", format!("Bearer {valid}")),
        ),
        (
            "the header for proxies",
            get("/authenticated").header("proxy-authorization", format!("Bearer {valid}")),
        ),
        (
            "a form",
            setup
                .service
                .post("/authenticated")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("access_token={valid}")),
        ),
    ] {
        assert_a0(&request.send().await, what);
    }
    assert_eq!(
        setup
            .service
            .get("/optional")
            .header("cookie", format!("access_token={valid}"))
            .send()
            .await
            .text(),
        "nobody"
    );
}

#[tokio::test]
async fn row_27_lets_preflights_pass() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("a valid configuration");
    let cors = || {
        CorsLayer::new()
            .allow_origin(tower_http::cors::Any)
            .allow_methods([Method::GET, Method::PUT])
            .allow_headers([http::header::AUTHORIZATION])
    };
    let plain = || Router::new().route("/authenticated", routing::get(async || "let in"));
    for (what, router) in [
        (
            "CORS outside of a secure router",
            secure_router().secure_with(keycloak.clone()).layer(cors()),
        ),
        (
            "CORS inside of a secure router",
            secure_router().layer(cors()).secure_with(keycloak.clone()),
        ),
        (
            "CORS outside of the layer",
            plain().layer(keycloak.layer()).layer(cors()),
        ),
        (
            "CORS inside of the layer",
            plain().layer(cors()).layer(keycloak.layer()),
        ),
    ] {
        let service = Service::start(router).await;
        let answer = service
            .request(Method::OPTIONS, "/authenticated")
            .header("origin", "http://localhost:3000")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization")
            .send()
            .await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let allowed = answer.header(http::header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed, Some("*"), "{what}");
        assert!(answer.challenges().is_empty(), "{what}");
        // The request that follows is not let in without a token.
        let answer = service
            .get("/authenticated")
            .header("origin", "http://localhost:3000")
            .send()
            .await;
        assert_a0(&answer, what);
        let answer = service.get_as("/authenticated", &issuer.valid_token()).await;
        assert_eq!(answer.status, 200, "{what}");
    }
}

#[tokio::test]
async fn row_27_leaves_options_to_the_handlers_that_are_there() {
    let setup = Setup::new().await;
    let answer = setup.service.request(Method::OPTIONS, "/authenticated").send().await;
    assert_eq!(answer.status, 405, "{answer:?}");
    assert!(answer.challenges().is_empty(), "{answer:?}");
}
