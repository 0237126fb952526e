//! What WebDriver has no word for: chromedriver hands it to the browser's developer tools (Chrome DevTools Protocol).

use anyhow::{Context as _, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::Chromium;

impl Chromium {
    /// Sends the access token with every request from now on, as no browser does by itself.
    pub async fn send_bearer(&self, token: &str) -> Result<()> {
        self.tell("Network.enable", json!({})).await?;
        let headers = json!({ "headers": { "Authorization": format!("Bearer {token}") } });
        self.tell("Network.setExtraHTTPHeaders", headers).await
    }

    /// Shows pages in a window of this size, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size).await
    }

    /// Shows pages as for this medium (`screen`, `print`), to somebody who prefers this colour scheme (`light`, `dark`).
    pub async fn show_as(&self, medium: &str, scheme: &str) -> Result<()> {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.tell(
            "Emulation.setEmulatedMedia",
            json!({ "media": medium, "features": [feature] }),
        )
        .await
    }

    /// What an expression of JavaScript is in the page.
    pub async fn evaluate(&self, expression: &str) -> Result<Value> {
        let value = self.client.execute(&format!("return {expression};"), Vec::new()).await;
        value.with_context(|| format!("`{expression}` fails"))
    }

    async fn tell(&self, command: &'static str, parameters: Value) -> Result<()> {
        let answer = self.client.issue_cmd(Command { command, parameters }).await;
        answer.map(drop).with_context(|| format!("`{command}` fails"))
    }
}

#[derive(Debug)]
struct Command {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}
