//! The words of the policy language.

use super::Policy;

/// An arm for each kind of policy, from which the list follows: neither can lack one that the other has.
macro_rules! words {
    ($($kind:pat => $word:literal,)*) => {
        impl Policy {
            /// The words of the policy language that a policy can begin with, one for each kind of policy: for editors,
            /// and for tests that something is there for each.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word that the policy begins with, in the policy language and as data.
            ///
            /// ```
            /// use keycloak_auth::policy;
            ///
            /// assert_eq!(policy!(any(role("admin"), group("/ops"))).word(), "any");
            /// ```
            #[must_use]
            pub const fn word(&self) -> &'static str {
                match self {
                    $($kind => $word,)*
                }
            }
        }
    };
}

words! {
    Self::Public => "public",
    Self::Authenticated => "authenticated",
    Self::All(_) => "all",
    Self::Any(_) => "any",
    Self::Not(_) => "not",
    Self::Role(_) => "role",
    Self::RealmRole(_) => "realm_role",
    Self::ClientRole { .. } => "client_role",
    Self::Group(_) => "group",
    Self::GroupTree(_) => "group_tree",
    Self::Scope(_) => "scope",
    Self::Claim { .. } => "claim",
    Self::Acr(_) => "acr",
    Self::MaxAge(_) => "max_age",
    Self::Owner { .. } => "owner",
}
