//! Introspection, userinfo, revocation, logout and CORS refuse.

use anyhow::{Context as _, Result};
use http::{Method, header};

use super::probes::Probes;

pub async fn ask(probes: &mut Probes<'_>) -> Result<()> {
    introspection(probes).await?;
    userinfo(probes).await?;
    revocation(probes).await?;
    logout(probes).await?;
    cors(probes).await
}

async fn introspection(probes: &mut Probes<'_>) -> Result<()> {
    let tokens = probes.login("orders-web", "alice").await?;
    let refresh = tokens.refresh.context("a refresh token")?;
    let id = tokens.id.context("an ID token")?;
    let api = [("client_id", "orders-api"), ("client_secret", "orders-api-secret")];
    let worker = [
        ("client_id", "orders-worker"),
        ("client_secret", "orders-worker-secret"),
    ];
    for (name, client, token) in [
        ("introspection of garbage", &api[..], Some("garbage")),
        ("introspection of nothing", &api, None),
        ("introspection of an empty token", &api, Some("")),
        ("introspection of an ID token", &api, Some(&id)),
        ("introspection of a refresh token", &api, Some(&refresh)),
        (
            "introspection by a client that the token is not for",
            &worker,
            Some(&tokens.access),
        ),
        (
            "introspection with a wrong secret",
            &[api[0], ("client_secret", "wrong")],
            Some(&tokens.access),
        ),
        ("introspection without secret", &api[..1], Some(&tokens.access)),
        (
            "introspection by an unknown client",
            &[("client_id", "nobody")],
            Some(&tokens.access),
        ),
        ("introspection by nobody", &[], Some(&tokens.access)),
        (
            "introspection by a public client",
            &[("client_id", "orders-web")],
            Some(&tokens.access),
        ),
    ] {
        let mut form = client.to_vec();
        form.extend(token.map(|token| ("token", token)));
        probes.post(name, "token/introspect", &form).await?;
    }
    probes.realm.logout("orders-web", &refresh).await?;
    let form = [&api[..], &[("token", &tokens.access)]].concat();
    probes
        .post("introspection after a logout", "token/introspect", &form)
        .await
}

async fn userinfo(probes: &mut Probes<'_>) -> Result<()> {
    let tokens = probes.login("orders-web", "alice").await?;
    let without_openid = probes.realm.login("orders-web", "alice").await?;
    let light = probes.login("orders-light", "alice").await?;
    let refresh = tokens.refresh.context("a refresh token")?;
    let id = tokens.id.context("an ID token")?;
    for (name, authorization) in [
        ("userinfo without token", None),
        ("userinfo with garbage", Some("Bearer garbage".to_owned())),
        ("userinfo with an empty token", Some("Bearer ".to_owned())),
        (
            "userinfo by another scheme",
            Some("Basic b3JkZXJzOm9yZGVycw==".to_owned()),
        ),
        ("userinfo with an ID token", Some(format!("Bearer {id}"))),
        ("userinfo with a refresh token", Some(format!("Bearer {refresh}"))),
        (
            "userinfo without openid",
            Some(format!("Bearer {}", without_openid.access)),
        ),
        (
            "userinfo with a lightweight token",
            Some(format!("Bearer {}", light.access)),
        ),
        (
            "userinfo with a bearer token as DPoP",
            Some(format!("DPoP {}", tokens.access)),
        ),
    ] {
        let mut request = probes.request(Method::GET, "userinfo");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        probes.send(name, request).await?;
    }
    let form = [("access_token", tokens.access.as_str())];
    probes.post("userinfo by a form", "userinfo", &form).await?;
    probes.realm.logout("orders-web", &refresh).await?;
    let request = probes.request(Method::GET, "userinfo").bearer_auth(&tokens.access);
    probes.send("userinfo after a logout", request).await
}

async fn revocation(probes: &mut Probes<'_>) -> Result<()> {
    let tokens = probes.login("orders-web", "alice").await?;
    let of_page = probes.login("page", "alice").await?;
    let refresh = tokens.refresh.context("a refresh token")?;
    for (name, client_id, token) in [
        ("revocation of garbage", "orders-web", Some("garbage")),
        ("revocation of nothing", "orders-web", None),
        ("revocation by an unknown client", "nobody", Some("garbage")),
        ("revocation without secret", "orders-worker", Some("garbage")),
        (
            "revocation of a token of another client",
            "orders-web",
            Some(&of_page.access),
        ),
        ("revocation of an access token", "orders-web", Some(&tokens.access)),
        (
            "revocation of a revoked access token",
            "orders-web",
            Some(&tokens.access),
        ),
    ] {
        let mut form = vec![("client_id", client_id)];
        form.extend(token.map(|token| ("token", token)));
        probes.post(name, "revoke", &form).await?;
    }
    let request = probes.request(Method::GET, "userinfo").bearer_auth(&tokens.access);
    probes.send("userinfo with a revoked token", request).await?;
    let form = [("client_id", "orders-web"), ("token", refresh.as_str())];
    probes.post("revocation of a refresh token", "revoke", &form).await?;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &refresh),
    ];
    probes.token("refresh with a revoked token", &form).await
}

async fn logout(probes: &mut Probes<'_>) -> Result<()> {
    let tokens = probes.login("orders-web", "alice").await?;
    let of_page = probes
        .login("page", "alice")
        .await?
        .refresh
        .context("a refresh token")?;
    let id = tokens.id.context("an ID token")?;
    let callback = ("post_logout_redirect_uri", "http://localhost:3000/");
    for (name, query) in [
        ("logout without hint", vec![]),
        ("logout with a bad hint", vec![("id_token_hint", "garbage")]),
        (
            "logout with an access token as hint",
            vec![("id_token_hint", tokens.access.as_str())],
        ),
        ("logout back without hint", vec![callback]),
        (
            "logout back to elsewhere",
            vec![
                ("client_id", "orders-web"),
                ("post_logout_redirect_uri", "http://evil.test/"),
            ],
        ),
        (
            "logout with a hint of another client",
            vec![("id_token_hint", &id), ("client_id", "page")],
        ),
        (
            "logout with a hint and back",
            vec![("id_token_hint", &id), callback, ("state", "the state")],
        ),
    ] {
        probes.get(name, "logout", &query).await?;
    }
    for (name, client_id, token) in [
        ("logout by a client with garbage", "orders-web", "garbage"),
        ("logout by another client", "orders-web", of_page.as_str()),
        ("logout by an unknown client", "nobody", &of_page),
        ("logout by a client", "page", &of_page),
        ("logout by a client again", "page", &of_page),
    ] {
        let form = [("client_id", client_id), ("refresh_token", token)];
        probes.post(name, "logout", &form).await?;
    }
    Ok(())
}

async fn cors(probes: &mut Probes<'_>) -> Result<()> {
    let token = probes.login("page", "alice").await?.access;
    for origin in ["https://page.test", "https://evil.test", "null"] {
        for (endpoint, method) in [
            ("token", "POST"),
            ("userinfo", "GET"),
            ("certs", "GET"),
            ("revoke", "POST"),
            ("logout", "POST"),
        ] {
            let request = probes.request(Method::OPTIONS, endpoint);
            let request = request.header(header::ORIGIN, origin);
            let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, method);
            let request = request.header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization");
            probes
                .send(&format!("preflight of {endpoint} from {origin}"), request)
                .await?;
        }
        for (name, client_id, password) in [
            ("tokens", "page", "alice"),
            ("refusal", "page", "wrong"),
            ("tokens of a client for all pages", "orders-web", "alice"),
            ("tokens of an unknown client", "nobody", "alice"),
        ] {
            let form = [
                ("grant_type", "password"),
                ("client_id", client_id),
                ("username", "alice"),
                ("password", password),
            ];
            let request = probes
                .request(Method::POST, "token")
                .form(&form)
                .header(header::ORIGIN, origin);
            let answer = request.send().await?;
            let name = format!("{name} for a page from {origin}");
            if answer.status().is_success() {
                probes.keep_head(&name, &answer)?;
            } else {
                probes.keep(&name, answer).await?;
            }
        }
        let request = probes.request(Method::GET, "userinfo").bearer_auth(&token);
        let request = request.header(header::ORIGIN, origin);
        probes
            .send(&format!("userinfo for a page from {origin}"), request)
            .await?;
        let request = probes.request(Method::GET, "certs").header(header::ORIGIN, origin);
        let answer = request.send().await?;
        probes.keep_head(&format!("keys for a page from {origin}"), &answer)?;
    }
    Ok(())
}
