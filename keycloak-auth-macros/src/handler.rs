//! The function the attribute stands on. Its body is passed on unread.

mod signature;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Signature, Visibility,
    parse::{Parse, ParseStream, Parser},
};

use crate::errors::Errors;

/// A function that can become a handler.
pub(crate) struct HandlerFn {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for HandlerFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl ToTokens for HandlerFn {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

/// Reads the item below the attribute. `Err` is the item as it was, which cannot have a guard; the reason has been
/// reported.
pub(crate) fn read(item: TokenStream, errors: &mut Errors) -> Result<HandlerFn, TokenStream> {
    let mut handler = match HandlerFn::parse.parse2(item.clone()) {
        Ok(handler) => handler,
        Err(error) => {
            not_a_function(&item, error, errors);
            return Err(item);
        }
    };
    second_attribute(&mut handler, errors);
    if !can_have_a_guard(&handler, errors) {
        return Err(handler.into_token_stream());
    }
    signature::can_be_a_handler(&mut handler, errors);
    Ok(handler)
}

/// Says what the attribute stands on instead.
fn not_a_function(item: &TokenStream, error: syn::Error, errors: &mut Errors) {
    const OTHER: &[(&str, &str, &str)] = &[
        ("struct", "a struct", "put it on the handler function"),
        ("enum", "an enum", "put it on the handler function"),
        ("union", "a union", "put it on the handler function"),
        ("mod", "a module", "put it on each handler function of the module"),
        (
            "impl",
            "an `impl` block",
            "put it on free handler functions: methods have no place for the policy",
        ),
        (
            "trait",
            "a trait",
            "put it on free handler functions: methods have no place for the policy",
        ),
        (
            "const",
            "a constant",
            "a policy with a name is `const POLICY: Policy = policy!(…);`",
        ),
        (
            "static",
            "a static",
            "a policy with a name is `const POLICY: Policy = policy!(…);`",
        ),
        ("type", "a type alias", "put it on the handler function"),
        ("use", "an import", "put it on the handler function where it is defined"),
        ("extern", "an `extern` block", "put it on the handler function"),
        (
            "macro_rules",
            "a macro",
            "put it on the handler function that the macro writes",
        ),
    ];
    let words = || {
        item.clone().into_iter().filter_map(|tree| match tree {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        })
    };
    let is_function = words().take(8).any(|word| word == "fn");
    let is_macro_call = |trees: &[TokenTree]| matches!(trees, [TokenTree::Ident(_), TokenTree::Punct(bang), TokenTree::Group(_)] if bang.as_char() == '!');
    let first_three: Vec<_> = item.clone().into_iter().take(3).collect();
    if is_macro_call(&first_three) {
        errors.report(
            first_three.first(),
            "`#[keycloak(...)]` stands on a function, not on a macro call",
            "put it on the handler function that the macro writes",
        );
        return;
    }
    let other = words().find_map(|word| {
        let found = OTHER.iter().find(|(keyword, ..)| word == keyword)?;
        Some((word, found.1, found.2))
    });
    match other {
        Some((word, what, help)) if !is_function => {
            errors.report(
                word,
                format!("`#[keycloak(...)]` stands on a function, not on {what}"),
                help,
            );
        }
        _ => errors.add(error),
    }
}

/// Reports a second `#[keycloak(...)]` below this one and takes it away, so that it does not report the rest again.
fn second_attribute(handler: &mut HandlerFn, errors: &mut Errors) {
    handler.attributes.retain(|attribute| {
        let is_ours = attribute
            .path()
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "keycloak");
        if is_ours {
            errors.report(
                attribute,
                "a second `#[keycloak(...)]` on the same handler",
                "write one attribute: its requirements are joined by `all`, or by `any` at the end",
            );
        }
        !is_ours
    });
}

/// The policy stands beside the function, which only works for free functions.
fn can_have_a_guard(handler: &HandlerFn, errors: &mut Errors) -> bool {
    const FREE: &str = "move the handler out of the `impl` or `trait` block: axum handlers are free functions, and the \
                        policy stands beside the function";
    let signature = &handler.signature;
    if let Some(receiver) = signature.receiver() {
        errors.report(receiver, "`#[keycloak(...)]` does not work on methods", FREE);
        return false;
    }
    let inputs = signature.inputs.to_token_stream();
    let output = signature.output.to_token_stream();
    let of_body = || mentions_self(handler.body.clone()).filter(|_| !has_items(handler.body.clone()));
    if let Some(word) = mentions_self(inputs).or_else(|| mentions_self(output)).or_else(of_body) {
        errors.report(word, "`#[keycloak(...)]` does not work on associated functions", FREE);
        return false;
    }
    if !matches!(handler.body.clone().into_iter().last(), Some(TokenTree::Group(_))) {
        errors.report(
            &signature.ident,
            "`#[keycloak(...)]` does not work on functions without a body",
            FREE,
        );
        return false;
    }
    true
}

fn mentions_self(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Group(group) => mentions_self(group.stream()),
        TokenTree::Ident(ref ident) if ident == "Self" => Some(tree),
        _ => None,
    })
}

/// Whether a body has items in which `Self` may be something else.
fn has_items(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => has_items(group.stream()),
        TokenTree::Ident(ident) => ["impl", "trait", "struct", "enum", "union"]
            .iter()
            .any(|word| ident == word),
        _ => false,
    })
}
