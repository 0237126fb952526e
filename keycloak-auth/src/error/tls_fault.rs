//! What is wrong with a certificate, found in the causes of a connection error.

use std::{error::Error, io};

use rustls::{CertificateError, InvalidMessage};

/// Why the other side's certificate is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// It has expired.
    Expired,
    /// It is not valid yet: one of the clocks is wrong.
    NotYetValid,
    /// It comes from an authority that is not trusted here.
    Untrusted,
    /// It is for another host.
    HostnameMismatch,
    /// TLS does not come about for another reason.
    Other,
}

impl TlsFault {
    /// What TLS says is the matter.
    pub(crate) fn of(error: &rustls::Error) -> Self {
        let rustls::Error::InvalidCertificate(error) = error else {
            return Self::Other;
        };
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::HostnameMismatch
            }
            // The latter by an authority that has the name of a trusted one, and another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            // Self-signed certificates without the marks of an authority end here, among others.
            _ => Self::Other,
        }
    }
}

/// Looks for TLS in the causes of an error.
pub(super) fn tls_fault(error: &(dyn Error + 'static)) -> Option<TlsFault> {
    tls_error(error).map(TlsFault::of)
}

/// Whether the other side answered in something else than TLS: in most cases it speaks http.
pub(super) fn is_no_tls(error: &(dyn Error + 'static)) -> bool {
    matches!(
        tls_error(error),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType))
    )
}

fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(error);
        }
        // What an I/O error wraps is not among its sources, only what that wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
