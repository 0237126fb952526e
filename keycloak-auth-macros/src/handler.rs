//! The function the attribute stands on. Its body is passed on unread.

use std::mem;

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, ReturnType, Safety, Signature, Token, Type, TypeParamBound, Visibility,
    parse::{Parse, ParseStream, Parser},
    parse_quote,
};

use crate::errors::Errors;

/// axum implements `Handler` for functions of up to 16 arguments, one of which is the guard.
const MOST_ARGUMENTS: usize = 15;

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
    can_be_a_handler(&mut handler, errors);
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
    if let Some(word) = mentions_self(inputs).or_else(|| mentions_self(output)) {
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

/// Says what axum asks of a handler, in words that name the function rather than a trait. What is wrong is put right in
/// the function that is emitted, so that the compiler does not report the same again where the handler is used.
fn can_be_a_handler(handler: &mut HandlerFn, errors: &mut Errors) {
    let signature = &mut handler.signature;
    if let Safety::Unsafe(word) = &signature.safety {
        errors.report(
            word,
            "an unsafe function cannot be an axum handler",
            "remove `unsafe` and keep the unsafe part in the body",
        );
        signature.safety = Safety::Default;
    }
    if let Some(abi) = signature.abi.take() {
        errors.report(
            abi,
            "an `extern` function cannot be an axum handler",
            "remove the calling convention",
        );
    }
    if let Some(variadic) = signature.variadic.take() {
        errors.report(
            variadic,
            "a variadic function cannot be an axum handler",
            "write one argument for each extractor",
        );
    }
    if signature.asyncness.is_none() && !may_return_future(&signature.output) {
        let (fn_token, ident) = (&signature.fn_token, &signature.ident);
        errors.report(
            quote!(#fn_token #ident),
            "a handler is an `async fn`",
            format!("write `async fn {ident}`, or return `impl Future<Output = …> + Send`"),
        );
        signature.asyncness = Some(Token![async](fn_token.span));
        signature.constness = None;
    }
    few_arguments(handler, errors);
}

fn few_arguments(handler: &mut HandlerFn, errors: &mut Errors) {
    // Whether an argument with a `cfg` is there is not known yet.
    let is_certain = |argument: &FnArg| match argument {
        FnArg::Typed(argument) => !argument.attrs.iter().any(|attribute| attribute.path().is_ident("cfg")),
        FnArg::Receiver(_) => true,
    };
    let inputs = mem::take(&mut handler.signature.inputs);
    let count = inputs.iter().filter(|argument| is_certain(argument)).count();
    if count <= MOST_ARGUMENTS {
        handler.signature.inputs = inputs;
        return;
    }
    let mut position = 0;
    let (too_many, kept) = inputs.into_iter().partition::<Vec<_>, _>(|argument| {
        position += usize::from(is_certain(argument));
        position > MOST_ARGUMENTS
    });
    errors.report(
        too_many.first(),
        format!("{count} arguments, but a handler has at most {MOST_ARGUMENTS}"),
        "axum's limit is 16, and one of them checks the policy; take several extractors as one tuple argument",
    );
    handler.signature.inputs = kept.into_iter().collect();
    let body = mem::take(&mut handler.body);
    handler.attributes.push(parse_quote!(#[allow(unreachable_code)]));
    handler.body = quote!({ #(let #too_many = ::core::unreachable!();)* #body });
}

/// Whether a function without `async` may be a handler all the same: `-> impl Future`, `-> BoxFuture<…>`, an alias.
/// Only what is certainly no future is turned down.
fn may_return_future(output: &ReturnType) -> bool {
    const RESPONSES: &[&str] = &[
        "Body",
        "Bytes",
        "Form",
        "Html",
        "HeaderMap",
        "Json",
        "Option",
        "Redirect",
        "Response",
        "Result",
        "StatusCode",
        "String",
        "Vec",
        "bool",
        "str",
    ];
    let ReturnType::Type(_, output) = output else {
        return false;
    };
    match &**output {
        Type::ImplTrait(output) => output.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last().is_none_or(|name| {
                !["IntoResponse", "Send", "Sync", "Sized"]
                    .iter()
                    .any(|other| name.ident == other)
            }),
            _ => false,
        }),
        Type::Path(output) => output
            .path
            .segments
            .last()
            .is_none_or(|name| !RESPONSES.iter().any(|other| name.ident == other)),
        Type::Array(_) | Type::Never(_) | Type::Reference(_) | Type::Slice(_) | Type::Tuple(_) => false,
        _ => true,
    }
}
