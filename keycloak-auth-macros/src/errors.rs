//! Mistakes and warnings, collected so that all of them are reported at once.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    all: Option<syn::Error>,
    count: usize,
    warnings: TokenStream,
}

impl Errors {
    /// Reports `message` on the tokens `at`, with one line of help.
    pub(crate) fn report(&mut self, at: impl ToTokens, message: impl AsRef<str>, help: impl AsRef<str>) {
        let text = format!("{}\nhelp: {}", message.as_ref(), help.as_ref());
        self.add(syn::Error::new_spanned(at, text));
    }

    /// Warns on the tokens `at`. A macro has no warnings of its own on stable Rust, but can use something that it has
    /// declared deprecated.
    pub(crate) fn warn(&mut self, at: impl ToTokens, message: impl AsRef<str>, help: impl AsRef<str>) {
        let text = format!("{}\nhelp: {}", message.as_ref(), help.as_ref());
        let span = at.to_token_stream().span();
        let warning = quote_spanned! {span=>
            const _: () = {
                #[deprecated(note = #text)]
                const NEEDLESS: () = ();
                NEEDLESS
            };
        };
        self.warnings.extend(warning);
    }

    /// Adds an error of the parser of Rust itself.
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.count += 1;
        match &mut self.all {
            Some(all) => all.combine(error),
            None => self.all = Some(error),
        }
    }

    /// How many mistakes there are; a step compares it to know whether it found any itself.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn without_warnings(mut self) -> Self {
        self.warnings = TokenStream::new();
        self
    }

    /// One `compile_error!` a mistake, and the warnings.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let errors = self.all.map(syn::Error::into_compile_error).unwrap_or_default();
        let warnings = self.warnings;
        quote!(#errors #warnings)
    }
}
