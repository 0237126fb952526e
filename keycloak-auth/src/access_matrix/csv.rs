//! The matrix as comma-separated values (RFC 4180).

use super::AccessMatrix;

impl AccessMatrix {
    /// The matrix as CSV: a header line, and lines that end in CRLF.
    ///
    /// A cell that a spreadsheet would take for a formula gets an apostrophe in front; names come from a realm file.
    ///
    /// ```
    /// # use keycloak_auth::{SecureRouter, keycloak, routing::get};
    /// # #[keycloak(realm_roles = "admin")]
    /// # async fn orders() {}
    /// # let router: SecureRouter = SecureRouter::new().route("/orders", get(orders));
    /// let csv = router.access_matrix().to_csv();
    /// assert!(csv.contains("GET,/orders,\"realm_role(\"\"admin\"\")\","), "{csv}");
    /// ```
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for cells in self.cells() {
            let fields: Vec<_> = cells.iter().map(|cell| field(cell)).collect();
            text.push_str(&fields.join(","));
            text.push_str("\r\n");
        }
        text
    }
}

fn field(text: &str) -> String {
    let guarded = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match guarded.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}
