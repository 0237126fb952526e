//! A TCP server between a service and its issuer, which breaks what passes through it.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    Issuer,
    fault::{Fault, GoodAnswer},
};

/// Passes requests on to an issuer, and answers those to certain paths with a [`Fault`].
///
/// Connections are kept open between requests, as Keycloak does. It ends with all its connections when it is dropped.
pub struct Gateway {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    /// Whether connections are reset, those that are open included.
    refuses: watch::Sender<bool>,
    accepted: AtomicUsize,
    open: AtomicUsize,
    sent: AtomicUsize,
}

#[derive(Default)]
struct State {
    faults: HashMap<String, Fault>,
    requests: Vec<String>,
}

impl Gateway {
    /// A gateway to an issuer that speaks plain HTTP.
    pub async fn to(issuer: &Issuer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            upstream: issuer.address(),
            state: Mutex::default(),
            refuses: watch::Sender::new(false),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            server,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers a path in this way from now on.
    pub fn inject(&self, path: &str, fault: Fault) {
        self.shared.state().faults.insert(path.to_owned(), fault);
    }

    /// Resets the connections that wait for a request, and every other one as soon as it is made, from now on.
    pub async fn refuse_connections(&self) {
        self.shared.refuses.send_replace(true);
        while self.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.shared.state().faults.clear();
        self.shared.refuses.send_replace(false);
    }

    /// How many requests a path has received.
    pub fn requests_to(&self, path: &str) -> usize {
        self.shared
            .state()
            .requests
            .iter()
            .filter(|asked| *asked == path)
            .count()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections neither side has closed.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many bytes clients have taken, as far as faults are concerned.
    pub fn bytes_sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a server on loopback runs");
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        while connections.try_join_next().is_some() {}
        if *shared.refuses.borrow() {
            // An error means that the client is gone already.
            let _ = stream.set_zero_linger();
            continue;
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            shared.open.fetch_add(1, Ordering::SeqCst);
            // The client may go at any time, which ends the connection.
            let _ = converse(stream, &shared).await;
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut refuses = shared.refuses.subscribe();
    loop {
        let request = tokio::select! {
            request = read_request(&mut stream, &mut buffer) => request?,
            _ = refuses.wait_for(|refuses| *refuses) => return stream.set_zero_linger(),
        };
        let Some(request) = request else { return Ok(()) };
        let fault = {
            let mut state = shared.state();
            state.requests.push(request.path.clone());
            state.faults.get(&request.path).copied()
        };
        let good = forward(&request, shared.upstream).await?;
        let Some(fault) = fault else {
            stream.write_all(&good.head).await?;
            stream.write_all(&good.body).await?;
            continue;
        };
        let mut wire = Wire { stream, shared };
        fault.play(&good, &mut wire).await?;
        // Whoever closes with unread bytes resets, so the client goes first, unless it does not.
        let _ = wire.stream.shutdown().await;
        let mut rest = [0; 1024];
        while wire.stream.read(&mut rest).await? > 0 {}
        return Ok(());
    }
}

/// The client's end of a faulty answer.
pub(crate) struct Wire<'a> {
    stream: TcpStream,
    shared: &'a Shared,
}

impl Wire<'_> {
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.shared.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }

    /// Sends a byte a second until the client goes or `bytes` end.
    pub(crate) async fn trickle(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            self.send(std::slice::from_ref(byte)).await?;
            self.pause(Duration::from_secs(1)).await?;
        }
        Ok(())
    }

    /// Says nothing until the client goes.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        self.pause(Duration::MAX).await
    }

    /// Ends the connection in a way that the client sees as an error.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    async fn pause(&mut self, time: Duration) -> io::Result<()> {
        let mut byte = [0];
        match tokio::time::timeout(time, self.stream.read(&mut byte)).await {
            Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}

/// A request as it came, and the path that it is for.
struct Request {
    path: String,
    bytes: Vec<u8>,
}

/// Reads one request, or finds that the client is gone.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some((path, length)) = parse_head(buffer)
            && buffer.len() >= length
        {
            let bytes = buffer.drain(..length).collect();
            return Ok(Some(Request { path, bytes }));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// The path of the request, and how long it is with its body.
fn parse_head(bytes: &[u8]) -> Option<(String, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else {
        return None;
    };
    let path = request.path?.to_owned();
    let body = request
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok())
        .unwrap_or(0);
    Some((path, head + body))
}

/// Asks the issuer, over a connection of its own.
async fn forward(request: &Request, upstream: SocketAddr) -> io::Result<GoodAnswer> {
    const CLOSE: &[u8] = b"connection: close\r\n";
    let line = request
        .bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let mut stream = TcpStream::connect(upstream).await?;
    stream.write_all(&request.bytes[..line]).await?;
    stream.write_all(CLOSE).await?;
    stream.write_all(&request.bytes[line..]).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let head = position(&answer, b"\r\n\r\n").expect("the issuer answers with a head") + 4;
    let body = Bytes::from(answer.split_off(head));
    if let Some(at) = position(&answer, CLOSE) {
        answer.drain(at..at + CLOSE.len());
    }
    Ok(GoodAnswer { head: answer, body })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
