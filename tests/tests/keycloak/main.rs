//! What we assume of a real Keycloak, and what a service does with its tokens.

use std::process::ExitCode;

use keycloak_auth_tests::suite;

mod answers;
mod setup;

mod access_matrix;
mod algorithms;
mod client_authentication;
mod diagnosis;
mod differential;
mod facts;
mod introspection;
mod killed;
mod load;
mod orders;
mod outage;
mod policies;
mod port_from_fastapi;
mod refusals;
mod rotation;
mod rotation_under_load;
mod swagger_ui;
mod table;
mod token_endpoint;

fn main() -> ExitCode {
    let subjects = [
        facts::tests(),
        diagnosis::tests(),
        differential::tests(),
        table::tests(),
        policies::tests(),
        refusals::tests(),
        algorithms::tests(),
        rotation::tests(),
        rotation_under_load::tests(),
        introspection::tests(),
        client_authentication::tests(),
        token_endpoint::tests(),
        orders::tests(),
        port_from_fastapi::tests(),
        swagger_ui::tests(),
        access_matrix::tests(),
        outage::tests(),
        killed::tests(),
    ];
    suite::run(subjects.into_iter().flatten().collect())
}
