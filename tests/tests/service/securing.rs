//! What a router says to its handlers when it is secured: which `Keycloak` they ask, and whether their policies are enforced.
//! However that gets to them, and whoever asks on the way.

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRef, Request, State},
    handler::Handler as _,
    http,
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use keycloak_auth::{
    Keycloak, KeycloakUser, SecureRouter, keycloak,
    metrics::{MetricsCollector, Tag},
    policy,
    routing::{MethodRouter, any, get},
    testing::TestRealm,
};
use keycloak_auth_tests::{Issuer, Service};
use tower::{ServiceExt as _, layer::util::Identity};

use crate::setup::{admin, answer, builder, me};

#[derive(Clone, FromRef)]
struct AppState {
    keycloak: Keycloak,
}

#[keycloak(public)]
async fn greet(user: Option<KeycloakUser>) -> String {
    name_of(user)
}

#[keycloak(realm_roles = "admin")]
async fn boss(user: Option<KeycloakUser>) -> String {
    name_of(user)
}

fn name_of(user: Option<KeycloakUser>) -> String {
    let name = user.and_then(|user| user.username().map(str::to_owned));
    name.unwrap_or_else(|| "stranger".to_owned())
}

fn realms() -> [TestRealm; 3] {
    ["first", "second", "third"].map(|name| TestRealm::new(name, "orders-api"))
}

#[tokio::test]
async fn clones_of_a_router_are_secured_each_by_itself() {
    let realms = realms();
    let [first, second, third] = &realms;
    let routes = SecureRouter::<AppState>::new()
        .route("/me", get(me))
        .route("/admin", any(admin))
        .route("/greet", get(greet))
        .access_matrix_page("/matrix", &policy!(authenticated))
        .fallback(boss);
    let state = |realm: &TestRealm| AppState {
        keycloak: realm.keycloak(),
    };
    let by_clone = routes.clone().secure_with(first.keycloak()).with_state(state(third));
    let from_state = routes.clone().secure_from_state().with_state(state(second));
    let reporting = routes
        .report_only()
        .secure_with(third.keycloak())
        .with_state(state(first));
    for (own, router, status) in [(0, &by_clone, 403), (1, &from_state, 403), (2, &reporting, 200)] {
        for (number, realm) in realms.iter().enumerate() {
            let dave = realm.user("dave").token();
            let statuses = if number == own {
                [200, status, 200, status, 200]
            } else {
                [401; 5]
            };
            for (path, expected) in ["/me", "/admin", "/greet", "/no/such", "/matrix"].iter().zip(statuses) {
                let (status, body) = answer(router, path, Some(&dave)).await;
                assert_eq!(status, expected, "{own} {number} {path}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn clones_of_a_method_router_report_each_by_itself() {
    let realm = TestRealm::new("acme", "orders-api");
    let handlers: MethodRouter = get(admin);
    let router = SecureRouter::new()
        .route("/enforced", handlers.clone())
        .route("/reported", handlers.report_only())
        .secure_with(realm.keycloak());
    let dave = realm.user("dave").token();
    assert_eq!(answer(&router, "/enforced", Some(&dave)).await.0, 403);
    assert_eq!(answer(&router, "/reported", Some(&dave)).await.0, 200);
}

#[tokio::test]
async fn reporting_only_is_for_what_there_is_so_far() {
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::new()
        .route("/before", get(admin))
        .nest("/nested", SecureRouter::new().route("/before", get(admin)))
        .route("/method", get(admin).report_only().post(admin))
        .report_only()
        .fallback(boss)
        .method_not_allowed_fallback(admin)
        .route("/after", get(admin))
        .route("/method/after", get(admin).report_only().post(admin))
        .merge(SecureRouter::new().route("/merged", any(admin)))
        .secure_with(realm.keycloak());
    let dave = realm.user("dave").token();
    for (path, status) in [
        ("/before", 200),
        ("/nested/before", 200),
        ("/after", 403),
        ("/merged", 403),
        ("/no/such", 403),
        ("/method/after", 200),
    ] {
        assert_eq!(answer(&router, path, Some(&dave)).await.0, status, "{path}");
    }
    let service = Service::start(router).await;
    for (path, method, status) in [
        ("/method", http::Method::POST, 200),
        ("/method/after", http::Method::POST, 403),
        ("/before", http::Method::DELETE, 403),
    ] {
        let request = service.request(method, path).bearer(&dave);
        assert_eq!(request.send().await.status, status, "{path}");
    }
}

#[tokio::test]
async fn reporting_only_says_nothing_to_plain_routers_inside() {
    let realm = TestRealm::new("acme", "orders-api");
    let plain = Router::new().route("/plain", axum::routing::get(admin));
    let routes = SecureRouter::<()>::new()
        .route("/own", get(admin))
        .merge_public(plain.clone())
        .nest_service_public("/nested", plain);
    let dave = realm.user("dave").token();
    let of_clone = routes.clone().report_only().secure_with(realm.keycloak());
    let alone = routes.report_only().secure_with(realm.keycloak());
    for router in [of_clone, alone] {
        for (path, status) in [("/own", 200), ("/plain", 403), ("/nested/plain", 403)] {
            assert_eq!(answer(&router, path, Some(&dave)).await.0, status, "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_reported_only_does_not_depend_on_what_is_at_hand() {
    for report_only in [false, true] {
        let issuer = Issuer::start().await;
        let keycloak = builder(&issuer).build().expect("valid");
        let routes = SecureRouter::<()>::new()
            .route("/admin", get(admin))
            .route("/boss", get(boss));
        let routes = if report_only { routes.report_only() } else { routes };
        let router = routes.secure_with(keycloak);
        let less = issuer.token().without("realm_access").sign(issuer.key());
        let expected = if report_only { 200 } else { 403 };
        // The first one has to wait for the keys.
        for path in ["/boss", "/admin", "/boss"] {
            assert_eq!(answer(&router, path, Some(&less)).await.0, expected, "{path}");
        }
        assert_eq!(issuer.key_fetches(), 1);
    }
}

/// What becomes of credentials between two who ask who calls.
#[derive(Clone)]
enum Exchange {
    Removed,
    Replaced(String),
}

impl Exchange {
    fn apply(&self, mut request: Request) -> Request {
        let headers = request.headers_mut();
        headers.remove("authorization");
        if let Self::Replaced(token) = self {
            let value = format!("Bearer {token}").parse().expect("a header value");
            headers.insert("authorization", value);
        }
        request
    }
}

/// How a router gets the `Keycloak` that it asks.
#[derive(Clone, Copy, Debug)]
enum WayIn {
    With,
    WithOfClone,
    State,
    StateOfClone,
}

const WAYS_IN: [WayIn; 4] = [WayIn::With, WayIn::WithOfClone, WayIn::State, WayIn::StateOfClone];

impl WayIn {
    fn secure<S>(self, routes: SecureRouter<S>, keycloak: &Keycloak) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
        Keycloak: FromRef<S>,
    {
        match self {
            Self::With => routes.secure_with(keycloak.clone()),
            Self::WithOfClone => routes.clone().secure_with(keycloak.clone()),
            Self::State => routes.secure_from_state(),
            Self::StateOfClone => routes.clone().secure_from_state(),
        }
    }
}

/// A router that requests are passed on to, with other credentials.
#[derive(Clone, FromRef)]
struct Gateway {
    keycloak: Keycloak,
    passed_to: (Router, Exchange),
}

#[keycloak(realm_roles = "admin")]
async fn alone() -> &'static str {
    "alone"
}

#[keycloak(authenticated)]
async fn pass_on(State((inner, exchange)): State<(Router, Exchange)>, request: Request) -> Response {
    inner.oneshot(exchange.apply(request)).await.into_response()
}

#[keycloak(public)]
async fn pass_on_for(
    State((inner, exchange)): State<(Router, Exchange)>,
    _: Option<KeycloakUser>,
    request: Request,
) -> Response {
    inner.oneshot(exchange.apply(request)).await.into_response()
}

/// All routers with handlers that ask `keycloak`, whichever way they get to know it.
fn asking(keycloak: &Keycloak) -> Vec<(String, Router)> {
    let state = AppState {
        keycloak: keycloak.clone(),
    };
    let mut routers: Vec<_> = WAYS_IN
        .iter()
        .map(|way_in| {
            let routes = SecureRouter::<AppState>::new()
                .route("/me", get(me))
                .route("/greet", get(greet))
                .route("/boss", get(boss))
                .route("/alone", get(alone))
                .route("/layered", get(boss.layer(Identity::new())))
                .access_matrix_page("/matrix", &policy!(authenticated));
            let router = way_in.secure(routes, keycloak).with_state(state.clone());
            (format!("{way_in:?}"), router)
        })
        .collect();
    let plain = || {
        Router::<AppState>::new()
            .route("/me", axum::routing::get(me))
            .route("/boss", axum::routing::get(boss))
            .route("/alone", axum::routing::get(alone))
    };
    // Secured routers have told that there is a `Keycloak` in this state.
    routers.push(("plain".to_owned(), plain().with_state(state.clone())));
    let layered = plain().layer(keycloak.layer()).with_state(state.clone());
    routers.push(("plain behind its layer".to_owned(), layered));
    let public = SecureRouter::<AppState>::new()
        .merge_public(plain())
        .secure_from_state();
    routers.push(("plain in a secured one".to_owned(), public.with_state(state.clone())));
    let secured = WayIn::State.secure(SecureRouter::<AppState>::new().route("/boss", get(boss)), keycloak);
    let another = TestRealm::new("another", "orders-api").keycloak();
    let public = SecureRouter::<AppState>::new()
        .merge_public(secured)
        .secure_with(another);
    routers.push(("in a router of another".to_owned(), public.with_state(state)));
    routers
}

/// A handler that passes requests on, by its name.
type Passing = (&'static str, fn() -> MethodRouter<Gateway>);

/// Routers with a handler that passes requests on to `inner`, as `exchange` says.
fn passing(inner: &Router, exchange: &Exchange, keycloak: &Keycloak) -> Vec<(String, Router)> {
    let state = Gateway {
        keycloak: keycloak.clone(),
        passed_to: (inner.clone(), exchange.clone()),
    };
    let handlers: [Passing; 2] = [("a guard", || get(pass_on)), ("a public handler", || get(pass_on_for))];
    let mut routers = Vec::new();
    for way_in in WAYS_IN {
        for (name, handlers) in handlers {
            let routes = || SecureRouter::<Gateway>::new().route("/{*path}", handlers());
            let router = way_in.secure(routes(), keycloak).with_state(state.clone());
            let behind_layer = router.clone().layer(keycloak.layer().optional());
            let with_layer = way_in.secure(routes().layer(keycloak.layer().optional()), keycloak);
            let reporting = way_in.secure(routes().layer(Identity::new()).report_only(), keycloak);
            let ways = [
                ("", router),
                (" behind a layer", behind_layer),
                (" with a layer", with_layer.with_state(state.clone())),
                (" that reports", reporting.with_state(state.clone())),
            ];
            routers.extend(ways.map(|(way, router)| (format!("{name} of {way_in:?}{way}"), router)));
        }
    }
    routers
}

#[tokio::test]
async fn a_router_asks_its_own_keycloak_whoever_passes_requests_to_it() {
    let [first, second, _] = realms();
    let [outer, own] = [&first, &second].map(|realm| realm.user("alice").realm_role("admin").token());
    let (dave, paths) = (
        second.user("dave").token(),
        ["/me", "/greet", "/boss", "/alone", "/layered", "/matrix"],
    );
    for (inner_name, inner) in asking(&second.keycloak()) {
        for (token, refused, name) in [
            (&own, None, "alice"),
            (&outer, Some(401), ""),
            (&dave, Some(403), "dave"),
        ] {
            for (outer_name, router) in passing(&inner, &Exchange::Replaced(token.clone()), &first.keycloak()) {
                for path in paths {
                    let way = format!("{outer_name} > {inner_name} {path} {name}");
                    let (status, body) = answer(&router, path, Some(&outer)).await;
                    if status == 404 {
                        continue;
                    }
                    let is_for_all = matches!(path, "/me" | "/greet" | "/matrix");
                    let expected = match refused {
                        Some(403) if is_for_all => 200,
                        Some(refused) => refused,
                        None => 200,
                    };
                    assert_eq!(status, expected, "{way}: {body}");
                    assert!(
                        status != 200 || matches!(path, "/alone" | "/matrix") || body == name,
                        "{way}: {body}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn credentials_that_were_changed_on_the_way_count() {
    for cache in [0, 100] {
        let realm = TestRealm::new("acme", "orders-api");
        let keycloak = realm.builder().token_cache_capacity(cache).build().expect("valid");
        let alice = realm.user("alice").realm_role("admin").token();
        let dave = realm.user("dave").token();
        for (exchange, expected) in [
            (Exchange::Removed, 401),
            (Exchange::Replaced(dave.clone()), 403),
            (Exchange::Replaced("garbage".to_owned()), 401),
            (Exchange::Replaced(alice.clone()), 200),
        ] {
            for (name, inner) in asking(&keycloak) {
                let mut ways = passing(&inner, &exchange, &keycloak);
                if !name.starts_with("plain") {
                    // A plain router relies on what the layer around it has found out.
                    let between = exchange.clone();
                    let behind_layer = inner
                        .layer(axum::middleware::map_request(move |request: Request| {
                            std::future::ready(between.apply(request))
                        }))
                        .layer(keycloak.layer());
                    ways.push(("a layer".to_owned(), behind_layer));
                }
                for (way, router) in ways {
                    for path in ["/boss", "/alone", "/layered"] {
                        let status = answer(&router, path, Some(&alice)).await.0;
                        assert!(
                            status == expected || status == 404,
                            "{way} > {name} {path} {cache}: {status}"
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn arguments_of_a_handler_ask_what_its_router_was_secured_with() {
    let [first, second, _] = realms();
    // The type of the state is known to have a `Keycloak`.
    let _ = SecureRouter::<AppState>::new().secure_from_state();
    let secured = |report_only: bool| {
        let routes = SecureRouter::<AppState>::new()
            .route("/me", get(me))
            .route("/greet", get(greet))
            .route("/boss", get(boss));
        let routes = if report_only { routes.report_only() } else { routes };
        routes.secure_with(first.keycloak()).with_state(AppState {
            keycloak: second.keycloak(),
        })
    };
    let [own, other] = [&first, &second].map(|realm| realm.user("alice").realm_role("admin").token());
    for report_only in [false, true] {
        let router = secured(report_only);
        let behind_another = secured(report_only).layer(second.keycloak().layer().optional());
        for path in ["/me", "/greet", "/boss"] {
            let alice = (200, "alice".to_owned());
            assert_eq!(answer(&router, path, Some(&own)).await, alice, "{path}");
            assert_eq!(answer(&router, path, Some(&other)).await.0, 401, "{path}");
            assert_eq!(answer(&behind_another, path, Some(&other)).await.0, 401, "{path}");
        }
        let stranger = (200, "stranger".to_owned());
        assert_eq!(answer(&router, "/greet", None).await, stranger);
        let nobody = answer(&router, "/boss", None).await;
        assert!(
            if report_only {
                nobody == stranger
            } else {
                nobody.0 == 401
            },
            "{nobody:?}"
        );
    }
}

/// Tells in a header who the caller is.
async fn name(user: KeycloakUser, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let name = user.username().unwrap_or_default().parse().expect("a header value");
    response.headers_mut().insert("x-caller", name);
    response
}

#[tokio::test]
async fn layers_in_a_router_may_ask_who_calls() {
    let realm = TestRealm::new("acme", "orders-api");
    let handlers: [(&str, SecureRouter); 6] = [
        ("router", SecureRouter::new().route("/", get(me)).layer(from_fn(name))),
        (
            "routes",
            SecureRouter::new().route("/", get(me)).route_layer(from_fn(name)),
        ),
        ("methods", SecureRouter::new().route("/", get(me).layer(from_fn(name)))),
        (
            "method",
            SecureRouter::new().route("/", get(me).route_layer(from_fn(name))),
        ),
        ("handler", SecureRouter::new().route("/", get(me.layer(from_fn(name))))),
        (
            "merged",
            SecureRouter::new()
                .route("/first", get(admin))
                .merge(SecureRouter::new().route("/", get(me)).layer(from_fn(name))),
        ),
    ];
    for (place, routes) in handlers {
        let service = Service::start(routes.secure_with(realm.keycloak())).await;
        let alice = service.get_as("/", &realm.user("alice").token()).await;
        assert_eq!(alice.text(), "alice", "{place}");
        assert_eq!(alice.headers["x-caller"], "alice", "{place}");
        assert_eq!(service.get("/").send().await.status, 401, "{place}");
    }
}

/// Notices when the `Keycloak` that it observes is gone.
struct Alive(#[expect(dead_code, reason = "its references are counted")] Arc<()>);

impl MetricsCollector for Alive {
    fn increment_counter(&self, _: &str, _: &[Tag<'_>]) {}

    fn observe_histogram(&self, _: &str, _: &[Tag<'_>], _: f64) {}

    fn set_gauge(&self, _: &str, _: &[Tag<'_>], _: f64) {}
}

#[tokio::test]
async fn a_keycloak_goes_with_its_router() {
    let realm = TestRealm::new("acme", "orders-api");
    let alive = Arc::new(());
    let builder = realm.builder().metrics_collector(Alive(Arc::clone(&alive)));
    let router = SecureRouter::new()
        .route("/me", get(me))
        .route("/admin", get(admin))
        .merge_public(Router::new().route("/public", axum::routing::get(async |State(()): State<()>| "public")))
        .secure_with(builder.build().expect("valid"));
    assert_eq!(answer(&router, "/me", Some(&realm.user("alice").token())).await.0, 200);
    assert!(Arc::strong_count(&alive) > 1);
    drop(router);
    assert_eq!(Arc::strong_count(&alive), 1);
}
