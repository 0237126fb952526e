//! One certificate, as far as a person wants to know it.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use x509_parser::{
    extensions::{GeneralName, ParsedExtension},
    parse_x509_certificate,
    prelude::{ASN1Time, X509Certificate},
    x509::X509Name,
};

use crate::text::shortened;

const SECONDS_PER_DAY: i64 = 86_400;

/// How an extension says where the issuer's certificate is to be had (RFC 5280 §4.2.2.1).
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// A certificate that a server sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) subject: Name,
    pub(super) issuer: Name,
    /// The hosts that it is for (RFC 9525 §6.1: the common name is none of them).
    pub(super) hosts: Vec<String>,
    pub(super) is_authority: bool,
    /// Whether it is signed with its own key, as the certificate of a root authority is.
    pub(super) is_self_signed: bool,
    /// Where its issuer's certificate is to be had, as it says.
    pub(super) issuer_url: Option<String>,
    /// Whole days until it is valid; above 0 if it is not yet.
    pub(super) days_until_valid: i64,
    /// Whole days until it ends; below 0 if it has.
    pub(super) days_left: i64,
}

/// A distinguished name, compared as its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    der: Vec<u8>,
    text: String,
}

impl Certificate {
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let now = ASN1Time::now().timestamp();
        let validity = certificate.validity();
        let until_valid = validity.not_before.timestamp() - now;
        let left = validity.not_after.timestamp() - now;
        Some(Self {
            subject: Name::new(certificate.subject()),
            issuer: Name::new(certificate.issuer()),
            hosts: hosts(&certificate),
            is_authority: certificate.is_ca(),
            is_self_signed: certificate.subject() == certificate.issuer() && certificate.verify_signature(None).is_ok(),
            issuer_url: issuer_url(&certificate),
            // A part of a day is one still to wait, and none that is left.
            days_until_valid: -(-until_valid).div_euclid(SECONDS_PER_DAY),
            days_left: left.div_euclid(SECONDS_PER_DAY),
        })
    }

    pub(super) fn has_expired(&self) -> bool {
        self.days_left < 0
    }

    pub(super) fn is_not_yet_valid(&self) -> bool {
        self.days_until_valid > 0
    }

    /// How long it is still valid, as in "it …".
    pub(super) fn term(&self) -> String {
        let (left, until_valid) = (self.days_left, self.days_until_valid);
        if self.has_expired() {
            format!("has expired, {} ago", days(-left))
        } else if self.is_not_yet_valid() {
            format!("is not valid yet, but in {}", days(until_valid))
        } else {
            format!("ends in {}", days(left))
        }
    }
}

fn days(number: i64) -> String {
    match number {
        1 => "1 day".to_owned(),
        number => format!("{number} days"),
    }
}

fn hosts(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let host = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string()),
            _ => Some(Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(host).collect()
}

fn issuer_url(certificate: &X509Certificate<'_>) -> Option<String> {
    let access = certificate
        .iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => Some(access),
            _ => None,
        })?;
    access.iter().find_map(|description| match description.access_location {
        GeneralName::URI(url) if description.access_method.to_id_string() == CA_ISSUERS => {
            Some(shortened(url).to_string())
        }
        _ => None,
    })
}

impl Name {
    /// The whole name, or the common name alone where that is too long to read.
    fn new(name: &X509Name<'_>) -> Self {
        const READABLE: usize = 64;

        let whole = name.to_string();
        let common = name.iter_common_name().next().and_then(|common| common.as_str().ok());
        let text = match common {
            Some(common) if whole.chars().count() > READABLE => format!("CN={common}"),
            _ => whole,
        };
        Self {
            der: name.as_raw().to_vec(),
            text: shortened(&text).to_string(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
