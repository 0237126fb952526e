//! All that a service says in an answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

/// Status, headers and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// An answer as it came over the socket, whole.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut fields);
        let parsed = response.parse(bytes).expect("an HTTP/1.1 answer");
        let httparse::Status::Complete(head) = parsed else {
            panic!("the answer is cut short: {:?}", String::from_utf8_lossy(bytes));
        };
        let mut headers = HeaderMap::new();
        for field in response.headers.iter() {
            headers.append(
                HeaderName::from_bytes(field.name.as_bytes()).expect("a header name"),
                HeaderValue::from_bytes(field.value).expect("a header value"),
            );
        }
        Self {
            status: response.code.expect("an answer has a status"),
            headers,
            body: Bytes::copy_from_slice(&bytes[head..]),
        }
    }

    /// Every `WWW-Authenticate` value.
    pub fn challenges(&self) -> Vec<&str> {
        let values = self.headers.get_all(header::WWW_AUTHENTICATE).iter();
        values
            .map(|value| value.to_str().expect("a challenge is ASCII"))
            .collect()
    }

    /// The only challenge there is.
    #[track_caller]
    pub fn challenge(&self) -> &str {
        let challenges = self.challenges();
        assert_eq!(challenges.len(), 1, "one challenge: {self:?}");
        challenges[0]
    }

    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn retry_after(&self) -> Option<u64> {
        self.header(header::RETRY_AFTER)?.parse().ok()
    }

    pub fn content_type(&self) -> Option<&str> {
        self.header(header::CONTENT_TYPE)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not JSON ({error}): {}", self.text()),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
