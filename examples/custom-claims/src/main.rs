//! A realm with claims of its own: a mapper of the client puts `tenant_id` and `department` into its tokens, and the
//! handlers read them typed.

use axum::{Json, Router};
use keycloak_auth::{CustomClaims, Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get};
use serde::{Deserialize, Serialize};

/// What the mappers of this realm add to its tokens.
#[derive(Debug, Deserialize)]
struct Employee {
    /// Every token has it: one without is answered with 401 and the code `invalid_claims`.
    tenant_id: u32,
    /// Not every user has one.
    department: Option<String>,
}

#[derive(Serialize)]
struct Desk {
    name: String,
    tenant_id: u32,
    department: String,
}

/// The claims as an argument, beside the user.
#[keycloak(authenticated)]
async fn desk(CustomClaims(employee): CustomClaims<Employee>, user: KeycloakUser) -> Json<Desk> {
    Json(Desk {
        name: user.name().unwrap_or("unknown").to_owned(),
        tenant_id: employee.tenant_id,
        department: employee.department.unwrap_or_else(|| "none".to_owned()),
    })
}

/// A claim in the policy: the compiler checks the words, the request obeys the value.
#[keycloak(claim("department" = "finance"))]
async fn ledger(user: KeycloakUser) -> String {
    // The same claims, where only some callers need them.
    match user.claims::<Employee>() {
        Ok(employee) => format!("The ledger of tenant {}", employee.tenant_id),
        Err(_) => "The ledger of no tenant".to_owned(),
    }
}

fn app(keycloak: Keycloak) -> Router {
    SecureRouter::new()
        .route("/desk", get(desk))
        .route("/ledger", get(ledger))
        .secure_with(keycloak)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app(Keycloak::from_env()?);
    let address = "127.0.0.1:3000";
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
