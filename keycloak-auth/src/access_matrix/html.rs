//! The matrix as a page in one file: nothing is loaded from elsewhere, and without scripts only the filter is missing.

use std::{fmt::Write as _, sync::LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use http::HeaderValue;

use super::{Access, AccessMatrix, AccessRow, Subject, SubjectKind};
use crate::text::escaped_html;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl AccessMatrix {
    /// The matrix as an HTML page.
    ///
    /// It has a column for each role and group that the policies name, or for each subject that was asked for, with a mark
    /// where that one alone suffices; a box that filters the routes, also by who may call them; and light and dark colours.
    /// The headings stay in sight while a large table is scrolled.
    #[must_use]
    pub fn to_html(&self) -> String {
        let columns = self.columns();
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Access matrix</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Access matrix</h1>\n{SEARCH}{LEGEND}\
             <div class=\"scroll\" tabindex=\"0\">\n<table aria-describedby=\"legend\">\n"
        );
        head(&mut page, &columns);
        page.push_str("<tbody>\n");
        for row in &self.rows {
            line(&mut page, row, &columns);
        }
        let _ = write!(
            page,
            "</tbody>\n</table>\n</div>\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
        );
        page
    }
}

const SEARCH: &str = "<p class=\"filter\"><label for=\"filter\">Filter</label> \
    <input id=\"filter\" type=\"search\" placeholder=\"path, role, group, user, handler …\" \
    autocomplete=\"off\" spellcheck=\"false\"> \
    <output id=\"count\" for=\"filter\"></output></p>\n";

// Not the table's caption, which would be as wide as the table.
const LEGEND: &str = "<p class=\"legend\" id=\"legend\">Every route with its policy. \
    <span class=\"allow\">✓</span> this role, group or user alone may call it; \
    <span class=\"depends\">◐</span> it depends on scopes, claims, the login or the path; \
    <span class=\"reported\">○</span> it is let in although the policy may say no, because that is only reported; \
    empty: it may not.</p>\n";

/// Two lines of headings: the kinds, and below them the names.
fn head(page: &mut String, columns: &[Subject]) {
    page.push_str("<thead>\n<tr>");
    for (class, heading) in [("method", "Method"), ("path", "Path")] {
        let _ = write!(page, "<th scope=\"col\" rowspan=\"2\" class=\"{class}\">{heading}</th>");
    }
    for kind in SubjectKind::ALL {
        let heading = match kind {
            SubjectKind::RealmRole => "Realm roles",
            SubjectKind::ClientRole => "Client roles",
            SubjectKind::Group => "Groups",
            SubjectKind::User => "Users",
        };
        let count = columns.iter().filter(|column| column.kind() == kind).count();
        if count > 0 {
            let _ = write!(page, "<th scope=\"colgroup\" colspan=\"{count}\">{heading}</th>");
        }
    }
    for (class, heading) in [("policy", "Policy"), ("handler", "Handler")] {
        let _ = write!(page, "<th scope=\"col\" rowspan=\"2\" class=\"{class}\">{heading}</th>");
    }
    page.push_str("</tr>\n<tr>");
    for kind in SubjectKind::ALL {
        for column in columns.iter().filter(|column| column.kind() == kind) {
            let _ = write!(
                page,
                "<th scope=\"col\" class=\"name\" title=\"{} {name}\"><span>{name}</span></th>",
                kind.word(),
                name = escaped_html(column.name())
            );
        }
    }
    page.push_str("</tr>\n</thead>\n");
}

fn line(page: &mut String, row: &AccessRow, columns: &[Subject]) {
    let _ = write!(
        page,
        "<tr><td class=\"method\"><code>{}</code></td><th scope=\"row\" class=\"path\"><code>{}</code></th>",
        row.method(),
        // Where a long one may be broken.
        escaped_html(row.path()).replace('/', "<wbr>/")
    );
    for kind in SubjectKind::ALL {
        for column in columns.iter().filter(|column| column.kind() == kind) {
            page.push_str(match column.access(row.policy()) {
                Access::Depends | Access::Deny if row.is_report_only() => {
                    "<td class=\"reported\"><span role=\"img\" aria-label=\"let in, only reported\">○</span></td>"
                }
                Access::Allow => "<td class=\"allow\"><span role=\"img\" aria-label=\"allowed\">✓</span></td>",
                Access::Depends => "<td class=\"depends\"><span role=\"img\" aria-label=\"depends\">◐</span></td>",
                Access::Deny => "<td class=\"deny\"><span class=\"hidden\">denied</span></td>",
            });
        }
    }
    let _ = write!(
        page,
        "<td class=\"policy\"><span>{}</span><br><code>{}</code>",
        with_code(&row.policy().requirement()),
        escaped_html(&row.policy().to_string())
    );
    for note in row.notes() {
        let class = if row.is_report_only() { "warning" } else { "note" };
        let _ = write!(page, " <strong class=\"{class}\">{note}</strong>");
    }
    let _ = writeln!(
        page,
        "</td><td class=\"handler\"><code>{}</code></td></tr>",
        escaped_html(row.handler().unwrap_or_default()).replace("::", "<wbr>::")
    );
}

/// Allows the page's own style and script by their hashes, and nothing else (Content Security Policy Level 3).
pub(super) fn content_security_policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let hash = |text: &str| STANDARD.encode_to_string(digest(&SHA256, text.as_bytes()).as_ref());
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        HeaderValue::from_str(&policy).expect("base64 is ASCII")
    });
    POLICY.clone()
}

/// A sentence with its code spans.
fn with_code(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    parts.fold(String::new(), |mut html, (index, part)| {
        let _ = match index % 2 {
            0 => write!(html, "{}", escaped_html(part)),
            _ => write!(html, "<code>{}</code>", escaped_html(part)),
        };
        html
    })
}
