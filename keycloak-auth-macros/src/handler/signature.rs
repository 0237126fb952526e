//! What axum asks of a handler's signature.

use std::mem;

use quote::quote;
use syn::{FnArg, ReturnType, Safety, Token, Type, TypeParamBound, parse_quote};

use crate::errors::Errors;

use super::HandlerFn;

/// axum implements `Handler` for functions of up to 16 arguments, one of which is the guard.
const MOST_ARGUMENTS: usize = 15;

/// Says what axum asks of a handler, in words that name the function rather than a trait. What is wrong is put right in
/// the function that is emitted, so that the compiler does not report the same again where the handler is used.
pub(super) fn can_be_a_handler(handler: &mut HandlerFn, errors: &mut Errors) {
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
