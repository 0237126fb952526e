//! Certificates of every kind, and a listener that shows them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A server's address, and who vouches for it and for its clients.
#[derive(Clone)]
pub struct Https {
    pub url: String,
    pub authority: Arc<Authority>,
}

/// An authority of the tests, which no machine trusts by itself.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("the system has random numbers");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        Self { issuer }
    }
}

impl Authority {
    /// Its certificate, for whoever is to trust it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for these names, valid from the first day of one year to that of another.
    pub fn certificate(&self, names: &[&str], from: i32, until: i32) -> Arc<ServerConfig> {
        self.server(names, from, until, WebPkiClientVerifier::no_client_auth())
    }

    /// A certificate for a server that wants one of this authority's from every client, too.
    pub fn certificate_for_known_clients(&self, names: &[&str]) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("an authority");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        self.server(names, 2020, 2100, verifier.expect("an authority"))
    }

    /// A certificate with its private key in PEM, for a client of this name.
    pub fn client_pem(&self, common_name: &str) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        self.pems(&params).concat()
    }

    /// A certificate and its private key in PEM, for a server on loopback.
    pub(crate) fn loopback_pems(&self) -> [String; 2] {
        self.pems(&CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address"))
    }

    fn pems(&self, params: &CertificateParams) -> [String; 2] {
        let key = KeyPair::generate().expect("the system has random numbers");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        [certificate.pem(), key.serialize_pem()]
    }

    fn server(&self, names: &[&str], from: i32, until: i32, clients: Arc<dyn ClientCertVerifier>) -> Arc<ServerConfig> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("the system has random numbers");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate fit");
        Arc::new(config)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Accepts TLS connections only; who does not manage the handshake is gone.
pub(crate) struct TlsListener {
    pub(crate) tcp: TcpListener,
    pub(crate) config: Arc<Mutex<Arc<ServerConfig>>>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.tcp).await;
            let config = Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner));
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
