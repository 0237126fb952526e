//! What a production of the policy language means, in every place where it shows.

use keycloak_auth::{SecureRouter, access_matrix::Access, testing::TestToken};
use serde_json::Value;

pub type Edit = fn(TestToken<'_>) -> TestToken<'_>;

/// A route with its policy, who may call it, and the forms of its policy.
pub struct Production {
    pub path: &'static str,
    /// As it is written.
    pub policy: &'static str,
    pub admits: Edit,
    /// Who is refused: with 403, or with 401 where a better login would help (RFC 9470). None where nobody is.
    pub refuses: Option<(Edit, u16)>,
    pub expression: &'static str,
    pub data: Value,
    pub sentence: &'static str,
    /// What the realm role `r` and the group `/g` alone may do.
    pub access: [Access; 2],
    /// The sets of scopes with one of which the policy can be met.
    pub scopes: Value,
}

impl Production {
    /// The path of a request: whoever owns something in it is `u-1`.
    pub fn request_path(&self) -> String {
        self.path.replace("{id}", "u-1")
    }
}

/// Handlers with the same policies twice: with the attribute above that of utoipa, and below it.
pub struct Order {
    pub name: &'static str,
    pub router: fn() -> SecureRouter,
}

/// The handlers of all productions and the table of them.
macro_rules! productions {
    ($($name:ident $path:literal $([$($parameter:tt)*])?: $policy:tt {
        admits: $admits:expr, refuses: $refuses:expr,
        expression: $expression:expr, data: $data:tt, sentence: $sentence:expr,
        access: $access:expr, scopes: $scopes:tt,
    })*) => {
        mod policy_above {
            use super::*;

            $(
                #[keycloak $policy]
                #[utoipa::path(
                    get, path = $path, params($(($($parameter)*))?),
                    responses((status = 200, description = "OK"))
                )]
                async fn $name() -> &'static str {
                    stringify!($name)
                }
            )*

            pub(super) fn router() -> SecureRouter {
                SecureRouter::new()$(.routes(secure_routes!($name)))*
            }
        }

        mod policy_below {
            use super::*;

            $(
                #[utoipa::path(
                    get, path = $path, params($(($($parameter)*))?),
                    responses((status = 200, description = "OK"))
                )]
                #[keycloak $policy]
                async fn $name() -> &'static str {
                    stringify!($name)
                }
            )*

            pub(super) fn router() -> SecureRouter {
                SecureRouter::new()$(.routes(secure_routes!($name)))*
            }
        }

        pub const ORDERS: [Order; 2] = [
            Order { name: "policy above", router: policy_above::router },
            Order { name: "policy below", router: policy_below::router },
        ];

        pub fn productions() -> Vec<Production> {
            vec![$(Production {
                path: $path,
                policy: stringify!($policy),
                admits: $admits,
                refuses: $refuses,
                expression: $expression,
                data: json!($data),
                sentence: $sentence,
                access: $access,
                scopes: json!($scopes),
            }),*]
        }
    };
}

pub(super) use productions;
