//! The dashboard and the alerts, held to the code and to what the example serves.

mod files;
mod queries;
mod served;
