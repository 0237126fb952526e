//! What we assume of a real Keycloak, and what a service does with its tokens.

use std::process::ExitCode;

use keycloak_auth_tests::suite;

mod answers;
mod setup;

mod access_matrix;
mod algorithms;
mod diagnosis;
mod differential;
mod facts;
mod introspection;
mod orders;
mod outage;
mod policies;
mod refusals;
mod rotation;
mod swagger_ui;
mod table;

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
        introspection::tests(),
        orders::tests(),
        swagger_ui::tests(),
        access_matrix::tests(),
        outage::tests(),
    ];
    suite::run(subjects.into_iter().flatten().collect())
}
