//! The layer in front of services of tonic, with tonic's own client over HTTP/2.

use std::net::SocketAddr;

use http::{HeaderName, header::CONTENT_TYPE};
use keycloak_auth::{KeycloakLayer, KeycloakUser, policy};
use keycloak_auth_tests::{Issuer, Reply};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{
    Code, Request, Response, Status,
    codegen::tokio_stream::Empty,
    server::NamedService as _,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};

use crate::setup::builder;

/// Serves whoever the layer says is alice.
struct ForAlice;

#[tonic::async_trait]
impl Health for ForAlice {
    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let user = KeycloakUser::from_extensions(request.extensions());
        let is_alice = user.and_then(|user| user.username()) == Some("alice");
        let status = if is_alice {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(tonic::codegen::tokio_stream::empty()))
    }
}

struct Grpc {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Grpc {
    async fn start(layer: KeycloakLayer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = Server::builder()
            .layer(layer)
            .add_service(HealthServer::new(ForAlice))
            .serve_with_incoming(TcpIncoming::from(listener));
        let server = tokio::spawn(async { serving.await.expect("a server on loopback runs") });
        Self { address, server }
    }

    async fn check(&self, token: Option<&str>) -> Result<ServingStatus, Status> {
        let channel = Channel::builder(format!("http://{}", self.address).parse().expect("a URI"));
        let mut client = HealthClient::new(channel.connect().await.expect("the service listens"));
        let mut request = Request::new(HealthCheckRequest::default());
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a header value");
            request.metadata_mut().insert("authorization", value);
        }
        client.check(request).await.map(|answer| answer.into_inner().status())
    }
}

impl Drop for Grpc {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn layer(issuer: &Issuer) -> KeycloakLayer {
    builder(issuer).build().expect("valid").layer()
}

#[track_caller]
fn assert_refused(answer: Result<ServingStatus, Status>, code: Code, message: &str) {
    let status = answer.expect_err("refused");
    assert_eq!((status.code(), status.message()), (code, message), "{status:?}");
}

#[tokio::test]
async fn a_service_of_tonic_knows_its_caller() {
    let issuer = Issuer::start().await;
    let grpc = Grpc::start(layer(&issuer)).await;
    let answer = grpc.check(Some(&issuer.valid_token())).await;
    assert_eq!(answer.expect("accepted"), ServingStatus::Serving);
}

#[tokio::test]
async fn refusals_have_the_codes_and_messages_of_grpc() {
    let issuer = Issuer::start().await;
    let grpc = Grpc::start(layer(&issuer).require(policy!(realm_role("admin")))).await;
    let expired = issuer.token().claim("exp", 1).sign(issuer.key());
    let without_roles = issuer.token().without("realm_access").sign(issuer.key());
    assert_refused(
        grpc.check(None).await,
        Code::Unauthenticated,
        "an access token is required",
    );
    assert_refused(
        grpc.check(Some(&expired)).await,
        Code::Unauthenticated,
        "the access token has expired",
    );
    assert_refused(
        grpc.check(Some(&without_roles)).await,
        Code::PermissionDenied,
        "the caller may not do this",
    );
    let two = format!("{0}, Bearer {0}", issuer.valid_token());
    assert_eq!(
        grpc.check(Some(&two)).await.expect_err("refused").code(),
        Code::Unauthenticated
    );
    issuer.reply(Issuer::JWKS, Reply::status(503));
    let cold = Grpc::start(layer(&issuer)).await;
    assert_refused(
        cold.check(Some(&issuer.valid_token())).await,
        Code::Unavailable,
        "the token cannot be checked at the moment",
    );
}

#[tokio::test]
async fn health_can_be_public() {
    let issuer = Issuer::start().await;
    let path = format!("/{}/*", HealthServer::<ForAlice>::NAME);
    let grpc = Grpc::start(layer(&issuer).public_paths([path])).await;
    assert_eq!(grpc.check(None).await.expect("public"), ServingStatus::NotServing);
}

#[tokio::test]
async fn only_requests_of_grpc_are_refused_in_its_form_and_the_status_of_http_is_the_same_in_all() {
    let issuer = Issuer::start().await;
    let router = axum::Router::new().fallback(async || "in").layer(layer(&issuer));
    let service = keycloak_auth_tests::Service::start(router).await;
    for (content_type, is_grpc) in [
        ("application/json", false),
        ("application/grpcx", false),
        ("text/plain; application/grpc", false),
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc-web+proto", true),
        ("application/grpc;x=y", true),
    ] {
        let answer = service.post("/x").header("content-type", content_type).send().await;
        assert_eq!(answer.status, 401, "{content_type}: {answer:?}");
        assert!(answer.challenge().starts_with("Bearer"), "{answer:?}");
        let status = answer.header(HeaderName::from_static("grpc-status"));
        if is_grpc {
            assert_eq!(status, Some("16"), "{content_type}");
            assert_eq!(answer.header(CONTENT_TYPE), Some(content_type));
            assert_eq!(answer.text(), "", "nothing but headers");
        } else {
            assert_eq!(status, None, "{content_type}");
            assert!(answer.text().starts_with("{\"error\":"), "{answer:?}");
        }
    }
}
