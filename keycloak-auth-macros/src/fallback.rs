//! A stand-in for the struct of `#[utoipa::path]` where there may be none.
//!
//! An attribute that stands above `#[keycloak]` has been expanded before and cannot be seen, so nobody knows here whether
//! `__path_handler` exists. It is therefore imported by a glob, which gives way to an item of the same name: the
//! decoration attaches to utoipa's struct if there is one, and to this unused one if there is none.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::Attribute;

use crate::paths;

pub(crate) fn module(
    handler: &Ident,
    path_struct: &Ident,
    cfgs: &[&Attribute],
    crate_path: Option<&TokenStream>,
) -> TokenStream {
    let span = path_struct.span();
    // Its name is what the compiler shows for a handler in `#[openapi(paths(…))]` that utoipa knows nothing about.
    let module = Ident::new(&format!("__missing_utoipa_path_on_{handler}"), span);
    let (imports, private) = paths::private_in_child(crate_path);
    quote_spanned! {span=>
        #(#cfgs)*
        #[doc(hidden)]
        mod #module {
            #imports

            pub(super) struct #path_struct;

            #[automatically_derived]
            impl #private::utoipa::Path for #path_struct {
                fn methods() -> ::std::vec::Vec<#private::utoipa::openapi::path::HttpMethod> {
                    ::core::default::Default::default()
                }

                fn path() -> ::std::string::String {
                    ::core::default::Default::default()
                }

                fn operation() -> #private::utoipa::openapi::path::Operation {
                    ::core::default::Default::default()
                }
            }
        }

        #(#cfgs)*
        use #module::*;
    }
}
