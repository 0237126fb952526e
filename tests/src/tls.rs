//! Certificates of every kind, and a listener that shows them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
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
    /// What its servers send beside their own certificates.
    sent: Vec<CertificateDer<'static>>,
    /// Where its certificate is to be had, as the ones that it issues say.
    url: Option<String>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::root("Acme Root")
    }
}

impl Authority {
    /// One that vouches for itself.
    pub fn root(common_name: &str) -> Self {
        let issuer = CertifiedIssuer::self_signed(authority(common_name, 2020, 2100), key());
        Self {
            issuer: issuer.expect("a certificate"),
            sent: Vec::new(),
            url: None,
        }
    }

    /// One below this one, valid from the first day of one year to that of another; its servers send its certificate, too.
    pub fn intermediate(&self, common_name: &str, from: i32, until: i32) -> Self {
        let issuer = CertifiedIssuer::signed_by(authority(common_name, from, until), key(), &self.issuer);
        let issuer = issuer.expect("a certificate");
        let sent = [&[issuer.der().clone()], self.sent.as_slice()].concat();
        Self {
            issuer,
            sent,
            url: None,
        }
    }

    /// The same, whose servers send these certificates beside their own.
    pub fn sending(self, sent: &[&Self]) -> Self {
        let sent = sent.iter().map(|authority| authority.issuer.der().clone()).collect();
        Self { sent, ..self }
    }

    /// The same, whose servers send this certificate as well.
    pub fn sending_also(mut self, authority: &Self) -> Self {
        self.sent.push(authority.issuer.der().clone());
        self
    }

    /// The same, whose certificates say where its own is to be had.
    pub fn at(self, url: &str) -> Self {
        let url = Some(url.to_owned());
        Self { url, ..self }
    }

    /// Its certificate and its key for a server, as if they were one's own.
    pub fn itself(&self) -> Arc<ServerConfig> {
        let certificate = self.issuer.der().clone();
        config(
            WebPkiClientVerifier::no_client_auth(),
            vec![certificate],
            self.issuer.key(),
        )
    }

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

    /// A certificate and its private key in PEM, for a server on loopback, valid until the first day of that year.
    pub fn loopback_pems(&self, until: i32) -> [String; 2] {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
        params.distinguished_name.push(DnType::CommonName, "Keycloak");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        self.pems(&params)
    }

    fn pems(&self, params: &CertificateParams) -> [String; 2] {
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        [certificate.pem(), key.serialize_pem()]
    }

    fn server(&self, names: &[&str], from: i32, until: i32, clients: Arc<dyn ClientCertVerifier>) -> Arc<ServerConfig> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, "Keycloak");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        params.custom_extensions.extend(self.url.as_deref().map(issuer_at));
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let sent = [&[certificate.der().clone()], self.sent.as_slice()].concat();
        config(clients, sent, &key)
    }
}

fn authority(common_name: &str, from: i32, until: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params
}

/// The extension that says where the issuer's certificate is to be had (RFC 5280 §4.2.2.1).
fn issuer_at(url: &str) -> CustomExtension {
    const AUTHORITY_INFO_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
    const CA_ISSUERS: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    const URI: u8 = 0x86;
    const SEQUENCE: u8 = 0x30;

    let element = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).ok().filter(|&length| length < 128);
        [&[tag, length.expect("a short URL")], content].concat()
    };
    let description = [CA_ISSUERS, &element(URI, url.as_bytes())].concat();
    let content = element(SEQUENCE, &element(SEQUENCE, &description));
    CustomExtension::from_oid_content(AUTHORITY_INFO_ACCESS, content)
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has random numbers")
}

fn config(
    clients: Arc<dyn ClientCertVerifier>,
    sent: Vec<CertificateDer<'static>>,
    key: &KeyPair,
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_client_cert_verifier(clients)
        .with_single_cert(sent, key)
        .expect("key and certificate fit");
    Arc::new(config)
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
