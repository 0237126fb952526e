//! A policy as a value of the runtime's `Policy` type.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::ast::{ClaimValue, Kind, Requirement};

/// The value with its full paths, for wherever it may stand.
pub(super) fn of(kind: &Kind, private: &TokenStream) -> TokenStream {
    value(kind, &quote!(#private::Policy::), &quote!(#private::ClaimValue::))
}

/// A reference to the value.
pub(super) fn borrowed(kind: &Kind, private: &TokenStream) -> TokenStream {
    let (reference, value) = (reference(kind), of(kind, private));
    quote!(#reference #value)
}

/// The `&` before a value. Of a policy that is defined elsewhere it has the place, which is where the compiler says so if that is
/// no policy.
fn reference(kind: &Kind) -> TokenStream {
    match kind {
        Kind::Named(path) => {
            let span = Span::mixed_site().located_at(path.span());
            quote_spanned!(span=> &)
        }
        _ => quote!(&),
    }
}

/// A reference to the value, by short names that are imported around it: what a reader of the expansion sees is the policy.
///
/// Names of items are not hygienic, and a policy that is defined elsewhere may have one of these: then it stays with full paths.
pub(super) fn to_be_read(kind: &Kind, private: &TokenStream) -> TokenStream {
    let mut names = Names::default();
    names.note(kind);
    if names.policies.len() < 2 || names.has_foreign {
        return borrowed(kind, private);
    }
    let value = value(kind, &TokenStream::new(), &quote!(ClaimValue::));
    let policies = names.policies.iter().map(|name| format_ident!("{name}"));
    let mut imports = quote!(Policy::{#(#policies),*});
    if names.has_claim_value {
        imports = quote!({ClaimValue, #imports});
    }
    quote!({
        use #private::#imports;
        &#value
    })
}

/// The names that a value is made of.
#[derive(Default)]
struct Names {
    policies: BTreeSet<&'static str>,
    has_claim_value: bool,
    /// Whether there are some of the user's.
    has_foreign: bool,
}

impl Names {
    fn note(&mut self, kind: &Kind) {
        match variant(kind) {
            Some(name) => self.policies.insert(name),
            None => return self.has_foreign = true,
        };
        match kind {
            Kind::All(operands) | Kind::Any(operands) => operands.iter().for_each(|operand| self.note(&operand.kind)),
            Kind::Not(operand) => self.note(&operand.kind),
            Kind::Claim { .. } => self.has_claim_value = true,
            _ => {}
        }
    }
}

/// The name of the runtime's variant; a policy that is defined elsewhere has none.
fn variant(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Public => "Public",
        Kind::Authenticated => "Authenticated",
        Kind::All(_) => "All",
        Kind::Any(_) => "Any",
        Kind::Not(_) => "Not",
        Kind::Role(_) => "Role",
        Kind::RealmRole(_) => "RealmRole",
        Kind::ClientRole { .. } => "ClientRole",
        Kind::Group(_) => "Group",
        Kind::GroupTree(_) => "GroupTree",
        Kind::Scope(_) => "Scope",
        Kind::Claim { .. } => "Claim",
        Kind::Acr(_) => "Acr",
        Kind::MaxAge(_) => "MaxAge",
        Kind::Owner { .. } => "Owner",
        Kind::Named(_) => return None,
    })
}

/// The value; `policy` and `claim_value` are what its variants have before their names.
fn value(kind: &Kind, policy: &TokenStream, claim_value: &TokenStream) -> TokenStream {
    let operand = |operand: &Requirement| value(&operand.kind, policy, claim_value);
    let content = match kind {
        Kind::Public | Kind::Authenticated => TokenStream::new(),
        Kind::All(operands) | Kind::Any(operands) => {
            let operands = operands.iter().map(operand);
            quote!((&[#(#operands),*]))
        }
        Kind::Not(negated) => {
            let (reference, negated) = (reference(&negated.kind), operand(negated));
            quote!((#reference #negated))
        }
        Kind::Role(name)
        | Kind::RealmRole(name)
        | Kind::Group(name)
        | Kind::GroupTree(name)
        | Kind::Scope(name)
        | Kind::Acr(name) => {
            let text = &name.text;
            quote!((#text))
        }
        Kind::ClientRole { client, role } => {
            let (client, role) = (&client.text, &role.text);
            quote!({ client: #client, role: #role })
        }
        Kind::Claim { path, value } => {
            let (path, value) = (&path.text, literal(value));
            quote!({ path: #path, value: #claim_value #value })
        }
        Kind::MaxAge(seconds) => quote!((#seconds)),
        Kind::Owner { parameter, claim } => {
            let (parameter, claim) = (&parameter.text, &claim.text);
            quote!({ parameter: #parameter, claim: #claim })
        }
        Kind::Named(path) => return path.clone(),
    };
    let variant = variant(kind).map(|name| format_ident!("{name}"));
    quote!(#policy #variant #content)
}

fn literal(value: &ClaimValue) -> TokenStream {
    match value {
        ClaimValue::String(name) => {
            let text = &name.text;
            quote!(String(#text))
        }
        ClaimValue::Integer(integer) => quote!(Integer(#integer)),
        ClaimValue::Boolean(boolean) => quote!(Boolean(#boolean)),
    }
}
