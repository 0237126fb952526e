//! A listener that nobody must ever connect to.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Counts TCP connections, whatever is said on them.
pub struct Trap {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Trap {
    pub async fn set() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let server = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            address,
            connections,
            server,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections came before this call.
    ///
    /// Connects once itself and waits until that is counted: connections are accepted in their order, so none that
    /// came earlier is missed, and a trap that counts nothing is found out.
    pub async fn connections(&self) -> usize {
        let before = self.connections.load(Ordering::SeqCst);
        let own = TcpStream::connect(self.address).await.expect("the trap listens");
        loop {
            let seen = self.connections.load(Ordering::SeqCst);
            if seen > before {
                drop(own);
                // Not to be counted by the next call.
                self.connections.fetch_sub(1, Ordering::SeqCst);
                return seen - 1;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.server.abort();
    }
}
