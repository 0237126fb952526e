//! A service as a process of its own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use crate::services::{guarded_router, unprotected_router};

#[derive(Clone, Copy)]
pub(crate) enum Service {
    Unprotected,
    Guarded,
    #[cfg(feature = "peers")]
    AxumKeycloakAuth,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Guarded => "guarded",
            #[cfg(feature = "peers")]
            Self::AxumKeycloakAuth => "axum-keycloak-auth",
        }
    }
}

/// Ends when it is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    pub(crate) fn start(service: Service, issuer: &str) -> Self {
        let this = std::env::current_exe().expect("the path of this benchmark");
        let mut command = if has_taskset() {
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(this);
            command
        } else {
            Command::new(this)
        };
        command.args(["--serve", service.name(), issuer]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this benchmark starts once more");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the service says where it is");
        let address = line.trim().parse().expect("an address");
        Self { process, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Keeps this process, from which the load comes, off the core of the services.
pub(crate) fn leave_core_to_services() {
    let others = std::thread::available_parallelism().map_or(1, usize::from) - 1;
    if others > 0 && has_taskset() {
        let (cores, process) = (format!("1-{others}"), std::process::id().to_string());
        let taskset = Command::new("taskset")
            .args(["-a", "-c", "-p", &cores, &process])
            .stdout(Stdio::null())
            .status();
        if !taskset.is_ok_and(|status| status.success()) {
            println!("the load could not be kept off the core of the services");
        }
    }
}

fn has_taskset() -> bool {
    Command::new("taskset").arg("-V").stdout(Stdio::null()).status().is_ok()
}

/// Serves on one thread until the process is ended.
pub(crate) fn serve(service: &str, issuer: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let router = match service {
            "unprotected" => unprotected_router(),
            "guarded" => guarded_router(issuer).await,
            #[cfg(feature = "peers")]
            "axum-keycloak-auth" => crate::services::axum_keycloak_auth(issuer),
            other => panic!("there is no service `{other}`"),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("a bound socket has an address"));
        axum::serve(listener, router).await.expect("a server on loopback runs");
    });
}
