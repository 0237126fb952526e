//! Where the generated code finds the runtime.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

/// The path of the runtime's private module: `::keycloak_auth::__private`, unless `crate = path` says otherwise.
pub(crate) fn private(crate_path: Option<&TokenStream>) -> TokenStream {
    match crate_path {
        Some(path) => quote!(#path::__private),
        None => quote!(::keycloak_auth::__private),
    }
}

/// What a child module must import so that it can use [`private`] as its parent does: a path such as `renamed` or
/// `self::renamed` means something else there.
pub(crate) fn private_in_child(crate_path: Option<&TokenStream>) -> (TokenStream, TokenStream) {
    let same = private(crate_path);
    let Some(path) = crate_path else {
        return (TokenStream::new(), same);
    };
    let mut trees = path.clone().into_iter();
    match trees.next() {
        Some(TokenTree::Ident(first)) if first == "crate" => (TokenStream::new(), same),
        Some(TokenTree::Ident(first)) if first == "self" => {
            let rest: TokenStream = trees.collect();
            (TokenStream::new(), quote!(super #rest::__private))
        }
        Some(TokenTree::Ident(first)) if first == "super" => (TokenStream::new(), quote!(super::#path::__private)),
        Some(TokenTree::Ident(_)) => (
            quote! {
                use super::*;
            },
            same,
        ),
        _ => (TokenStream::new(), same),
    }
}
