//! Proxies that the environment names: the HTTP client takes them without being told to.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use super::{CLIENT_SECRET, doctor, realm, run};

/// A proxy on this machine; it ends with the test program.
struct Proxy {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    /// One that forwards requests by http to where they are for (RFC 9112 §3.2.2).
    fn forwarding() -> Self {
        Self::start(|head, body| {
            let (method, url) = head.split_once(' ').expect("a method");
            let (authority, rest) = url.strip_prefix("http://")?.split_once('/')?;
            let mut server = TcpStream::connect(authority).ok()?;
            // The other side closes the connection at the end of its answer.
            let rest = rest.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            let request = [format!("{method} /{rest}").as_bytes(), body].concat();
            server.write_all(&request).ok()?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).ok()?;
            Some(answer)
        })
    }

    /// One that has the same answer for everybody.
    fn answering(status: &'static str) -> Self {
        Self::start(move |_, _| Some(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").into_bytes()))
    }

    fn start(answer: impl Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(mut client) = client else { continue };
                // Connections that only look whether somebody is there say nothing.
                let Some((head, body)) = read(&mut client) else {
                    continue;
                };
                count.fetch_add(1, SeqCst);
                if let Some(answer) = answer(&head, &body) {
                    // The client may be gone.
                    let _ = client.write_all(&answer);
                }
            }
        });
        Self { address, requests }
    }

    /// With a password, which must not show.
    fn url(&self) -> String {
        format!("http://user:canary@{}", self.address)
    }
}

/// The head of a request, its empty line included, and the body.
fn read(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

#[tokio::test]
async fn a_proxy_that_works_is_named_without_its_password() {
    let (realm, proxy) = (realm().await, Proxy::forwarding());
    for (variable, url) in [("HTTP_PROXY", proxy.url()), ("all_proxy", proxy.url())] {
        let before = proxy.requests.load(SeqCst);
        let mut doctor = doctor(realm.server_url());
        doctor.env(variable, url).env("KEYCLOAK_CLIENT_SECRET", CLIENT_SECRET);
        let (code, page) = run(doctor).await;
        assert_eq!(code, Some(0), "{page}");
        assert!(proxy.requests.load(SeqCst) > before, "the client takes it");
        let named = format!(
            "the proxy `http://{}` of the environment (`HTTP_PROXY` or `ALL_PROXY`)",
            proxy.address
        );
        assert!(page.contains(&named), "expected `{named}` in\n{page}");
        assert!(
            page.contains(&format!("{} accepts connections", proxy.address)),
            "{page}"
        );
        assert!(!page.contains("canary"), "{page}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_the_cause_and_can_be_left_out() {
    let realm = realm().await;
    let through_nobody = || {
        let mut doctor = doctor(realm.server_url());
        doctor.env("HTTP_PROXY", "http://user:canary@127.0.0.1:1");
        doctor
    };
    let (code, page) = run(through_nobody()).await;
    assert_eq!(code, Some(1), "{page}");
    let line = "FAILED: tcp: nothing accepts connections at the proxy `http://127.0.0.1:1` of the environment";
    assert!(page.starts_with(line) && page.contains("`NO_PROXY`"), "{page}");
    assert!(!page.contains("canary"), "{page}");

    let mut excepted = through_nobody();
    excepted.env("NO_PROXY", "127.0.0.1");
    let (code, page) = run(excepted).await;
    assert!(code == Some(0) && !page.contains("proxy"), "{page}");
}

#[tokio::test]
async fn a_proxy_that_does_not_pass_requests_on_is_the_cause() {
    for (status, server_url, variable, line) in [
        (
            "502 Bad Gateway",
            "http://id.invalid",
            "HTTP_PROXY",
            "FAILED: discovery: the proxy `PROXY` does not reach Keycloak (502)",
        ),
        (
            "407 Proxy Authentication Required",
            "http://id.invalid",
            "HTTP_PROXY",
            "FAILED: discovery: the proxy `PROXY` wants a login (407)",
        ),
        (
            "407 Proxy Authentication Required",
            "https://id.invalid",
            "HTTPS_PROXY",
            "FAILED: tls: there is no connection through the proxy `PROXY`: ",
        ),
        (
            "403 Forbidden",
            "https://id.invalid",
            "ALL_PROXY",
            "FAILED: tls: there is no connection through the proxy `PROXY`: ",
        ),
    ] {
        let proxy = Proxy::answering(status);
        let mut doctor = doctor(server_url);
        doctor.env(variable, proxy.url());
        let (code, page) = run(doctor).await;
        let line = line.replace("PROXY", &format!("http://{}", proxy.address));
        assert!(
            code == Some(1) && page.starts_with(&line),
            "expected `{line}` in\n{page}"
        );
        assert!(page.contains("`NO_PROXY`") && !page.contains("canary"), "{page}");
    }
}
