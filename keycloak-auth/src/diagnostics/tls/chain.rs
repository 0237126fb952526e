//! The certificates that a server sent, and what is wrong with them.

use super::{
    super::Finding,
    advice::{ADD, NAME, NOT_YET, RENEW},
    certificate::Certificate,
};
use crate::{error::TlsFault, text::code_list};

/// A certificate is usually renewed earlier than this before its end, in days.
const SOON: i64 = 14;

/// How many of the hosts are named that a certificate is for.
const NAMED: usize = 8;

/// What a server sent.
pub(super) struct Chain {
    /// The server's own.
    own: Certificate,
    /// Those that came with it, in whatever order.
    others: Vec<Certificate>,
}

impl Chain {
    /// Reads the certificates from DER; none if the server's own is missing or unreadable.
    pub(super) fn read(sent: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Option<Self> {
        let mut sent = sent.into_iter();
        let own = Certificate::parse(sent.next()?.as_ref())?;
        let others = sent.filter_map(|der| Certificate::parse(der.as_ref())).collect();
        Some(Self { own, others })
    }

    /// The server's certificate, that of its issuer, and so on, as far as the server sent them.
    fn path(&self) -> Vec<&Certificate> {
        let mut path = vec![&self.own];
        let mut top = &self.own;
        while !top.is_self_signed
            && let Some(issuer) = self.others.iter().find(|other| other.subject == top.issuer)
            // Two that have issued each other.
            && !path.contains(&issuer)
        {
            path.push(issuer);
            top = issuer;
        }
        path
    }

    /// What to say of a chain that is accepted.
    pub(super) fn accepted(&self, protocol: Option<&str>) -> Finding {
        let own = &self.own;
        let protocol = protocol.map(|protocol| format!("{protocol}; ")).unwrap_or_default();
        let text = format!(
            "{protocol}the certificate is for {}, from `{}`, and {}",
            self.subjects(),
            own.issuer,
            own.term()
        );
        if own.days_left < SOON {
            return Finding::warning(text, "renew it: when it has ended, no keys can be fetched any more");
        }
        match self.path().into_iter().find(|above| above.days_left < SOON) {
            Some(above) => Finding::warning(
                format!(
                    "{protocol}the certificate `{}`, on which that of the server rests, {}",
                    above.subject,
                    above.term()
                ),
                "let the server send the current one of that authority: when this one has ended, no keys can be fetched any more",
            ),
            None => Finding::ok(text),
        }
    }

    /// Why the chain is not accepted, and what to do about it.
    pub(super) fn fault(&self, host: &str, refusal: &rustls::Error) -> (String, String) {
        let own = &self.own;
        let path = self.path();
        match TlsFault::of(refusal) {
            TlsFault::Expired => match path.iter().find(|certificate| certificate.has_expired()) {
                Some(&expired) if expired != own => (
                    of_intermediate(expired),
                    format!(
                        "get the current one from the authority, and let Keycloak or the proxy in front of it send that{}",
                        where_to_get(path.iter().find(|below| below.issuer == expired.subject))
                    ),
                ),
                _ => (format!("the certificate of `{host}` {}", own.term()), RENEW.to_owned()),
            },
            TlsFault::NotYetValid => match path.iter().find(|certificate| certificate.is_not_yet_valid()) {
                Some(&early) if early != own => (of_intermediate(early), NOT_YET.to_owned()),
                _ => (
                    format!("the certificate of `{host}` {}", own.term()),
                    NOT_YET.to_owned(),
                ),
            },
            TlsFault::HostnameMismatch if own.hosts.is_empty() => (
                format!(
                    "the certificate is not for `{host}`, nor for any other: it names no host, and a common name is none"
                ),
                "issue one that has this name as a subject alternative name".to_owned(),
            ),
            TlsFault::HostnameMismatch => (
                format!("the certificate is not for `{host}`, but for {}", self.subjects()),
                NAME.to_owned(),
            ),
            TlsFault::Untrusted if is_bad_signature(refusal) => {
                let issuer = &path.last().copied().unwrap_or(own).issuer;
                (
                    format!(
                        "the certificate of `{host}` comes from an authority that is named `{issuer}` like one that is trusted \
                         here, and has another key"
                    ),
                    format!("if `{issuer}` is yours and was made anew, {ADD}; if not, somebody may be in between"),
                )
            }
            TlsFault::Untrusted => self.untrusted(host, &path),
            TlsFault::Other if own.is_authority => (
                format!("the certificate of `{host}` is one of an authority, which no server may have"),
                "issue one for the server; where it is to vouch for itself, without the mark `CA:TRUE`".to_owned(),
            ),
            TlsFault::Other => (
                format!("the certificate of `{host}` is not accepted: {refusal}"),
                "issue another one".to_owned(),
            ),
        }
    }

    /// Where the way from the server's certificate to a trusted authority breaks off.
    fn untrusted(&self, host: &str, path: &[&Certificate]) -> (String, String) {
        let own = &self.own;
        let top = path.last().copied().unwrap_or(own);
        if own.is_self_signed {
            return (
                format!("the certificate of `{host}` is self-signed, and not one of those that are trusted here"),
                "if it is yours, add it by `.root_certificates(…)`; if not, somebody may be in between".to_owned(),
            );
        }
        if top.is_self_signed {
            return (
                format!(
                    "the certificate of `{host}` comes from `{}`, an authority that is not trusted here",
                    top.subject
                ),
                format!("if the authority is yours, {ADD}; if not, somebody may be in between"),
            );
        }
        let issuer = &top.issuer;
        let sent = match (path.len(), self.others.len()) {
            (1, 0) => {
                format!("the server sends only its own certificate: that of `{issuer}`, which issued it, is missing")
            }
            (1, _) => format!(
                "the certificates that the server sends do not belong together: that of `{issuer}`, which issued its own, is missing"
            ),
            _ => format!("the chain that the server sends ends too early: that of `{issuer}` is missing"),
        };
        (
            format!("{sent}, and it is none of those that are trusted here"),
            format!(
                "let Keycloak (`https-certificate-file`) or the proxy in front of it send its own certificate and then the \
                 intermediate ones{}; if `{issuer}` is an authority of yours, {ADD}",
                where_to_get(Some(&top))
            ),
        )
    }

    /// The hosts that the server's certificate is for, or whose it is.
    fn subjects(&self) -> String {
        let hosts = &self.own.hosts;
        if hosts.is_empty() {
            return format!("`{}`", self.own.subject);
        }
        let named = code_list(hosts.iter().take(NAMED).map(String::as_str));
        match hosts.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }

    /// Each certificate in a line, as sent.
    pub(super) fn lines(&self) -> Vec<String> {
        let path = self.path();
        let line = |(number, certificate): (usize, &Certificate)| {
            let Certificate { subject, issuer, .. } = certificate;
            let term = certificate.term();
            let number = number + 1;
            match (certificate.is_self_signed, path.contains(&certificate)) {
                (true, true) => format!("{number}. `{subject}`, self-signed, {term}"),
                (false, true) => format!("{number}. `{subject}` from `{issuer}`, {term}"),
                (_, false) => format!("{number}. `{subject}` from `{issuer}`, {term}, is not part of the chain"),
            }
        };
        std::iter::once(&self.own)
            .chain(&self.others)
            .enumerate()
            .map(line)
            .collect()
    }
}

fn of_intermediate(certificate: &Certificate) -> String {
    let Certificate { subject, .. } = certificate;
    let term = certificate.term();
    format!("the intermediate certificate `{subject}`, which the server sends, {term}")
}

/// Whether the name of a trusted authority was found, and its key did not fit.
fn is_bad_signature(refusal: &rustls::Error) -> bool {
    matches!(
        refusal,
        rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature)
    )
}

/// Where the certificate of the issuer is to be had, if this one says so.
fn where_to_get(certificate: Option<&&Certificate>) -> String {
    let url = certificate.and_then(|certificate| certificate.issuer_url.as_deref());
    url.map(|url| format!(" (to be had at `{url}`)")).unwrap_or_default()
}
