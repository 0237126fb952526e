//! The dashboard and the alerts ask for what the crate has.

use std::collections::BTreeSet;

use keycloak_auth::metrics::{DEFAULT_PREFIX, Metric, MetricKind};

use crate::queries;

/// The metric of a time series, whose name has a suffix if it is a histogram.
fn metric_of(series: &str) -> Option<Metric> {
    Metric::ALL.iter().copied().find(|metric| {
        let name = metric.name(DEFAULT_PREFIX);
        match metric.kind() {
            MetricKind::Histogram => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|suffix| series == format!("{name}{suffix}")),
            _ => series == name,
        }
    })
}

#[test]
fn every_query_is_promql_about_metrics_and_labels_that_exist() {
    let mut metrics = BTreeSet::new();
    for selector in queries::selectors() {
        let (series, query) = (&selector.series, &selector.query);
        let Some(metric) = metric_of(series) else {
            panic!("there is no `{series}`: {query}")
        };
        for label in &selector.labels {
            let exists = metric.tags().contains(&&**label)
                || ["client_id", "realm"].contains(&&**label)
                || (label == "le" && metric.kind() == MetricKind::Histogram);
            assert!(exists, "`{series}` has no `{label}`: {query}");
        }
        metrics.insert(metric.suffix());
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
fn legends_name_what_the_results_are_grouped_by() {
    let selectors = queries::selectors();
    for panel in queries::dashboard()["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let (query, legend) = (&target["expr"], target["legendFormat"].as_str().unwrap_or_default());
            let selector = selectors.iter().find(|selector| *query == selector.query.as_str());
            let labels = &selector.expect("it has been parsed").labels;
            for label in legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")) {
                assert!(labels.contains(label.0.trim()), "`{legend}` of {query}");
            }
        }
    }
}

#[test]
fn panels_do_not_overlap_and_take_the_data_source_that_was_chosen() {
    let dashboard = queries::dashboard();
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
