//! What a router knows of its routes: the access matrix before it is one.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{Request, State},
    http::request::Parts,
    response::{IntoResponse, Response},
    routing::MethodFilter,
};

use super::{MethodRouter, handler_cells::HandlerCells};
use crate::{
    Policy,
    access_matrix::{ANY_METHOD, AccessMatrix, AccessRow, Format, RouteKind},
    extract::{Enforcement, Rule, lent},
};

/// The name under which the page that this crate serves is listed and logged.
const MATRIX_PAGE: &str = "keycloak_auth::access_matrix_page";

/// A handler of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct HandlerRoute {
    pub(super) method: &'static str,
    pub(super) handler: &'static str,
    pub(super) policy: &'static Policy,
    pub(super) report_only: bool,
}

impl HandlerRoute {
    pub(super) const fn new(method: &'static str, handler: &'static str, policy: &'static Policy) -> Self {
        Self {
            method,
            handler,
            policy,
            report_only: false,
        }
    }
}

/// The methods that a filter lets through.
pub(super) fn methods_of(filter: MethodFilter) -> impl Iterator<Item = &'static str> {
    [
        ("CONNECT", MethodFilter::CONNECT),
        ("DELETE", MethodFilter::DELETE),
        ("GET", MethodFilter::GET),
        ("HEAD", MethodFilter::HEAD),
        ("OPTIONS", MethodFilter::OPTIONS),
        ("PATCH", MethodFilter::PATCH),
        ("POST", MethodFilter::POST),
        ("PUT", MethodFilter::PUT),
        ("TRACE", MethodFilter::TRACE),
    ]
    .into_iter()
    .filter(move |(_, method)| filter.or(*method) == filter)
    .map(|(name, _)| name)
}

/// The routes of a router, and the pages in it that show them.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    rows: Vec<AccessRow>,
    pages: Vec<Arc<OnceLock<AccessMatrix>>>,
}

impl Routes {
    pub(super) fn add(&mut self, path: &str, handlers: Vec<HandlerRoute>) {
        self.rows.extend(handlers.into_iter().map(|handler| {
            let row = AccessRow::new(handler.method, path, RouteKind::Handler, *handler.policy);
            row.handled_by(handler.handler).with_report_only(handler.report_only)
        }));
    }

    pub(super) fn add_public(&mut self, path: &str, kind: RouteKind) {
        self.rows.push(AccessRow::new(ANY_METHOD, path, kind, Policy::Public));
    }

    pub(super) fn set_fallback(&mut self, handler: &'static str, policy: &'static Policy) {
        // The fallback of a nested router stays, below its prefix.
        self.rows
            .retain(|row| row.kind() != RouteKind::Fallback || row.path() != "/*");
        self.rows
            .push(AccessRow::new(ANY_METHOD, "/*", RouteKind::Fallback, *policy).handled_by(handler));
    }

    pub(super) fn add_method_not_allowed(&mut self, handler: &'static str, policy: &'static Policy) {
        self.rows
            .push(AccessRow::new(ANY_METHOD, "/*", RouteKind::MethodNotAllowed, *policy).handled_by(handler));
    }

    pub(super) fn nest(&mut self, prefix: &str, routes: Self) {
        self.rows
            .extend(routes.rows.into_iter().map(|row| row.nested_in(prefix)));
        self.pages.extend(routes.pages);
    }

    pub(super) fn merge(&mut self, routes: Self) {
        self.rows.extend(routes.rows);
        self.pages.extend(routes.pages);
    }

    pub(super) fn set_report_only(&mut self) {
        self.rows
            .iter_mut()
            .filter(|row| row.handler() != Some(MATRIX_PAGE))
            .for_each(AccessRow::set_report_only);
    }

    pub(super) fn matrix(&self) -> AccessMatrix {
        AccessMatrix::new(self.rows.clone())
    }

    /// The handler of a page that shows the matrix of the router that it will be part of.
    pub(super) fn matrix_page<S>(&mut self, policy: &'static Policy) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let matrix = Arc::new(OnceLock::new());
        self.pages.push(Arc::clone(&matrix));
        let mut cells = HandlerCells::default();
        let cell = cells.next_cell();
        let rule = Rule::new(policy, MATRIX_PAGE);
        let handler = async move |State(state): State<S>, request: Request| {
            let (mut parts, _) = request.into_parts();
            // Who may call what is nothing to be read by everybody, whatever else is only reported about.
            let secured = cell.secured().clone().enforced(Enforcement::Enforced);
            if let Err(rejection) = lent(&rule, &mut parts, &secured, &state).await {
                return rejection.into_response();
            }
            page(&matrix, &parts)
        };
        MethodRouter {
            inner: axum::routing::get(handler),
            handlers: vec![HandlerRoute::new("GET", MATRIX_PAGE, policy)],
            cells,
            has_provided_state: false,
        }
    }

    /// What is done once the router is whole.
    #[track_caller]
    pub(super) fn start(&self) {
        for row in &self.rows {
            if let Some(complaint) = row.missing_parameter() {
                panic!("{complaint}");
            }
            if row.is_report_only() {
                tracing::warn!(
                    name: "keycloak.report_only",
                    target: "keycloak_auth",
                    { http.request.method = row.method(), http.route = row.path(), keycloak.policy = %row.policy() },
                    "report only: the policy is NOT enforced, what it would refuse is logged and counted",
                );
            }
        }
        if !self.pages.is_empty() {
            let matrix = self.matrix();
            for page in &self.pages {
                page.get_or_init(|| matrix.clone());
            }
        }
    }
}

/// The matrix in the form that the query asks for.
fn page(matrix: &OnceLock<AccessMatrix>, parts: &Parts) -> Response {
    let matrix = matrix.get().cloned().unwrap_or_default();
    let wanted = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("format="));
    match wanted {
        Some(name) => match Format::from_name(name) {
            Some(format) => matrix.response(format),
            None => (
                http::StatusCode::BAD_REQUEST,
                "format is one of html, text, markdown, json, csv",
            )
                .into_response(),
        },
        None => matrix.response(Format::Html),
    }
}
