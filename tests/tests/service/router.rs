//! `SecureRouter`: composed as axum users compose routers, without a way around the guards.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::{FromRef, Request, State},
    handler::Handler as _,
    http::{Method, header},
    middleware::{self, Next},
    response::IntoResponse,
};
use keycloak_auth::{
    Keycloak, KeycloakUser, SecureRouter, keycloak,
    routing::{any, get, post},
};
use keycloak_auth_tests::{Issuer, Service};
use serde_json::json;

use crate::setup::{admin, builder, echo, health, me, routes};

#[keycloak(realm_roles = "admin")]
async fn lost() -> impl IntoResponse {
    (http::StatusCode::NOT_FOUND, "lost")
}

#[tokio::test]
async fn nested_and_merged_routes_stay_guarded() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let inner = SecureRouter::new().route("/admin", get(admin)).nest("/deep", routes());
    let router = SecureRouter::new()
        .nest("/api", inner)
        .merge(SecureRouter::new().route("/merged", any(admin)))
        .fallback(lost);
    let service = Service::start(router.secure_with(keycloak)).await;
    let token = issuer.valid_token();
    let without_roles = issuer.token().without("realm_access").sign(issuer.key());
    for path in [
        "/api/admin",
        "/api/deep/admin",
        "/merged",
        "/no-such-path",
        "/api/no-such-path",
    ] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE] {
            let anonymous = service.request(method.clone(), path).send().await;
            let refused = service
                .request(method.clone(), path)
                .bearer(&without_roles)
                .send()
                .await;
            let routed = matches!(method, Method::GET | Method::HEAD) || !path.ends_with("admin");
            let expected = if routed { (401, 403) } else { (405, 405) };
            assert_eq!((anonymous.status, refused.status), expected, "{method} {path}");
        }
        let admitted = service.get_as(path, &token).await;
        let expected = if path.ends_with("no-such-path") {
            (404, "lost")
        } else {
            (200, "admin")
        };
        assert_eq!((admitted.status, admitted.text().as_str()), expected, "{path}");
    }
    assert_eq!(service.get("/api/deep/health").send().await.status, 200);
}

#[tokio::test]
async fn handlers_of_any_method_say_nothing_of_allowed_ones() {
    let issuer = Issuer::start().await;
    let router = SecureRouter::new()
        .route("/any", any(health))
        .route("/get", get(health))
        .secure_with(builder(&issuer).build().expect("valid"));
    let service = Service::start(router).await;
    let any = service.request(Method::DELETE, "/any").send().await;
    assert_eq!((any.status, any.header(header::ALLOW)), (200, None));
    let get = service.request(Method::DELETE, "/get").send().await;
    assert_eq!((get.status, get.header(header::ALLOW)), (405, Some("GET,HEAD")));
}

#[derive(Clone, FromRef)]
struct AppState {
    keycloak: Keycloak,
    greeting: &'static str,
}

#[keycloak(authenticated)]
async fn greet(State(greeting): State<&'static str>, user: KeycloakUser) -> String {
    format!("{greeting}, {}", user.username().unwrap_or_default())
}

#[tokio::test]
async fn a_router_can_be_secured_from_its_state() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let router: Router = SecureRouter::<AppState>::new()
        .route("/greet", get(greet))
        .route("/admin", get(admin))
        .secure_from_state()
        .with_state(AppState {
            keycloak,
            greeting: "hello",
        });
    let service = Service::start(router).await;
    assert_eq!(
        service.get_as("/greet", &issuer.valid_token()).await.text(),
        "hello, alice"
    );
    assert_eq!(service.get("/greet").send().await.challenge(), r#"Bearer realm="acme""#);
    assert_eq!(
        service
            .get_as("/admin", &issuer.token().without("realm_access").sign(issuer.key()))
            .await
            .status,
        403
    );
}

#[test]
#[should_panic(expected = "call `with_state` after `secure_from_state`")]
fn guards_that_would_look_into_another_state_do_not_start() {
    let inner: SecureRouter<AppState> = SecureRouter::<&'static str>::new()
        .route("/me", get(me))
        .with_state("hello");
    let _ = SecureRouter::<AppState>::new()
        .nest("/inner", inner)
        .secure_from_state();
}

#[test]
fn a_state_of_another_type_is_found_however_it_got_there() {
    let handlers = || get::<_, _, &'static str>(me).with_state::<AppState>("hello");
    let router = || SecureRouter::<AppState>::new().route("/me", handlers());
    type Add = fn(SecureRouter<AppState>, SecureRouter<AppState>) -> SecureRouter<AppState>;
    let adds: [(&str, Add); 2] = [
        ("merge", SecureRouter::merge),
        ("nest", |outer, inner| outer.nest("/inner", inner)),
    ];
    let refuses = |router: SecureRouter<AppState>| {
        let securing = std::panic::AssertUnwindSafe(|| drop(router.secure_from_state()));
        std::panic::catch_unwind(securing).is_err()
    };
    assert!(refuses(router()), "route");
    assert!(refuses(
        SecureRouter::<AppState>::new().route("/me", post(admin).merge(handlers()))
    ));
    for (what, add) in adds {
        assert!(refuses(add(SecureRouter::new(), router())), "{what}");
        // Nor does what comes later make it forgotten.
        assert!(
            refuses(add(router(), SecureRouter::new().route("/admin", get(admin)))),
            "{what}"
        );
    }
    assert!(!refuses(SecureRouter::new().route("/me", get(me))));
}

#[tokio::test]
async fn routes_with_a_state_of_their_own_are_secured_by_the_layer() {
    let issuer = Issuer::start().await;
    let inner: SecureRouter = SecureRouter::<&'static str>::new()
        .route("/greet", get(greet_by_text))
        .with_state("hello");
    let router = SecureRouter::new()
        .nest("/inner", inner)
        .secure_with(builder(&issuer).build().expect("valid"));
    let service = Service::start(router).await;
    assert_eq!(service.get("/inner/greet").send().await.status, 401);
    assert_eq!(
        service.get_as("/inner/greet", &issuer.valid_token()).await.text(),
        "hello, alice"
    );
}

#[keycloak(authenticated)]
async fn greet_by_text(State(greeting): State<&'static str>, user: KeycloakUser) -> String {
    format!("{greeting}, {}", user.username().unwrap_or_default())
}

#[tokio::test]
async fn the_layer_of_a_router_wins_over_its_state() {
    let (first, second) = (Issuer::start().await, Issuer::start().await);
    let in_state = builder(&first).build().expect("valid");
    let in_layer = builder(&second).build().expect("valid");
    let state = AppState {
        keycloak: in_state,
        greeting: "hello",
    };
    let routes = || SecureRouter::<AppState>::new().route("/greet", get(greet));
    let from_state = Service::start(routes().secure_from_state().with_state(state.clone())).await;
    let layered = Service::start(routes().secure_with(in_layer).with_state(state)).await;
    assert_eq!(from_state.get_as("/greet", &first.valid_token()).await.status, 200);
    assert_eq!(from_state.get_as("/greet", &second.valid_token()).await.status, 401);
    assert_eq!(layered.get_as("/greet", &first.valid_token()).await.status, 401);
    assert_eq!(layered.get_as("/greet", &second.valid_token()).await.status, 200);
}

#[tokio::test]
async fn two_states_each_have_their_keycloak() {
    #[derive(Clone, FromRef)]
    struct OtherState {
        keycloak: Keycloak,
    }
    let (first, second) = (Issuer::start().await, Issuer::start().await);
    let one = SecureRouter::<AppState>::new()
        .route("/one", get(me))
        .secure_from_state()
        .with_state(AppState {
            keycloak: builder(&first).build().expect("valid"),
            greeting: "",
        });
    let two = SecureRouter::<OtherState>::new()
        .route("/two", get(me))
        .secure_from_state()
        .with_state(OtherState {
            keycloak: builder(&second).build().expect("valid"),
        });
    let service = Service::start(Router::new().merge(one).merge(two)).await;
    for (path, own, others) in [("/one", &first, &second), ("/two", &second, &first)] {
        assert_eq!(service.get_as(path, &own.valid_token()).await.status, 200, "{path}");
        assert_eq!(service.get_as(path, &others.valid_token()).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_guard_decides_before_the_body_is_read() {
    static BODIES: AtomicUsize = AtomicUsize::new(0);

    #[derive(Clone)]
    struct Body;
    impl<S: Send + Sync> axum::extract::FromRequest<S> for Body {
        type Rejection = std::convert::Infallible;
        async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Self::Rejection> {
            let _ = Bytes::from_request(request, state).await;
            BODIES.fetch_add(1, Ordering::SeqCst);
            Ok(Self)
        }
    }

    #[keycloak(realm_roles = "admin")]
    async fn upload(_: Body) -> &'static str {
        "stored"
    }

    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = Service::start(SecureRouter::new().route("/upload", post(upload)).secure_with(keycloak)).await;
    assert_eq!(service.post("/upload").body("x").send().await.status, 401);
    assert_eq!(BODIES.load(Ordering::SeqCst), 0);
    assert_eq!(
        service
            .post("/upload")
            .bearer(&issuer.valid_token())
            .body("x")
            .send()
            .await
            .status,
        200
    );
    assert_eq!(BODIES.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn layers_wrap_routes_as_in_axum() {
    async fn mark(request: axum::extract::Request, next: middleware::Next) -> axum::response::Response {
        let mut response = next.run(request).await;
        response
            .headers_mut()
            .insert("x-marked", http::HeaderValue::from_static("yes"));
        response
    }
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let router = SecureRouter::new()
        .route("/marked", get(me))
        .layer(middleware::from_fn(mark))
        .route("/plain", get(me).route_layer(middleware::from_fn(mark)))
        .route("/echo", post(echo))
        .route("/health", get(health))
        .secure_with(keycloak);
    let service = Service::start(router).await;
    let marked = |answer: &keycloak_auth_tests::Answer| answer.headers.contains_key("x-marked");
    assert!(
        marked(&service.get("/marked").send().await),
        "a refusal passes through the layers too"
    );
    assert!(marked(&service.get_as("/plain", &issuer.valid_token()).await));
    assert!(!marked(&service.get("/health").send().await));
    let echoed = service
        .post("/echo")
        .bearer(&issuer.valid_token())
        .body("hello")
        .send()
        .await;
    assert_eq!(echoed.text(), "hello");
}

#[tokio::test]
async fn public_services_are_added_by_name() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let page = Router::new().route("/page", axum::routing::get(async || "page"));
    let router = SecureRouter::new()
        .route("/me", get(me))
        .merge_public(page.clone())
        .nest_service_public("/files", page)
        .route_service_public("/one/{*rest}", axum::routing::any(async || "rest"));
    let service = Service::start(router.secure_with(keycloak)).await;
    assert_eq!(service.get("/page").send().await.text(), "page");
    assert_eq!(service.get("/files/page").send().await.text(), "page");
    assert_eq!(service.get("/one/x").send().await.text(), "rest");
    assert_eq!(service.get("/me").send().await.status, 401);
}

#[tokio::test]
async fn a_token_is_judged_once_without_a_cache_too() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).token_cache_capacity(0).build().expect("valid");
    let state = AppState {
        keycloak: keycloak.clone(),
        greeting: "hi",
    };
    let from_state = SecureRouter::<AppState>::new()
        .route("/greet", get(greet))
        .secure_from_state()
        .with_state(state);
    for service in [
        Service::start(from_state).await,
        Service::start(routes().secure_with(keycloak)).await,
    ] {
        let path = if service.get("/greet").send().await.status == 404 {
            "/me"
        } else {
            "/greet"
        };
        for _ in 0..3 {
            assert!(
                service
                    .get_as(path, &issuer.valid_token())
                    .await
                    .text()
                    .ends_with("alice")
            );
        }
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn one_keycloak_serves_concurrent_requests_of_many_users() {
    let issuer = Issuer::start().await;
    let service =
        Arc::new(crate::setup::service(&builder(&issuer).token_cache_capacity(8).build().expect("valid")).await);
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..60 {
        let name = format!("user-{}", number % 20);
        let token = issuer
            .token()
            .claim("preferred_username", name.as_str())
            .sign(issuer.key());
        let service = Arc::clone(&service);
        requests.spawn(async move { (name, service.get_as("/me", &token).await.text()) });
    }
    for (name, answered) in requests.join_all().await {
        assert_eq!(name, answered);
    }
}

#[tokio::test]
async fn the_user_shows_as_json_without_the_token() {
    #[keycloak(authenticated)]
    async fn user(user: KeycloakUser) -> axum::Json<KeycloakUser> {
        axum::Json(user)
    }
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = Service::start(SecureRouter::new().route("/user", get(user)).secure_with(keycloak)).await;
    let token = issuer
        .token()
        .claim("groups", json!(["/ops"]))
        .claim("realm_access", json!({ "roles": ["admin"] }))
        .claim("resource_access", json!({ "billing-api": { "roles": ["admin"] } }))
        .claim("scope", "openid email")
        .sign(issuer.key());
    let shown = service.get_as("/user", &token).await.json();
    assert_eq!(shown["username"], "alice");
    assert_eq!(shown["realm_roles"], json!(["admin"]));
    assert_eq!(shown["client_roles"], json!({ "billing-api": ["admin"] }));
    assert_eq!(
        (&shown["groups"], &shown["scopes"]),
        (&json!(["/ops"]), &json!(["openid", "email"]))
    );
    assert!(!shown.to_string().contains(&token[..20]));
}

#[tokio::test]
async fn a_layer_around_one_handler_is_in_front_of_its_guard() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let seen = Arc::new(AtomicUsize::new(0));
    let counting = {
        let seen = Arc::clone(&seen);
        middleware::from_fn(move |request: Request, next: Next| {
            seen.fetch_add(1, Ordering::SeqCst);
            next.run(request)
        })
    };
    let router = SecureRouter::new()
        .route("/admin", get(admin.layer(counting.clone())))
        .route("/me", get(me.layer(counting)));
    assert_eq!(router.access_matrix().rows().len(), 2);
    let service = Service::start(router.secure_with(keycloak)).await;
    let token = issuer.valid_token();
    for _ in 0..4 {
        assert_eq!(service.get("/admin").send().await.status, 401);
        assert_eq!(service.get_as("/admin", &token).await.status, 200);
        assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 12);
}

#[tokio::test]
async fn no_path_and_no_method_leads_past_the_guards() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let passing = || middleware::from_fn(|request: Request, next: Next| next.run(request));
    let routes = || {
        SecureRouter::new()
            .route("/one", get(admin).post(echo).fallback(me))
            .route("/any", any(echo))
            .route("/layers", get(me.layer(passing()).layer(passing())).merge(post(admin)))
            .route("/around", any(admin.layer(passing())).layer(passing()))
    };
    let router = routes()
        .nest("/in", routes().nest("/deep", routes().layer(passing())))
        .fallback(lost.layer(passing()))
        .method_not_allowed_fallback(admin);
    let service = Service::start(router.secure_with(keycloak)).await;
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE", "WHATEVER"]
        .map(|name| name.parse::<Method>().expect("a method"));
    let paths = [
        "/one", "/any", "/layers", "/around", "/other", "//one", "/one/", "/%6fne",
    ];
    for prefix in ["", "/in", "/in/deep", "/elsewhere"] {
        for path in paths {
            for method in &methods {
                for credentials in [None, Some("Bearer x.y.z"), Some("Bearer eyJhbGciOiJub25lIn0.e30.")] {
                    let mut request = service.request(method.clone(), &format!("{prefix}{path}"));
                    if let Some(credentials) = credentials {
                        request = request.authorization(credentials);
                    }
                    let status = request.send().await.status;
                    assert_eq!(status, 401, "{method} {prefix}{path} {credentials:?}");
                }
            }
        }
    }
    let token = issuer.valid_token();
    for (method, path, expected) in [
        (Method::PUT, "/layers", "admin"),
        (Method::PUT, "/one", "alice"),
        (Method::GET, "/in/deep/layers", "alice"),
        (Method::GET, "/other", "lost"),
    ] {
        let request = service.request(method, path).bearer(&token);
        assert_eq!(request.send().await.text(), expected, "{path}");
    }
}
