//! The OpenAPI side: the operation that `#[utoipa::path]` describes, with the policy on it.
//!
//! `#[openapi(paths(…))]` and `routes!` call `__path_handler::operation()` as a plain path, so that an inherent function
//! on utoipa's own struct wins over the trait. utoipa's tokens stay as they are.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{Attribute, Meta, ext::IdentExt};

use crate::{fallback, handler::HandlerFn, paths};

/// The decoration; nothing without the feature `utoipa`.
pub(crate) fn decoration(
    handler: &HandlerFn,
    policy: &Ident,
    cfgs: &[&Attribute],
    crate_path: Option<&TokenStream>,
) -> TokenStream {
    if !cfg!(feature = "utoipa") {
        return TokenStream::new();
    }
    let private = paths::private(crate_path);
    let name = handler.signature.ident.unraw();
    let span = Span::mixed_site().located_at(name.span());
    let path_struct = Ident::new(&format!("__path_{name}"), span);
    let (path_struct, fallback) = match utoipa_path(&handler.attributes) {
        Some(attribute) => (impl_for(attribute).unwrap_or(path_struct), TokenStream::new()),
        None => {
            let fallback = fallback::module(&name, &path_struct, cfgs, crate_path);
            (path_struct, fallback)
        }
    };
    quote_spanned! {span=>
        #fallback

        #(#cfgs)*
        #[automatically_derived]
        impl #path_struct {
            #[doc(hidden)]
            pub fn operation() -> #private::utoipa::openapi::path::Operation {
                #private::decorate_operation(
                    <Self as #private::utoipa::Path>::operation(),
                    <#policy as #private::HandlerPolicy>::POLICY,
                )
            }
        }
    }
}

/// `#[utoipa::path(…)]`, where it stands below. Under another name it is not recognised, and need not be.
fn utoipa_path(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|attribute| {
        let mut segments = attribute.path().segments.iter().rev();
        segments.next().is_some_and(|last| last.ident == "path")
            && segments.next().is_some_and(|krate| krate.ident == "utoipa")
    })
}

/// The type of `impl_for = Type`, which utoipa then uses instead of a struct of its own.
fn impl_for(attribute: &Attribute) -> Option<Ident> {
    let Meta::List(list) = &attribute.meta else {
        return None;
    };
    let mut trees = list.tokens.clone().into_iter();
    trees.find(|tree| matches!(tree, TokenTree::Ident(word) if word == "impl_for"))?;
    trees.find_map(|tree| match tree {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    })
}
