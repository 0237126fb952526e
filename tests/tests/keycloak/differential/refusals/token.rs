//! The token endpoint refuses.

use anyhow::{Context as _, Result};
use http::{Method, header};

use super::probes::Probes;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub async fn ask(probes: &mut Probes<'_>) -> Result<()> {
    clients(probes).await?;
    password(probes).await?;
    client_credentials(probes).await?;
    refresh(probes).await?;
    exchange(probes).await?;
    requests(probes).await
}

async fn clients(probes: &mut Probes<'_>) -> Result<()> {
    let worker = [("grant_type", "client_credentials"), ("client_id", "orders-worker")];
    for (name, client_id, secret) in [
        ("unknown client", "nobody", None),
        ("unknown client with a secret", "nobody", Some("secret")),
        ("disabled client", "off", None),
        ("bearer-only client", "billing-api", None),
        ("client without its secret", "orders-worker", None),
        ("client with an empty secret", "orders-worker", Some("")),
        ("client with a wrong secret", "orders-worker", Some("wrong")),
        ("public client with a secret", "orders-web", Some("secret")),
    ] {
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", client_id)];
        form.extend(secret.map(|secret| ("client_secret", secret)));
        probes.token(name, &form).await?;
    }
    probes.token("no client", &worker[..1]).await?;
    for (name, user, password) in [
        ("wrong secret by Basic", "orders-worker", Some("wrong")),
        ("no secret by Basic", "orders-worker", None),
        ("unknown client by Basic", "nobody", Some("secret")),
        ("right secret by Basic", "orders-worker", Some("orders-worker-secret")),
    ] {
        let request = probes.request(Method::POST, "token").basic_auth(user, password);
        let request = request.form(&[("grant_type", "refresh_token"), ("refresh_token", "garbage")]);
        probes.send(name, request).await?;
    }
    let request = probes.request(Method::POST, "token").form(&worker);
    let request = request.header(header::AUTHORIZATION, "Basic !");
    probes.send("broken Basic", request).await
}

async fn password(probes: &mut Probes<'_>) -> Result<()> {
    for (name, client_id, user, password) in [
        ("wrong password", "orders-web", "alice", "wrong"),
        ("empty password", "orders-web", "alice", ""),
        ("unknown user", "orders-web", "nobody", "wrong"),
        ("empty user", "orders-web", "", "wrong"),
        ("disabled user", "orders-web", "gone", "gone"),
        ("disabled user with a wrong password", "orders-web", "gone", "wrong"),
        (
            "service account",
            "orders-web",
            "service-account-orders-worker",
            "wrong",
        ),
        ("DPoP client without proof", "orders-dpop", "alice", "alice"),
        ("disabled client with a password", "off", "alice", "alice"),
    ] {
        let form = [
            ("grant_type", "password"),
            ("client_id", client_id),
            ("username", user),
            ("password", password),
        ];
        probes.token(name, &form).await?;
    }
    let alice = [
        ("grant_type", "password"),
        ("client_id", "orders-web"),
        ("username", "alice"),
        ("password", "alice"),
    ];
    probes.token("no user", &alice[..2]).await?;
    probes.token("no password", &alice[..3]).await?;
    for (name, scope) in [
        ("unknown scope", "orders"),
        ("unknown scope beside a known one", "openid email orders"),
        ("offline tokens for a user without the role", "offline_access"),
        ("scope of another protocol", "role_list"),
    ] {
        let form = [&alice[..], &[("scope", scope)]].concat();
        probes.token(name, &form).await?;
    }
    let worker = [
        ("grant_type", "password"),
        ("client_id", "orders-worker"),
        ("client_secret", "orders-worker-secret"),
        ("username", "alice"),
        ("password", "alice"),
    ];
    probes.token("password grant not allowed", &worker).await
}

async fn client_credentials(probes: &mut Probes<'_>) -> Result<()> {
    let form = [("grant_type", "client_credentials"), ("client_id", "orders-web")];
    probes.token("client credentials of a public client", &form).await?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "confidential"),
        ("client_secret", "confidential-secret"),
    ];
    probes.token("client credentials not allowed", &form).await?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "orders-worker"),
        ("client_secret", "orders-worker-secret"),
        ("scope", "nothing"),
    ];
    probes.token("client credentials with an unknown scope", &form).await
}

async fn refresh(probes: &mut Probes<'_>) -> Result<()> {
    let tokens = probes.login("orders-web", "bob").await?;
    let refresh = tokens.refresh.context("a refresh token")?;
    let of_page = probes.login("page", "bob").await?.refresh.context("a refresh token")?;
    let (head, _) = refresh.rsplit_once('.').context("a signature")?;
    let forged = format!("{head}.{}", "A".repeat(86));
    for (name, token) in [
        ("garbage as refresh token", "garbage"),
        ("garbage with dots as refresh token", "a.b.c"),
        ("empty refresh token", ""),
        ("forged refresh token", &forged),
        ("refresh token of another client", &of_page),
        ("access token as refresh token", &tokens.access),
    ] {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "orders-web"),
            ("refresh_token", token),
        ];
        probes.token(name, &form).await?;
    }
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &refresh),
    ];
    probes.token("no refresh token", &form[..2]).await?;
    let first = probes.realm.grant("orders-web").refresh(&refresh).send().await?;
    probes.token("refresh token used twice", &form).await?;
    let second = first.refresh.context("a refresh token")?;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &second),
    ];
    probes.token("refresh token after one was used twice", &form).await?;
    let other = probes
        .login("orders-web", "dave")
        .await?
        .refresh
        .context("a refresh token")?;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &other),
        ("scope", "no-such-scope"),
    ];
    probes.token("refresh for an unknown scope", &form).await?;
    let tokens = probes.login("orders-web", "carol").await?;
    let refresh = tokens.refresh.context("a refresh token")?;
    probes.realm.logout("orders-web", &refresh).await?;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &refresh),
    ];
    probes.token("refresh token after a logout", &form).await
}

async fn exchange(probes: &mut Probes<'_>) -> Result<()> {
    let orders = probes.login("orders-web", "alice").await?;
    let page = probes.login("page", "alice").await?;
    let refresh = orders.refresh.context("a refresh token")?;
    let id = orders.id.context("an ID token")?;
    let subject = |token| vec![("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    let with = |mut form: Vec<_>, further| {
        form.push(further);
        form
    };
    for (name, form) in [
        ("exchange of nothing", vec![]),
        (
            "exchange without a type",
            vec![("subject_token", orders.access.as_str())],
        ),
        ("exchange of garbage", subject("garbage")),
        ("exchange of a refresh token", subject(&refresh)),
        ("exchange of an ID token", subject(&id)),
        ("exchange of a token for others", subject(&page.access)),
        (
            "exchange for an unknown client",
            with(subject(&orders.access), ("audience", "nobody")),
        ),
        (
            "exchange for a client that is not available",
            with(subject(&orders.access), ("audience", "billing-api")),
        ),
        (
            "exchange for an unknown type",
            with(subject(&orders.access), ("requested_token_type", "unknown")),
        ),
        (
            "exchange for an unknown scope",
            with(subject(&orders.access), ("scope", "nothing")),
        ),
        (
            "exchange of an unknown type",
            vec![("subject_token", &orders.access), ("subject_token_type", "unknown")],
        ),
    ] {
        let client = [
            ("grant_type", EXCHANGE),
            ("client_id", "orders-api"),
            ("client_secret", "orders-api-secret"),
        ];
        probes.token(name, &[&client[..], &form].concat()).await?;
    }
    for (name, client_id) in [
        ("exchange by a public client", "orders-web"),
        ("exchange not allowed", "orders-worker"),
    ] {
        let mut form = vec![("grant_type", EXCHANGE), ("client_id", client_id)];
        form.extend(
            probes
                .realm
                .client_secret(client_id)
                .map(|secret| ("client_secret", secret)),
        );
        form.extend(subject(&orders.access));
        probes.token(name, &form).await?;
    }
    Ok(())
}

async fn requests(probes: &mut Probes<'_>) -> Result<()> {
    probes.token("empty form", &[]).await?;
    let web = ("client_id", "orders-web");
    probes.token("no grant", &[web]).await?;
    probes.token("unknown grant", &[web, ("grant_type", "unknown")]).await?;
    probes
        .token("twice a parameter", &[web, web, ("grant_type", "password")])
        .await?;
    let code = [web, ("grant_type", "authorization_code")];
    probes.token("no code", &code).await?;
    let request = probes.request(Method::GET, "token");
    probes.send("GET at the token endpoint", request).await
}
