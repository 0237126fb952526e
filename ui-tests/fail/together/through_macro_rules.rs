//! A mistake in what a macro passes on is reported where it is written, not where the macro is.

use keycloak_auth::keycloak;

macro_rules! role {
    ($name:ident, $role:literal) => {
        #[keycloak(roles = $role)]
        async fn $name() {}
    };
}

macro_rules! roles {
    ($name:ident, $roles:expr) => {
        #[keycloak(roles = $roles)]
        async fn $name() {}
    };
}

macro_rules! policy {
    ($name:ident, $policy:expr) => {
        #[keycloak($policy)]
        async fn $name() {}
    };
}

macro_rules! words {
    ($name:ident, $($words:tt)*) => {
        #[keycloak($($words)*)]
        async fn $name() {}
    };
}

macro_rules! age {
    ($name:ident, $seconds:expr) => {
        #[keycloak(max_age($seconds))]
        async fn $name() {}
    };
}

macro_rules! guarded {
    ($item:item) => {
        #[keycloak(public)]
        $item
    };
}

role!(a_number, 7);
role!(a_negative_number, -7);
role!(several_names, "admin,ops");
roles!(a_constant, ROLE);
roles!(a_macro_call, concat!("a", "b"));
roles!(an_operator, "a" || "b");
policy!(an_operator_of_rust, role("a") || role("b"));
policy!(an_exclamation_mark, !role("a"));
words!(no_quotes, roles = admin);
age!(negative, -1);
age!(a_product, 5 * 60);
guarded!(struct Handler;);

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(a_number))
        .route("/1", axum::routing::get(a_negative_number))
        .route("/2", axum::routing::get(several_names))
        .route("/3", axum::routing::get(a_constant))
        .route("/4", axum::routing::get(a_macro_call))
        .route("/5", axum::routing::get(an_operator))
        .route("/6", axum::routing::get(an_operator_of_rust))
        .route("/7", axum::routing::get(an_exclamation_mark))
        .route("/8", axum::routing::get(no_quotes))
        .route("/9", axum::routing::get(negative))
        .route("/10", axum::routing::get(a_product));
    let _ = Handler;
}
