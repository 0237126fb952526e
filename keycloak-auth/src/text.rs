//! Untrusted text, made fit for a log line or an error message.

use std::{borrow::Cow, fmt, time::Duration};

/// How many characters of an untrusted text are shown.
const SHOWN: usize = 64;

/// Displays an untrusted text: cut to 64 characters, with everything escaped that could forge or break a line.
pub(crate) fn shortened(text: &str) -> impl fmt::Display {
    Shortened(text)
}

struct Shortened<'t>(&'t str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(SHOWN) {
            write!(f, "{}", character.escape_debug())?;
        }
        if characters.next().is_some() {
            f.write_str("…")
        } else {
            Ok(())
        }
    }
}

/// The address with `…` for user name and password, also where it is so wrong that nobody can say which part is the password.
pub(crate) fn without_credentials(address: &str) -> Cow<'_, str> {
    let Some(end) = address.rfind('@') else {
        return Cow::Borrowed(address);
    };
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    let address = &address[end..];
    if !scheme.is_empty() && scheme.trim().bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Cow::Owned(format!("{scheme}://…{address}"))
    } else {
        Cow::Owned(format!("…{address}"))
    }
}

/// Displays an address that somebody configured, as [`shortened`] does, without user name and password.
pub(crate) fn shortened_address(address: &str) -> String {
    shortened(&without_credentials(address)).to_string()
}

/// The words as a list of code spans, as an error message shows them: "`a`, `b`".
pub(crate) fn code_list<'t>(words: impl IntoIterator<Item = &'t str>) -> String {
    words
        .into_iter()
        .map(|word| format!("`{}`", shortened(word)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A span of time in the largest unit that gives a whole number: "24 h", "90 s".
pub(crate) fn span(span: Duration) -> impl fmt::Display {
    let seconds = span.as_secs();
    match seconds {
        0 => format!("{} ms", span.as_millis()),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// The error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line
}

/// The text as HTML, also within an attribute in double quotes.
pub(crate) fn escaped_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_stays_a_text() {
        assert_eq!(
            escaped_html(r#"<b a="1" c='2'>&amp;"#),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;"
        );
    }

    #[test]
    fn spans_have_a_fitting_unit() {
        let seconds = [86_400, 1800, 90, 1];
        let shown = seconds.map(|seconds| span(Duration::from_secs(seconds)).to_string());
        assert_eq!(shown, ["24 h", "30 min", "90 s", "1 s"]);
        assert_eq!(span(Duration::from_millis(20)).to_string(), "20 ms");
    }

    #[test]
    fn addresses_lose_their_passwords() {
        for (address, shown) in [
            ("https://id.example.com/auth", "https://id.example.com/auth"),
            ("https://user:pass@id.example.com", "https://…@id.example.com"),
            ("https://user:p@ss/w@id.example.com", "https://…@id.example.com"),
            ("user:pass@id.example.com", "…@id.example.com"),
            ("user:p://w@id.example.com", "…@id.example.com"),
            ("@", "…@"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(address), shown);
        }
    }

    #[test]
    fn cuts_and_escapes() {
        assert_eq!(shortened("key-1").to_string(), "key-1");
        assert_eq!(shortened("a\r\nb\0").to_string(), "a\\r\\nb\\0");
        assert_eq!(shortened(&"k".repeat(65_536)).to_string().chars().count(), SHOWN + 1);
    }
}
