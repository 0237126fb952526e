//! A TLS connection that shows the certificates of the other side, whether or not they are accepted.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::FutureExt as _;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::PATIENCE;
use crate::Keycloak;

/// What a handshake showed.
pub(super) struct Handshake {
    /// As the server sent them, in DER, its own first.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// Why they are not accepted, if they are not.
    pub(super) refusal: Option<Error>,
    /// The versions of TLS and HTTP that were agreed on.
    pub(super) protocol: Option<String>,
}

/// Makes a connection to look at; none where a proxy or an own HTTP client makes the connections, or no certificate came.
///
/// Trusts whom the HTTP client trusts, and sends nothing beyond the handshake.
pub(super) async fn look(keycloak: &Keycloak) -> Option<Handshake> {
    let parts = keycloak.parts();
    if !parts.realm_url.is_https() || !parts.connection.route.is_direct() {
        return None;
    }
    let (host, port) = parts.realm_url.host_and_port();
    let witness = Arc::new(Witness::new(&parts.connection.root_certificates)?);
    let connector = TlsConnector::from(Arc::new(config(Arc::clone(&witness))?));
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let handshake = async {
        let stream = TcpStream::connect((host, port)).await.ok()?;
        let stream = connector.connect(name, stream).await.ok()?;
        let (_, connection) = stream.get_ref();
        Some(protocol(connection.protocol_version(), connection.alpn_protocol()))
    };
    let protocol = timeout(PATIENCE, handshake)
        .map(|made| made.ok().flatten().flatten())
        .await;
    let testimony = witness
        .testimony
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()?;
    Some(Handshake {
        certificates: testimony.certificates,
        refusal: testimony.refusal,
        protocol,
    })
}

/// The connection that reqwest makes, but for the certificate of this client: the server is known before it is asked for.
fn config(witness: Arc<Witness>) -> Option<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(crypto())
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(witness)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(config)
}

fn crypto() -> Arc<CryptoProvider> {
    match CryptoProvider::get_default() {
        Some(provider) => Arc::clone(provider),
        None => Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
    }
}

fn protocol(version: Option<ProtocolVersion>, application: Option<&[u8]>) -> Option<String> {
    let version = match version? {
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        _ => return None,
    };
    Some(match application {
        Some(b"h2") => format!("{version}, HTTP/2"),
        Some(b"http/1.1") => format!("{version}, HTTP/1.1"),
        _ => version.to_owned(),
    })
}

/// The version that an HTTP client tells.
pub(super) fn version_name(version: reqwest::tls::Version) -> Option<&'static str> {
    use reqwest::tls::Version;

    match version {
        Version::TLS_1_3 => Some("TLSv1.3"),
        Version::TLS_1_2 => Some("TLSv1.2"),
        Version::TLS_1_1 => Some("TLSv1.1"),
        Version::TLS_1_0 => Some("TLSv1.0"),
        _ => None,
    }
}

/// Judges as the HTTP client does, and remembers what was judged, and how.
#[derive(Debug)]
struct Witness {
    verifier: Verifier,
    testimony: Mutex<Option<Testimony>>,
}

#[derive(Debug)]
struct Testimony {
    certificates: Vec<CertificateDer<'static>>,
    refusal: Option<Error>,
}

impl Witness {
    fn new(root_certificates: &[Vec<u8>]) -> Option<Self> {
        Some(Self {
            verifier: verifier(root_certificates)?,
            testimony: Mutex::new(None),
        })
    }
}

/// Without authorities of one's own it is as reqwest makes it everywhere; with them where it can.
#[cfg(any(all(unix, not(target_os = "android")), windows))]
fn verifier(root_certificates: &[Vec<u8>]) -> Option<Verifier> {
    let added = root_certificates
        .iter()
        .flat_map(|pem| CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
    Verifier::new_with_extra_roots(added, crypto()).ok()
}

#[cfg(not(any(all(unix, not(target_os = "android")), windows)))]
fn verifier(_: &[Vec<u8>]) -> Option<Verifier> {
    Verifier::new(crypto()).ok()
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self
            .verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let sent = std::iter::once(end_entity).chain(intermediates);
        *self.testimony.lock().unwrap_or_else(PoisonError::into_inner) = Some(Testimony {
            certificates: sent.map(|certificate| certificate.clone().into_owned()).collect(),
            refusal: verdict.as_ref().err().cloned(),
        });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
