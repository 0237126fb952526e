//! The handler with its policy: one hidden type, one constant, one argument.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use crate::{
    ast::{ClaimValue, Kind, Requirement},
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
        Some(policy) if errors.is_empty() => policy.kind.value(&private),
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
        Some(policy) => policy.kind.value(&private),
        None => deny(&private),
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
            const POLICY: &'static #private::Policy = &#value;
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

impl Kind {
    /// The value of the runtime's `Policy` type.
    pub(crate) fn value(&self, private: &TokenStream) -> TokenStream {
        let (variant, content) = match self {
            Self::Public => ("Public", quote!()),
            Self::Authenticated => ("Authenticated", quote!()),
            Self::All(operands) => ("All", all(operands, private)),
            Self::Any(operands) => ("Any", all(operands, private)),
            Self::Not(operand) => {
                let operand = operand.kind.value(private);
                ("Not", quote!((&#operand)))
            }
            Self::Role(name) => ("Role", text(&name.text)),
            Self::RealmRole(name) => ("RealmRole", text(&name.text)),
            Self::ClientRole { client, role } => {
                let (client, role) = (&client.text, &role.text);
                ("ClientRole", quote!({ client: #client, role: #role }))
            }
            Self::Group(path) => ("Group", text(&path.text)),
            Self::GroupTree(path) => ("GroupTree", text(&path.text)),
            Self::Scope(name) => ("Scope", text(&name.text)),
            Self::Claim { path, value } => {
                let (path, value) = (&path.text, value.value());
                ("Claim", quote!({ path: #path, value: #private::ClaimValue::#value }))
            }
            Self::Acr(name) => ("Acr", text(&name.text)),
            Self::MaxAge(seconds) => ("MaxAge", quote!((#seconds))),
            Self::Owner { parameter, claim } => {
                let (parameter, claim) = (&parameter.text, &claim.text);
                ("Owner", quote!({ parameter: #parameter, claim: #claim }))
            }
            Self::Named(path) => return path.clone(),
        };
        let variant = format_ident!("{variant}");
        quote!(#private::Policy::#variant #content)
    }
}

impl ClaimValue {
    fn value(&self) -> TokenStream {
        match self {
            Self::String(name) => {
                let text = &name.text;
                quote!(String(#text))
            }
            Self::Integer(integer) => quote!(Integer(#integer)),
            Self::Boolean(boolean) => quote!(Boolean(#boolean)),
        }
    }
}

fn text(text: &str) -> TokenStream {
    quote!((#text))
}

fn all(operands: &[Requirement], private: &TokenStream) -> TokenStream {
    let operands = operands.iter().map(|operand| operand.kind.value(private));
    quote!((&[#(#operands),*]))
}
