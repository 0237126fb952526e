//! A real axum service on a port of its own, and requests to it.

use std::net::SocketAddr;

use axum::Router;
use http::{HeaderValue, Method, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{Answer, http_client};

/// A router behind `axum::serve`; it ends when this is dropped.
pub struct Service {
    address: SocketAddr,
    client: reqwest::Client,
    server: JoinHandle<()>,
}

/// A request being built.
#[must_use]
pub struct Request(reqwest::RequestBuilder);

impl Service {
    pub async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server on loopback runs");
        });
        Self {
            address,
            client: http_client(),
            server,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        Request(self.client.request(method, self.url(path)))
    }

    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// `GET` with a bearer token.
    pub async fn get_as(&self, path: &str, token: &str) -> Answer {
        self.get(path).bearer(token).send().await
    }

    /// `GET` over a plain socket with these header lines as they are, for what clients refuse to send.
    pub async fn raw_get(&self, path: &str, header_lines: &[&[u8]]) -> Answer {
        self.raw("GET", path, header_lines).await
    }

    /// The same for any method and any form of target.
    pub async fn raw(&self, method: &str, target: &str, header_lines: &[&[u8]]) -> Answer {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.address).into_bytes();
        for line in header_lines {
            request.extend_from_slice(line);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"Connection: close\r\n\r\n");
        let mut socket = TcpStream::connect(self.address).await.expect("the service listens");
        socket.write_all(&request).await.expect("the service reads a request");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.expect("the service answers");
        Answer::parse(&answer)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Request {
    pub fn bearer(self, token: &str) -> Self {
        self.authorization(format!("Bearer {token}"))
    }

    /// Any bytes that are allowed in a header.
    pub fn authorization(self, value: impl AsRef<[u8]>) -> Self {
        self.header(header::AUTHORIZATION.as_str(), value)
    }

    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header value");
        Self(self.0.header(name, value))
    }

    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    /// A dropped connection fails the test.
    pub async fn send(self) -> Answer {
        let answer = self.0.send().await.expect("the service answers");
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.bytes().await.expect("the service sends its answer");
        Answer { status, headers, body }
    }
}
