//! Calls to other services, with an access token of this service or of its caller.
//!
//! 1. A token goes to the origins that were named, and nowhere else: another address is an error, and a redirect to another
//!    origin is not followed, or, where that is asked for, without the token and by another HTTP client.
//! 2. Whose token it is stands in the code: the service's own unless [`on_behalf_of`](ServiceClient::on_behalf_of) says
//!    otherwise, and then whether the caller's token is passed on or exchanged.
//! 3. Tokens are kept until shortly before they expire. When a service answers 401 all the same, the call is repeated once with
//!    a fresh one.

mod builder;
mod client;
mod error;
mod no_token;
mod on_behalf_of;
mod origins;
mod redirects;
mod request;
mod token_source;

pub use builder::ServiceClientBuilder;
pub use client::ServiceClient;
pub use error::ServiceClientError;
pub use no_token::NoToken;
pub use on_behalf_of::OnBehalfOf;
pub use request::ServiceRequest;
