//! The dashboard and the alerts ask for what the crate has.

use std::collections::BTreeSet;

use keycloak_auth::metrics::{DEFAULT_PREFIX, Metric, MetricKind};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../grafana/dashboard.json");
const ALERTS: &str = include_str!("../prometheus/alerts.yaml");

/// The metrics that an expression names, with the labels that stand behind each in braces.
fn asked_for(text: &str) -> Vec<(String, Vec<String>)> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(&format!("{DEFAULT_PREFIX}_"))
        .map(|(start, _)| {
            let rest = &text[start..];
            let (name, rest) = rest.split_at(rest.find(|c| !is_of_name(c)).unwrap_or(rest.len()));
            let selector = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let labels = selector.map_or("", |(selector, _)| selector).split(", ");
            let labels = labels.filter_map(|matcher| matcher.split_once(['=', '!']));
            (name.to_owned(), labels.map(|(label, _)| label.to_owned()).collect())
        })
        .collect()
}

/// The metric of a time series, whose name has a suffix if it is a histogram.
fn metric_of(series: &str) -> Option<Metric> {
    Metric::ALL.into_iter().find(|metric| {
        let name = metric.name(DEFAULT_PREFIX);
        match metric.kind() {
            MetricKind::Histogram => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|suffix| series == format!("{name}{suffix}")),
            _ => series == name,
        }
    })
}

fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
    targets
        .map(|target| &target["expr"])
        .chain(variables.map(|variable| &variable["query"]["query"]))
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .chain(
            ALERTS
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
                .map(str::to_owned),
        )
        .collect()
}

#[test]
fn every_metric_and_label_that_is_asked_for_exists() {
    let mut metrics = BTreeSet::new();
    for expression in expressions() {
        let asked = asked_for(&expression);
        // Of one expression, `by (…)` is about all the metrics in it.
        let grouped = expression.split("by (").skip(1).filter_map(|rest| rest.split_once(')'));
        let grouped: Vec<&str> = grouped.flat_map(|(labels, _)| labels.split(", ")).collect();
        for (series, mut labels) in asked {
            let Some(metric) = metric_of(&series) else {
                panic!("there is no `{series}`: {expression}")
            };
            labels.extend(grouped.iter().map(|label| (*label).to_owned()));
            for label in labels {
                let exists = metric.tags().contains(&&*label)
                    || ["client_id", "realm"].contains(&&*label)
                    || (label == "le" && metric.kind() == MetricKind::Histogram);
                assert!(exists, "`{series}` has no `{label}`: {expression}");
            }
            metrics.insert(metric.suffix());
        }
    }
    for metric in [
        Metric::Decisions,
        Metric::TokenValidationFailure,
        Metric::TokenValidationLatency,
        Metric::TokenCacheHits,
        Metric::JwksAge,
        Metric::ProviderOutage,
        Metric::ProviderRequestLatency,
    ] {
        assert!(metrics.contains(metric.suffix()), "{metric:?} is nowhere to be seen");
    }
}

#[test]
fn panels_do_not_overlap_and_take_the_data_source_that_was_chosen() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = &panel["title"];
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "{title}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let place = |name: &str| panel["gridPos"][name].as_u64().expect("a number");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && taken.insert((x, y)), "{title}");
            }
        }
    }
}
