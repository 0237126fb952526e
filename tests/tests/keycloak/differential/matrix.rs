//! Every user with every client, by every grant that the client allows, with every scope that it offers.

use anyhow::{Result, ensure};
use keycloak_auth_tests::{Browser, Realm, SigningKey};
use serde_json::Value;

use super::{
    compare::differences,
    grant::{Caller, Outcome},
    pair::Pair,
};

/// More than this would hide the first.
const SHOWN: usize = 60;

/// A client as Keycloak itself describes it, be it of the file or built in.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub dpop: bool,
    in_file: bool,
    has_secret: bool,
    password: bool,
    code: bool,
    client_credentials: bool,
    exchange: bool,
    redirect_uris: Vec<String>,
    optional_scopes: Vec<String>,
}

/// How many scopes are asked for.
#[derive(Clone, Copy, PartialEq)]
pub enum Scopes {
    Each,
    /// None, `openid` and all.
    Few,
}

/// Goes through the whole matrix; at least `expected` of its requests must give tokens.
pub async fn check(pair: &Pair, scopes: Scopes, expected: usize) -> Result<()> {
    let mut even = Matrix::of(pair, scopes).await?;
    let mut odd = even.clone();
    // Two at a time, for the servers do other work while they wait for one.
    tokio::try_join!(even.check_clients(0), odd.check_clients(1))?;
    even.add(odd);
    even.finish(expected)
}

#[derive(Clone)]
struct Matrix<'p> {
    pair: &'p Pair,
    scopes: Scopes,
    clients: Vec<Client>,
    introspecting: Vec<Client>,
    users: Vec<String>,
    key: SigningKey,
    compared: usize,
    granted: usize,
    /// Each difference with the first grant that shows it, and how many others do.
    report: Vec<(String, String, usize)>,
}

impl<'p> Matrix<'p> {
    async fn of(pair: &'p Pair, scopes: Scopes) -> Result<Self> {
        let clients = Client::all(&pair.real).await?;
        let introspecting = clients.iter().filter(|client| client.has_secret).cloned().collect();
        let users = pair.real.file()["users"].as_array().into_iter().flatten();
        let users = users.filter(|user| user.get("serviceAccountClientId").is_none());
        Ok(Self {
            pair,
            users: users
                .filter_map(|user| Some(user["username"].as_str()?.to_owned()))
                .collect(),
            clients,
            scopes,
            introspecting,
            key: SigningKey::es256("caller"),
            compared: 0,
            granted: 0,
            report: Vec::new(),
        })
    }

    fn callers<'a>(&'a self, client: &'a Client) -> [Caller<'a>; 2] {
        [&self.pair.real, &self.pair.embedded].map(|realm| Caller {
            realm,
            client,
            introspecting: &self.introspecting,
            key: &self.key,
            asks_further: true,
        })
    }

    /// Every second client, from this one on.
    async fn check_clients(&mut self, first: usize) -> Result<()> {
        let clients: Vec<_> = self.clients.iter().skip(first).step_by(2).cloned().collect();
        for client in clients {
            self.check_client(&client).await?;
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.granted += other.granted;
        self.report.extend(other.report);
    }

    async fn check_client(&mut self, client: &Client) -> Result<()> {
        let scopes = match self.scopes {
            Scopes::Each => client.scopes(),
            Scopes::Few => client.few_scopes(),
        };
        if client.client_credentials {
            for scope in &scopes {
                let [real, embedded] = self.callers(client);
                let both = tokio::try_join!(real.client_credentials(scope), embedded.client_credentials(scope))?;
                self.note("a service account", client, "client credentials", scope, &both);
            }
        }
        for user in self.users.clone() {
            if client.password {
                self.check_password(client, &user, &scopes).await?;
            }
            if client.code {
                self.check_code(client, &user, &scopes).await?;
            }
        }
        Ok(())
    }

    async fn check_password(&mut self, client: &Client, user: &str, scopes: &[String]) -> Result<()> {
        for scope in scopes {
            let [real, embedded] = self.callers(client);
            let both = tokio::try_join!(real.password(user, scope), embedded.password(user, scope))?;
            let granted = self.note(user, client, "password", scope, &both);
            if !granted && scope.is_empty() {
                // Who cannot log in cannot do it with any scope.
                break;
            }
            self.check_refresh(client, user, "password", scope, &both).await?;
            if scope == "openid" {
                self.check_exchange(client, user, scope, &both).await?;
            }
        }
        Ok(())
    }

    /// The first login fills in the form, the others find the session of the browser.
    async fn check_code(&mut self, client: &Client, user: &str, scopes: &[String]) -> Result<()> {
        let mut browsers = [Browser::default(), Browser::default()];
        for scope in scopes {
            let [real, embedded] = self.callers(client);
            let [of_real, of_embedded] = &mut browsers;
            let both = tokio::join!(real.code(of_real, user, scope), embedded.code(of_embedded, user, scope));
            let both = match both {
                (Ok(real), Ok(embedded)) => (real, embedded),
                // Neither lets the user in: the login page says why, which is for the test of errors.
                (Err(_), Err(_)) if scope.is_empty() => break,
                (Err(_), Err(_)) => continue,
                (Err(error), Ok(_)) => {
                    self.differ(
                        user,
                        client,
                        "code",
                        scope,
                        &format!("only Keycloak refuses: {error:#}"),
                    );
                    break;
                }
                (Ok(_), Err(error)) => {
                    let text = format!("only the embedded realm refuses: {error:#}");
                    self.differ(user, client, "code", scope, &text);
                    continue;
                }
            };
            self.note(user, client, "code", scope, &both);
            self.check_refresh(client, user, "code", scope, &both).await?;
        }
        Ok(())
    }

    /// With the scope of the refresh token, and with less of it.
    async fn check_refresh(
        &mut self,
        client: &Client,
        user: &str,
        grant: &str,
        scope: &str,
        (real, embedded): &(Outcome, Outcome),
    ) -> Result<()> {
        let (Some(of_real), Some(of_embedded)) = (&real.refresh_token, &embedded.refresh_token) else {
            return Ok(());
        };
        let [mut real, mut embedded] = self.callers(client);
        // What the other endpoints say of the first token they say of its successors.
        let asks_further = client.asks_for_all(scope);
        (real.asks_further, embedded.asks_further) = (asks_further, asks_further);
        let both = tokio::try_join!(real.refresh(of_real, ""), embedded.refresh(of_embedded, ""))?;
        self.note(user, client, &format!("refresh after {grant}"), scope, &both);
        if !asks_further {
            return Ok(());
        }
        let (Some(of_real), Some(of_embedded)) = (&both.0.refresh_token, &both.1.refresh_token) else {
            return Ok(());
        };
        let [real, embedded] = self.callers(client);
        let both = tokio::try_join!(real.refresh(of_real, "openid"), embedded.refresh(of_embedded, "openid"))?;
        self.note(
            user,
            client,
            &format!("refresh for `openid` alone after {grant}"),
            scope,
            &both,
        );
        Ok(())
    }

    /// By every client that may exchange tokens, in whose audience the token is or not.
    async fn check_exchange(
        &mut self,
        client: &Client,
        user: &str,
        scope: &str,
        (real, embedded): &(Outcome, Outcome),
    ) -> Result<()> {
        let (Some(of_real), Some(of_embedded)) = (&real.access_token, &embedded.access_token) else {
            return Ok(());
        };
        if client.dpop {
            return Ok(());
        }
        let exchanging: Vec<_> = self.clients.iter().filter(|client| client.exchange).cloned().collect();
        for by in &exchanging {
            for asked in by.few_scopes() {
                let [real, embedded] = self.callers(by);
                let both = tokio::try_join!(real.exchange(of_real, &asked), embedded.exchange(of_embedded, &asked))?;
                let grant = format!("exchange of a token of {} with `{scope}`", client.id);
                if !self.note(user, by, &grant, &asked, &both) && asked.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Compares what both sides gave; whether it was tokens.
    fn note(
        &mut self,
        user: &str,
        client: &Client,
        grant: &str,
        scope: &str,
        (real, embedded): &(Outcome, Outcome),
    ) -> bool {
        self.compared += 1;
        for difference in differences(&real.document, &embedded.document) {
            self.differ(user, client, grant, scope, &difference.to_string());
        }
        let granted = real.access_token.is_some() && embedded.access_token.is_some();
        self.granted += usize::from(granted);
        granted
    }

    fn differ(&mut self, user: &str, client: &Client, grant: &str, scope: &str, text: &str) {
        let first = format!("{user}, {}, {grant}, scope `{scope}`", client.id);
        match self.report.iter_mut().find(|(_, known, _)| known == text) {
            Some((_, _, others)) => *others += 1,
            None => self.report.push((first, text.to_owned(), 0)),
        }
    }

    fn finish(self, expected: usize) -> Result<()> {
        let line = |(first, text, others): &(String, String, usize)| match others {
            0 => format!("{first}: {text}"),
            others => format!("{first} and {others} others: {text}"),
        };
        let shown = self.report.iter().take(SHOWN).map(line).collect::<Vec<_>>().join("\n");
        ensure!(
            self.report.is_empty(),
            "{} differences in {} grants:\n{shown}",
            self.report.len(),
            self.compared
        );
        ensure!(
            self.granted >= expected,
            "only {} of {} grants gave tokens, too few to tell anything",
            self.granted,
            self.compared
        );
        Ok(())
    }
}

impl Client {
    /// The clients of a realm that give tokens to anybody.
    async fn all(realm: &Realm) -> Result<Vec<Self>> {
        let clients = realm.admin().read(&format!("realms/{}/clients", realm.name())).await?;
        let clients = clients.as_array().into_iter().flatten();
        Ok(clients.map(|client| Self::of(client, realm)).collect())
    }

    fn of(client: &Value, realm: &Realm) -> Self {
        let is = |name: &str| client[name] == true;
        let attribute = |name: &str| client["attributes"][name] == "true";
        let texts = |name: &str| -> Vec<String> {
            let texts = client[name].as_array().into_iter().flatten();
            texts.filter_map(|text| Some(text.as_str()?.to_owned())).collect()
        };
        let id = client["clientId"].as_str().unwrap_or_default().to_owned();
        let has_secret = realm.client_secret(&id).is_some();
        // A built-in client has a secret that nobody knows.
        let usable = (is("publicClient") || has_secret) && !is("bearerOnly");
        let in_file = realm.file()["clients"].as_array();
        Self {
            in_file: in_file.into_iter().flatten().any(|client| client["clientId"] == id),
            dpop: attribute("dpop.bound.access.tokens"),
            has_secret,
            password: usable && is("directAccessGrantsEnabled"),
            code: usable && is("standardFlowEnabled") && is("enabled"),
            client_credentials: usable && is("serviceAccountsEnabled"),
            exchange: usable && attribute("standard.token.exchange.enabled"),
            redirect_uris: texts("redirectUris"),
            optional_scopes: texts("optionalClientScopes"),
            id,
        }
    }

    /// None, `openid`, each optional one, and all; of a built-in client the few.
    fn scopes(&self) -> Vec<String> {
        let mut scopes = self.few_scopes();
        if self.in_file {
            scopes.extend(self.optional_scopes.iter().map(|scope| format!("openid {scope}")));
        }
        scopes
    }

    /// None, `openid` and all.
    fn few_scopes(&self) -> Vec<String> {
        vec![String::new(), "openid".to_owned(), self.all_scopes()]
    }

    /// What anybody may ask for: offline tokens are only for users with the role.
    fn all_scopes(&self) -> String {
        let mut words = vec!["openid"];
        words.extend(self.optional_scopes.iter().map(String::as_str));
        words.retain(|word| *word != "offline_access");
        words.join(" ")
    }

    fn asks_for_all(&self, scope: &str) -> bool {
        scope == self.all_scopes()
    }

    /// A URI that the client accepts.
    pub fn redirect_uri(&self, realm: &Realm) -> String {
        let pattern = self.redirect_uris.first().map_or("", String::as_str);
        let uri = match pattern.strip_suffix('*') {
            Some(start) if start.ends_with(':') => format!("{start}3000/callback"),
            Some(start) => format!("{start}callback"),
            None => pattern.to_owned(),
        };
        if uri.starts_with('/') {
            format!("{}{uri}", realm.server_url())
        } else {
            uri
        }
    }
}
