//! The last report, for all who ask within a few seconds.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderValue},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use super::DiagnosticReport;
use crate::Keycloak;

/// How long a report is shown, and how far apart diagnoses begin at least.
const PERIOD: Duration = Duration::from_secs(5);

/// What was found last; it is made while the lock is held, so that all who ask meanwhile wait for the same.
#[derive(Debug)]
pub(crate) struct Recent<T = DiagnosticReport>(Mutex<Option<Attempt<T>>>);

#[derive(Debug)]
struct Attempt<T> {
    began: Instant,
    /// None where the one who made it has gone away.
    found: Option<Found<T>>,
}

#[derive(Clone, Debug)]
struct Found<T> {
    at: Instant,
    value: T,
}

impl<T: Clone> Recent<T> {
    /// What was found at most `period` ago, or else what `find` finds.
    async fn get(&self, period: Duration, find: impl Future<Output = T>) -> T {
        let mut last = self.0.lock().await;
        match &*last {
            Some(Attempt { found: Some(found), .. }) if found.at.elapsed() < period => return found.value.clone(),
            // Whoever asks and goes away again must not cause more than the others.
            Some(Attempt { began, found: None }) => sleep_until(*began + period).await,
            _ => {}
        }
        let attempt = last.insert(Attempt {
            began: Instant::now(),
            found: None,
        });
        let value = find.await;
        attempt.found = Some(Found {
            at: Instant::now(),
            value: value.clone(),
        });
        value
    }
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl Keycloak {
    /// The report of a [diagnosis](Self::diagnose) that is at most 5 s old, for a handler: however many ask, and also go away
    /// again, Keycloak is asked every 5 s at most. It takes 10 s, and 5 s more behind somebody who has gone away.
    ///
    /// As a response the report is JSON, with 200, or 503 where something fails. It tells addresses, certificates and what is
    /// wrong with them: give the handler a policy.
    ///
    /// ```
    /// use axum::extract::State;
    /// use keycloak_auth::{DiagnosticReport, Keycloak, keycloak};
    ///
    /// #[keycloak(realm_roles = "admin")]
    /// async fn diagnosis(State(keycloak): State<Keycloak>) -> DiagnosticReport {
    ///     keycloak.recent_diagnosis().await
    /// }
    /// # let _ = diagnosis;
    /// ```
    pub async fn recent_diagnosis(&self) -> DiagnosticReport {
        self.parts()
            .recent_diagnosis
            .get(PERIOD, self.diagnose().into_future())
            .await
    }
}

/// Answers with JSON: 200, or 503 where something fails.
impl IntoResponse for DiagnosticReport {
    fn into_response(self) -> Response {
        let status = if self.is_healthy() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let headers = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        (status, headers, Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::{join_all, select};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn one_looks_for_all_who_ask_within_the_period() {
        let (recent, count) = (Recent::default(), AtomicUsize::new(0));
        let find = async || {
            tokio::task::yield_now().await;
            count.fetch_add(1, Ordering::Relaxed)
        };
        assert_eq!(join_all((0..10).map(|_| recent.get(LONG, find()))).await, [0; 10]);
        assert_eq!(recent.get(LONG, find()).await, 0);
        assert_eq!(recent.get(Duration::ZERO, find()).await, 1, "it is too old");
    }

    #[tokio::test]
    async fn who_goes_away_causes_no_more_than_others() {
        const PERIOD: Duration = Duration::from_millis(50);

        let recent = Recent::default();
        let began = Instant::now();
        for _ in 0..10 {
            let asking = std::pin::pin!(recent.get(PERIOD, pending::<()>()));
            select(asking, std::pin::pin!(tokio::task::yield_now())).await;
        }
        recent.get(PERIOD, async {}).await;
        assert!(began.elapsed() >= PERIOD, "{:?}", began.elapsed());
    }
}
