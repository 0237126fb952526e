//! The handler with its policy: one hidden type, one constant, one argument.

mod value;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use crate::{
    ast::Requirement,
    check::{self, Place},
    errors::Errors,
    handler::{self, HandlerFn},
    openapi, parse, paths,
    realm::RealmCheck,
};

/// `#[keycloak(arguments)] item`
pub(crate) fn attribute(arguments: TokenStream, item: TokenStream, realm: RealmCheck) -> TokenStream {
    let mut errors = Errors::default();
    realm.report(&mut errors);
    let dependencies = &realm.dependencies;
    let arguments = parse::arguments(arguments, &mut errors);
    let crate_path = arguments.crate_path.clone();
    let policy = check::policy(arguments, Place::Attribute, realm.realm.as_deref(), &mut errors);
    let handler = match handler::read(item, &mut errors) {
        Ok(handler) => handler,
        Err(item) => {
            // It may stand where a constant without a name cannot: among methods.
            let errors = errors.without_warnings().into_tokens();
            return quote!(#errors #item);
        }
    };
    let policy = if errors.is_empty() { policy } else { None };
    let errors = errors.into_tokens();
    let handler = guarded(handler, policy.as_ref(), crate_path.as_ref());
    quote!(#errors #dependencies #handler)
}

/// `policy!(arguments)`
pub(crate) fn policy(arguments: TokenStream, realm: RealmCheck) -> TokenStream {
    let mut errors = Errors::default();
    realm.report(&mut errors);
    let dependencies = &realm.dependencies;
    let arguments = parse::arguments(arguments, &mut errors);
    let private = paths::private(arguments.crate_path.as_ref());
    let policy = check::policy(arguments, Place::Macro, realm.realm.as_deref(), &mut errors);
    let value = match policy {
        Some(policy) if errors.is_empty() => value::of(&policy.kind, &private),
        _ => deny(&private),
    };
    let errors = errors.into_tokens();
    if errors.is_empty() && dependencies.is_empty() {
        return value;
    }
    quote!({ #errors #dependencies #value })
}

/// The function with its guard, and the policy the guard asks. A policy with mistakes denies everyone: nothing is run by
/// it, but the rest of the program is compiled against it.
fn guarded(mut handler: HandlerFn, policy: Option<&Requirement>, crate_path: Option<&TokenStream>) -> TokenStream {
    let private = paths::private(crate_path);
    let value = match policy {
        // Through another path, an import might find another crate than an expression does.
        Some(policy) if crate_path.is_none() => value::to_be_read(&policy.kind, &private),
        Some(policy) => value::borrowed(&policy.kind, &private),
        None => {
            let deny = deny(&private);
            quote!(&#deny)
        }
    };
    let name = handler.signature.ident.unraw();
    // The names of items are not hygienic. No lint is raised on code with this span, so that none has to be allowed, which
    // a `forbid` in the user's crate would not let us do.
    let span = Span::mixed_site().located_at(name.span());
    let policy = Ident::new(&format!("__KeycloakPolicy_{name}"), span);
    let handler_path = format!("::{name}");

    let visibility = &handler.visibility;
    let cfgs: Vec<_> = handler
        .attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect();
    let openapi = openapi::decoration(&handler, &policy, &cfgs, crate_path);
    let item = quote_spanned! {span=>
        #(#cfgs)*
        #[doc(hidden)]
        #[non_exhaustive]
        #visibility struct #policy;

        #(#cfgs)*
        #[automatically_derived]
        impl #private::HandlerPolicy for #policy {
            const POLICY: &'static #private::Policy = #value;
            const HANDLER: &'static str = ::core::concat!(::core::module_path!(), #handler_path);
        }

        #openapi
    };
    let guard = if handler.signature.inputs.is_empty() {
        syn::parse_quote_spanned!(span=> _: #private::Guard<#policy, #private::Alone>)
    } else {
        syn::parse_quote_spanned!(span=> _: #private::Guard<#policy>)
    };
    handler.signature.inputs.insert(0, guard);
    quote!(#item #handler)
}

fn deny(private: &TokenStream) -> TokenStream {
    quote!(#private::Policy::Any(&[]))
}
