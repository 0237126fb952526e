#![allow(unused_imports, unused_macros)]

use keycloak_auth::keycloak;

#[keycloak(public)]
pub struct Orders;

#[keycloak(public)]
enum Choice {}

#[keycloak(public)]
mod orders {}

#[keycloak(public)]
impl Orders {}

#[keycloak(public)]
trait List {}

#[keycloak(public)]
const POLICY: u8 = 1;

#[keycloak(public)]
pub(crate) static NUMBER: u8 = 1;

#[keycloak(public)]
type Alias = Orders;

#[keycloak(public)]
use std::fmt as _;

#[keycloak(public)]
union Either {
    a: u8,
}

#[keycloak(public)]
unsafe extern "C" {}

#[keycloak(public)]
macro_rules! handlers {
    () => {};
}

fn main() {}
