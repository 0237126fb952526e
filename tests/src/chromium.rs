//! A real browser, driven by WebDriver.

mod devtools;

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// What the driver says of a search while another page comes.
const CUT_SHORT: &str = "aborted by navigation";

/// How long a page may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the tests need: `chromedriver` beside a Chromium; Debian has both.
const MISSING: &str = "no browser: install `chromium` and `chromium-driver`";

/// Chromium without a window, with an empty profile. It ends when this is dropped.
pub struct Chromium {
    client: Client,
    driver: Child,
    screenshots: Screenshots,
    /// Removed with everything that the browser left in it.
    _profile: TempDir,
}

/// Where the pictures go: `KEYCLOAK_AUTH_SCREENSHOTS`, or `target/screenshots`.
struct Screenshots {
    folder: PathBuf,
    label: String,
    taken: usize,
}

impl Chromium {
    /// Whether there is a browser; the text says what to install.
    pub fn find() -> Result<(), String> {
        let found = Command::new("chromedriver").arg("--version").output();
        found.map(drop).map_err(|_| MISSING.to_owned())
    }

    /// Starts a browser whose screenshots begin with `label`.
    pub async fn start(label: &str) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let (mut driver, port) = tokio::task::block_in_place(start_driver)?;
        let client = match connect(port, profile.path()).await {
            Ok(client) => client,
            Err(error) => {
                end(&mut driver);
                return Err(error);
            }
        };
        Ok(Self {
            client,
            driver,
            screenshots: Screenshots {
                folder: screenshot_folder()?,
                label: label.to_owned(),
                taken: 0,
            },
            _profile: profile,
        })
    }

    pub async fn open(&self, url: &str) -> Result<()> {
        self.client
            .goto(url)
            .await
            .with_context(|| format!("cannot open {url}"))
    }

    /// The element, as soon as it is there. A search that a navigation cuts short is begun again, on the next page.
    pub async fn wait_for(&self, css: &str) -> Result<Element> {
        let began = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let search = self.client.wait().at_most(left).for_element(Locator::Css(css)).await;
            match search {
                Err(error) if began.elapsed() < PATIENCE && error.to_string().contains(CUT_SHORT) => {}
                search => return search.with_context(|| format!("`{css}` does not appear")),
            }
        }
    }

    /// Whether there is such an element now.
    pub async fn has(&self, css: &str) -> Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    pub async fn click(&self, css: &str) -> Result<()> {
        let element = self.wait_for(css).await?;
        element.click().await.with_context(|| format!("cannot click `{css}`"))
    }

    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self.wait_for(css).await?.text().await?)
    }

    /// Types into an empty field.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        let field = self.wait_for(css).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Turns to the window that was opened last, as soon as there are `count` of them.
    pub async fn turn_to_window(&self, count: usize) -> Result<()> {
        self.wait_until("another number of windows", async || {
            Ok(self.client.windows().await?.len() == count)
        })
        .await?;
        let window = self.client.windows().await?.pop().context("a window")?;
        Ok(self.client.switch_to_window(window).await?)
    }

    pub async fn wait_until(&self, what: &str, mut condition: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let asking = async {
            loop {
                ticks.tick().await;
                if condition().await? {
                    return Ok(());
                }
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(done) => done,
            Err(_) => anyhow::bail!("waited in vain: {what}"),
        }
    }

    pub async fn address(&self) -> Result<String> {
        Ok(self.client.current_url().await?.to_string())
    }

    /// Takes a picture of the page as it is.
    pub async fn screenshot(&mut self, step: &str) -> Result<()> {
        let picture = self.client.screenshot().await?;
        let Screenshots { folder, label, taken } = &mut self.screenshots;
        *taken += 1;
        std::fs::write(folder.join(format!("{label}-{taken:02}-{step}.png")), picture)?;
        Ok(())
    }

    /// Closes the browser.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.clone().close().await?)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        end(&mut self.driver);
    }
}

/// Ends the driver and with it the browser.
fn end(driver: &mut Child) {
    // It may have ended already.
    let _ = driver.kill();
    let _ = driver.wait();
}

/// Starts the driver, and says at which port. It looks for one that is free for IPv4 and IPv6, and ends when another process has taken
/// one of the two by then.
fn start_driver() -> Result<(Child, u16)> {
    const ATTEMPTS: usize = 5;

    let mut attempts = 1;
    loop {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context(MISSING)?;
        let error = match port_of(&mut driver) {
            Ok(port) => return Ok((driver, port)),
            Err(error) => error,
        };
        end(&mut driver);
        if attempts == ATTEMPTS {
            return Err(error);
        }
        attempts += 1;
    }
}

/// The port that the driver has chosen, which it says on its output.
fn port_of(driver: &mut Child) -> Result<u16> {
    let output = driver.stdout.take().context("the driver's output is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    anyhow::bail!("chromedriver ended without naming its port")
}

async fn connect(port: u16, profile: &Path) -> Result<Client> {
    let arguments = [
        "--headless",
        // Containers have no user namespaces, and often run as root.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1280,1400",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let mut capabilities = Map::new();
    capabilities.insert("goog:chromeOptions".to_owned(), json!({ "args": arguments }));
    capabilities.insert("unhandledPromptBehavior".to_owned(), Value::from("accept"));
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await?;
    Ok(client)
}

fn screenshot_folder() -> Result<PathBuf> {
    let folder = match env::var_os("KEYCLOAK_AUTH_SCREENSHOTS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots"),
    };
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
