//! The queries of the dashboard and of the alerts, as a parser of PromQL reads them.

use std::collections::BTreeSet;

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, AggregateExpr, Expr, VectorSelector},
};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../grafana/dashboard.json");
const ALERTS: &str = include_str!("../../prometheus/alerts.yaml");

/// A time series that a query asks for.
#[derive(Debug)]
pub struct Selector {
    pub series: String,
    /// The labels that are matched, or that the results are grouped by.
    pub labels: BTreeSet<String>,
    /// The values that labels have to have.
    pub values: Vec<(String, String)>,
    /// The query that it stands in.
    pub query: String,
}

/// Everything that the dashboard and the alerts ask for.
pub fn selectors() -> Vec<Selector> {
    let mut found = Vec::new();
    for query in panels().into_iter().chain(alerts()) {
        let expression = parser::parse(&without_variables(&query)).unwrap_or_else(|error| panic!("{error}: {query}"));
        collect(&expression, &[], &query, &mut found);
    }
    found.extend(variables());
    found
}

pub fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).expect("the dashboard is JSON")
}

/// The queries of the panels.
fn panels() -> Vec<String> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets
        .map(|target| target["expr"].as_str().expect("a query").to_owned())
        .collect()
}

/// The queries of the alerts: each begins behind `expr:`, and goes on while lines are indented more.
fn alerts() -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = ALERTS.lines().collect();
    let queries = lines.iter().enumerate().filter_map(|(number, line)| {
        let first = line.trim_start().strip_prefix("expr:")?;
        let more = lines[number + 1..]
            .iter()
            .take_while(|more| indent(more) > indent(line));
        let whole = [first.trim().trim_start_matches(">-")]
            .into_iter()
            .chain(more.map(|more| more.trim()));
        Some(whole.collect::<Vec<_>>().join(" ").trim().to_owned())
    });
    let queries: Vec<String> = queries.collect();
    assert_eq!(queries.len(), ALERTS.matches("- alert:").count(), "{queries:?}");
    queries
}

/// The lists above the dashboard, which are no PromQL: `label_values(metric, label)`.
fn variables() -> Vec<Selector> {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
    let queries = variables.filter_map(|variable| variable["query"]["query"].as_str());
    queries
        .map(|query| {
            let arguments = query
                .strip_prefix("label_values(")
                .and_then(|rest| rest.strip_suffix(')'));
            let (series, label) = arguments
                .and_then(|both| both.split_once(", "))
                .expect("a metric and a label");
            Selector {
                series: series.to_owned(),
                labels: BTreeSet::from([label.to_owned()]),
                values: Vec::new(),
                query: query.to_owned(),
            }
        })
        .collect()
}

/// The query with what Grafana puts in.
fn without_variables(query: &str) -> String {
    query
        .replace("$__rate_interval", "1m")
        .replace("$__range", "1h")
        .replace("$realm", ".*")
        .replace("$client_id", ".*")
}

fn collect(expression: &Expr, grouped_by: &[String], query: &str, found: &mut Vec<Selector>) {
    match expression {
        Expr::Aggregate(AggregateExpr {
            expr, modifier, param, ..
        }) => {
            let labels = modifier
                .iter()
                .flat_map(|modifier| modifier.labels().labels.iter().cloned());
            let labels: Vec<String> = labels.chain(grouped_by.iter().cloned()).collect();
            collect(expr, &labels, query, found);
            if let Some(param) = param {
                collect(param, grouped_by, query, found);
            }
        }
        Expr::Unary(unary) => collect(&unary.expr, grouped_by, query, found),
        Expr::Binary(binary) => {
            collect(&binary.lhs, grouped_by, query, found);
            collect(&binary.rhs, grouped_by, query, found);
        }
        Expr::Paren(inner) => collect(&inner.expr, grouped_by, query, found),
        Expr::Subquery(inner) => collect(&inner.expr, grouped_by, query, found),
        Expr::Call(call) => {
            for argument in &call.args.args {
                collect(argument, grouped_by, query, found);
            }
        }
        Expr::VectorSelector(selector) => found.push(Selector::new(selector, grouped_by, query)),
        Expr::MatrixSelector(selector) => found.push(Selector::new(&selector.vs, grouped_by, query)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

impl Selector {
    fn new(selector: &VectorSelector, grouped_by: &[String], query: &str) -> Self {
        let matchers: Vec<&Matcher> = selector.matchers.matchers.iter().collect();
        let labels = matchers.iter().map(|matcher| matcher.name.clone());
        Self {
            series: selector.name.clone().expect("each selector names its metric"),
            labels: labels.chain(grouped_by.iter().cloned()).collect(),
            values: matchers
                .iter()
                .filter(|matcher| matches!(matcher.op, MatchOp::Equal))
                .map(|matcher| (matcher.name.clone(), matcher.value.clone()))
                .collect(),
            query: query.to_owned(),
        }
    }
}
