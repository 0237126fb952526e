//! Requests over connections that are kept alive, as many as the service answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{JoinHandle, JoinSet},
};

/// The requests to send: all alike, or each once.
#[derive(Clone)]
pub(crate) struct Load {
    requests: Arc<[Vec<u8>]>,
    taken: Arc<AtomicUsize>,
}

/// What a service did in one turn. Times in microseconds.
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
}

impl Load {
    pub(crate) fn of_token(token: &str) -> Self {
        Self::of_tokens(&[token.to_owned()])
    }

    pub(crate) fn of_tokens(tokens: &[String]) -> Self {
        let request = |token: &String| {
            format!(
                "GET /orders HTTP/1.1\r\nhost: orders.acme.test\r\naccept: application/json\r\n\
                 user-agent: benchmark\r\nauthorization: Bearer {token}\r\n\r\n"
            )
            .into_bytes()
        };
        Self {
            requests: tokens.iter().map(request).collect(),
            taken: Arc::default(),
        }
    }

    /// The next request; begins again after the last one.
    fn next(&self) -> &[u8] {
        let index = self.taken.fetch_add(1, Ordering::Relaxed);
        &self.requests[index % self.requests.len()]
    }

    /// How many different requests were sent.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed).min(self.requests.len())
    }
}

/// Sends requests for some time; the first of each connection are not counted.
pub(crate) async fn measure(address: SocketAddr, load: &Load, connections: usize, time: Duration) -> Measured {
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let load = load.clone();
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await;
            for _ in 0..20 {
                connection.ask(load.next()).await;
            }
            let begin = Instant::now();
            let mut times = Vec::new();
            while begin.elapsed() < time {
                let asked = Instant::now();
                connection.ask(load.next()).await;
                times.push(asked.elapsed());
            }
            (times, begin.elapsed())
        });
    }
    let mut per_second = 0.0;
    let mut times = Vec::new();
    for (own, elapsed) in tasks.join_all().await {
        per_second += own.len() as f64 / elapsed.as_secs_f64();
        times.extend(own);
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    Measured {
        per_second,
        median: at(0.5),
        p99: at(0.99),
    }
}

/// Sends requests until it is aborted.
pub(crate) fn flood(address: SocketAddr, load: &Arc<Load>, connections: usize) -> JoinHandle<()> {
    let load = Arc::clone(load);
    tokio::spawn(async move {
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let load = Arc::clone(&load);
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await;
                loop {
                    connection.ask(load.next()).await;
                }
            });
        }
        tasks.join_all().await;
    })
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The length of a whole answer: the same each time.
    length: Option<usize>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the service listens");
        stream.set_nodelay(true).expect("a TCP socket has the option");
        Self {
            stream,
            buffer: vec![0; 4096],
            length: None,
        }
    }

    async fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.expect("the service reads");
        let mut filled = 0;
        while self.length.is_none_or(|length| filled < length) {
            let read = self
                .stream
                .read(&mut self.buffer[filled..])
                .await
                .expect("the service answers");
            assert_ne!(read, 0, "the service closed the connection");
            filled += read;
            if self.length.is_none() {
                self.length = whole_length(&self.buffer[..filled]);
            }
        }
        assert_eq!(Some(filled), self.length, "answers differ in length");
    }
}

/// The length of an answer with its body, as soon as its headers are there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(answer).expect("the answers are text");
    let (head, _) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>())
    });
    let length = length.expect("an answer says how long it is").expect("a number");
    Some(head.len() + 4 + length)
}
