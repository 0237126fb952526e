//! The example as Prometheus and its clients see it.

use keycloak_auth::{metrics::MetricsFacade, testing::TestRealm};
use metrics_exporter_prometheus::PrometheusBuilder;
use observability::{app, buckets, metrics_app};
use reqwest::{Client, Method};
use tokio::net::TcpListener;

async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn prometheus_reads_what_became_of_requests() {
    let prometheus = buckets(PrometheusBuilder::new())
        .expect("there are buckets")
        .install_recorder()
        .expect("this is the only recorder");
    let realm = TestRealm::new("acme", "orders-api");
    let keycloak = realm.builder().metrics_collector(MetricsFacade).build().expect("valid");
    let service = serve(app(keycloak)).await;
    let metrics = serve(metrics_app(prometheus)).await;

    let client = Client::builder().no_proxy().build().expect("a client");
    let alice = realm.user("alice").realm_role("admin").token();
    let dave = realm.user("dave").token();
    for (method, path, token, status) in [
        (Method::GET, "/orders", Some(&*alice), 200),
        (Method::GET, "/orders", Some(&*alice), 200),
        (Method::GET, "/orders", Some("garbage"), 401),
        (Method::GET, "/orders", None, 401),
        (Method::DELETE, "/orders/canary-7", Some(&*alice), 200),
        (Method::DELETE, "/orders/canary-7", Some(&*dave), 403),
        (Method::GET, "/payments", Some(&*alice), 401),
        (Method::GET, "/metrics", Some(&*alice), 404),
    ] {
        let mut request = client.request(method, format!("{service}{path}"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(request.send().await.expect("an answer").status(), status, "{path}");
    }
    let answer = client
        .get(format!("{metrics}/metrics"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.expect("text");
    let labels = r#"client_id="orders-api",realm="acme""#;
    for line in [
        r#"fc_kc_decisions_total{LABELS,route="/orders",http_method="GET",outcome="allowed"} 2"#,
        r#"fc_kc_decisions_total{LABELS,route="/orders",http_method="GET",outcome="invalid_token"} 1"#,
        r#"fc_kc_decisions_total{LABELS,route="/orders",http_method="GET",outcome="unauthenticated"} 1"#,
        r#"fc_kc_decisions_total{LABELS,route="/orders/{id}",http_method="DELETE",outcome="allowed"} 1"#,
        r#"fc_kc_decisions_total{LABELS,route="/orders/{id}",http_method="DELETE",outcome="denied"} 1"#,
        r#"fc_kc_decisions_total{LABELS,route="/payments",http_method="GET",outcome="step_up"} 1"#,
        r#"fc_kc_token_validation_latency_ms_bucket{method="jwt",LABELS,le="+Inf"} 2"#,
        "# TYPE fc_kc_token_validation_latency_ms histogram",
        "# TYPE fc_kc_decisions_total counter",
    ] {
        let line = line.replace("LABELS", labels);
        assert!(text.contains(&line), "{line} in\n{text}");
    }
    assert!(!text.contains("canary"), "no path: {text}");
}
