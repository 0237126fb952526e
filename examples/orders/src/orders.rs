//! Orders, kept in memory: the store is not the subject here.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use keycloak_auth::{KeycloakUser, keycloak};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Order {
    #[schema(example = 1)]
    id: u32,
    #[schema(example = "Espresso beans, 1 kg")]
    item: String,
    #[schema(example = 3, minimum = 1)]
    quantity: u32,
    /// The user who placed it.
    #[schema(example = "alice")]
    placed_by: String,
}

/// What a client sends to place an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    #[schema(example = "Paper filters, 100 pcs", min_length = 1)]
    item: String,
    #[schema(example = 2, minimum = 1)]
    quantity: u32,
}

/// The answer where something is wrong with the request itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    error: FaultDetails,
}

#[derive(Debug, Serialize, ToSchema)]
struct FaultDetails {
    #[schema(example = "not_found")]
    code: &'static str,
    message: String,
}

type Failure = (StatusCode, Json<Fault>);

fn fault(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
    let message = message.into();
    let error = FaultDetails { code, message };
    (status, Json(Fault { error }))
}

fn no_such_order(id: u32) -> Failure {
    fault(StatusCode::NOT_FOUND, "not_found", format!("there is no order {id}"))
}

/// List orders
#[keycloak(client_roles("orders-api" = "orders:read"), realm_roles = "admin", any)]
#[utoipa::path(get, path = "/orders", tag = "orders", responses((status = 200, description = "All orders", body = [Order])))]
pub(crate) async fn list(State(orders): State<Orders>) -> Json<Vec<Order>> {
    Json(orders.all())
}

/// Place an order
#[keycloak(client_roles("orders-api" = "orders:write"), realm_roles = "admin", any)]
#[utoipa::path(
    post,
    path = "/orders",
    tag = "orders",
    responses(
        (status = 201, description = "The order, with its number", body = Order),
        (status = 422, description = "The order makes no sense", body = Fault),
    )
)]
pub(crate) async fn create(
    user: KeycloakUser,
    State(orders): State<Orders>,
    Json(order): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), Failure> {
    if order.item.trim().is_empty() || order.quantity == 0 {
        return Err(fault(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_order",
            "an order has an `item`, and a `quantity` of at least 1",
        ));
    }
    // A service account has a user name as well; a lightweight token may have none.
    let placed_by = user.username().unwrap_or("unknown");
    let order = orders.add(order.item, order.quantity, placed_by);
    Ok((StatusCode::CREATED, Json(order)))
}

/// Show an order
#[keycloak(client_roles("orders-api" = "orders:read"), realm_roles = "admin", any)]
#[utoipa::path(
    get,
    path = "/orders/{id}",
    tag = "orders",
    params(("id" = u32, Path, description = "The order's number")),
    responses(
        (status = 200, description = "The order", body = Order),
        (status = 404, description = "No such order", body = Fault),
    )
)]
pub(crate) async fn show(State(orders): State<Orders>, Path(id): Path<u32>) -> Result<Json<Order>, Failure> {
    orders.find(id).map(Json).ok_or_else(|| no_such_order(id))
}

/// Delete an order
#[keycloak(realm_roles = "admin")]
#[utoipa::path(
    delete,
    path = "/orders/{id}",
    tag = "orders",
    params(("id" = u32, Path, description = "The order's number")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such order", body = Fault),
    )
)]
pub(crate) async fn remove(State(orders): State<Orders>, Path(id): Path<u32>) -> Result<StatusCode, Failure> {
    orders
        .remove(id)
        .map(|_| StatusCode::NO_CONTENT)
        .ok_or_else(|| no_such_order(id))
}

/// The store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders(Arc<RwLock<BTreeMap<u32, Order>>>);

impl Orders {
    pub(crate) fn with_samples() -> Self {
        let orders = Self::default();
        orders.add("Espresso beans, 1 kg".to_owned(), 3, "alice");
        orders.add("Descaler, 500 ml".to_owned(), 1, "bob");
        orders
    }

    fn all(&self) -> Vec<Order> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    fn find(&self, id: u32) -> Option<Order> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn add(&self, item: String, quantity: u32, placed_by: &str) -> Order {
        let mut orders = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let id = orders.last_key_value().map_or(1, |(last, _)| last + 1);
        let order = Order {
            id,
            item,
            quantity,
            placed_by: placed_by.to_owned(),
        };
        orders.insert(id, order.clone());
        order
    }

    fn remove(&self, id: u32) -> Option<Order> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }
}
