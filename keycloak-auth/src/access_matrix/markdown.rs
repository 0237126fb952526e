//! The matrix as a table in a Markdown document (GitHub Flavored Markdown §4.10).

use super::AccessMatrix;

impl AccessMatrix {
    /// The matrix as a Markdown table.
    ///
    /// ```
    /// # use keycloak_auth::{SecureRouter, keycloak, routing::get};
    /// # #[keycloak(roles = "admin")]
    /// # async fn orders() {}
    /// # let router: SecureRouter = SecureRouter::new().route("/orders", get(orders));
    /// let table = router.access_matrix().to_markdown();
    /// assert!(table.contains(r#"| `GET` | `/orders` | `role("admin")` |"#), "{table}");
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut lines = self.cells().into_iter();
        let header = lines.next().unwrap_or_default();
        let mut table = line(header.iter().map(|cell| code(cell)));
        table.push_str(&line(header.iter().map(|_| "---".to_owned())));
        for cells in lines {
            table.push_str(&line(cells.iter().map(|cell| code(cell))));
        }
        table
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The text in a code span (CommonMark §6.1). A bar would end the cell, even in there; a run of as many backticks as stand around
/// it would end the span, so there stand more than in any run of the text.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.replace('|', "\\|").replace(['\r', '\n'], " ");
    match text.split(|character| character != '`').map(str::len).max() {
        None | Some(0) => format!("`{text}`"),
        Some(longest) => {
            let fence = "`".repeat(longest + 1);
            format!("{fence} {text} {fence}")
        }
    }
}
