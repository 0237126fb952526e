//! The keys that were left out of the key set, each reported once.

use crate::jose::SkippedKey;

/// How many of them are told one by one; a set of 256 KiB can have tens of thousands.
const MAX_REPORTED: usize = 64;

/// Remembers what was said of the current set.
#[derive(Debug, Default)]
pub(super) struct SkippedKeys {
    reported: Vec<SkippedKey>,
}

impl SkippedKeys {
    /// Reports the keys that were not left out before. One that went and came back is reported again.
    pub(super) fn report(&mut self, skipped: &[SkippedKey]) {
        self.reported.retain(|key| skipped.contains(key));
        for key in skipped {
            if self.reported.contains(key) {
                continue;
            }
            if self.reported.len() == MAX_REPORTED {
                let count = skipped.len();
                tracing::info!(name: "keycloak.keys_skipped", target: "keycloak_auth", { keycloak.keys = count }, "more keys are left out of the key set");
                return;
            }
            tracing::info!(name: "keycloak.key_skipped", target: "keycloak_auth", "left out of the key set: {key}");
            self.reported.push(key.clone());
        }
    }
}
