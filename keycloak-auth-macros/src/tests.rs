//! What the compiler does not see in the ui-tests: the data that is written, and that nothing panics.

mod guide;
mod messages;
mod properties;

use std::str::FromStr;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{File, Item};

use crate::{expand, realm::RealmCheck};

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// The policy that is written for `text`, without its path and white space.
fn policy(text: &str) -> String {
    expand::policy(tokens(text), RealmCheck::default())
        .to_string()
        .replace(' ', "")
        .replace("::keycloak_auth::__private::", "")
        .replace("Policy::", "")
}

/// The expansion of the attribute, with every `compile_error!` taken out and counted.
fn attribute(arguments: &str, item: TokenStream) -> (File, usize) {
    let expanded = expand::attribute(tokens(arguments), item, RealmCheck::default());
    let mut file: File = syn::parse2(expanded).expect("the expansion consists of items");
    let before = file.items.len();
    file.items.retain(|item| !matches!(item, Item::Macro(_)));
    let errors = before - file.items.len();
    (file, errors)
}

#[test]
fn writes_operands_in_written_order() {
    for (text, expected) in [
        ("public", "Public"),
        ("authenticated,", "Authenticated"),
        ("roles = \"a\"", r#"Role("a")"#),
        ("roles = [\"a\"], any", r#"Role("a")"#),
        (
            "groups = [\"b\", \"/a\"], roles = \"c\"",
            r#"All(&[Group("/b"),Group("/a"),Role("c")])"#,
        ),
        (
            "client_roles(\"c\" = [\"x\", \"y\"]), any",
            r#"Any(&[ClientRole{client:"c",role:"x"},ClientRole{client:"c",role:"y"}])"#,
        ),
        (
            "all(any(role(\"a\"), OPS), not(acr(\"1\")))",
            r#"All(&[Any(&[Role("a"),OPS]),Not(&Acr("1"))])"#,
        ),
        ("max_age(60)", "MaxAge(60u64)"),
        (
            "claim(\"a.b\" = -1)",
            r#"Claim{path:"a.b",value:ClaimValue::Integer(-1i64)}"#,
        ),
        ("owner(\"id\")", r#"Owner{parameter:"id",claim:"sub"}"#),
    ] {
        assert_eq!(policy(text), expected, "{text}");
    }
}

#[test]
fn writes_to_the_crate_that_is_named() {
    let written = expand::policy(tokens("crate = a::b, public"), RealmCheck::default()).to_string();
    assert_eq!(written.replace(' ', ""), "a::b::__private::Policy::Public");
}

#[test]
fn guard_is_the_first_argument_and_the_rest_stays() {
    let item = quote! {
        /// Documented.
        #[tracing::instrument]
        pub(crate) async fn r#type<T: Send>(#[cfg(x)] a: A, mut b: T) -> impl IntoResponse where T: Sync { b }
    };
    let (file, errors) = attribute("roles = \"a\"", item.clone());
    assert_eq!(errors, 0);
    let Some(Item::Fn(handler)) = file.items.last() else {
        panic!("the handler is the last item");
    };
    let mut handler = handler.clone();
    let guard = handler.sig.inputs.first().cloned();
    assert_eq!(
        quote!(#guard).to_string().replace(' ', ""),
        "_:::keycloak_auth::__private::Guard<__KeycloakPolicy_type>"
    );
    handler.sig.inputs = handler.sig.inputs.into_iter().skip(1).collect();
    assert_eq!(quote!(#handler).to_string(), item.to_string());
}

#[test]
fn policy_with_a_mistake_denies_and_keeps_the_handler() {
    let (file, errors) = attribute(
        "roles = admin, gruops = \"/ops\"",
        quote!(
            async fn handler() {}
        ),
    );
    assert_eq!(errors, 2);
    let written = quote!(#file).to_string().replace(' ', "");
    assert!(
        written.contains(
            "constPOLICY:&'static::keycloak_auth::__private::Policy=&::keycloak_auth::__private::Policy::Any(&[]);"
        ),
        "{written}"
    );
    assert!(
        written.contains("asyncfnhandler(_:::keycloak_auth::__private::Guard<__KeycloakPolicy_handler,"),
        "{written}"
    );
}

#[test]
fn policy_of_a_handler_is_imported_for_its_readers() {
    for (arguments, expected) in [
        (
            "any(role(\"a\"), not(role(\"b\")))",
            r#"={use::keycloak_auth::__private::Policy::{Any,Not,Role};&Any(&[Role("a"),Not(&Role("b"))])};"#,
        ),
        (
            "all(role(\"a\"), claim(\"b\" = 1))",
            r#"={use::keycloak_auth::__private::{ClaimValue,Policy::{All,Claim,Role}};&All(&[Role("a"),Claim{path:"b",value:ClaimValue::Integer(1i64)}])};"#,
        ),
        ("public", "=&::keycloak_auth::__private::Policy::Public;"),
        // Names of the user's could be among those that are imported.
        (
            "any(role(\"a\"), All::OPS)",
            r#"=&::keycloak_auth::__private::Policy::Any(&[::keycloak_auth::__private::Policy::Role("a"),All::OPS]);"#,
        ),
        (
            "crate = b, any(role(\"a\"), scope(\"s\"))",
            r#"=&b::__private::Policy::Any(&[b::__private::Policy::Role("a"),b::__private::Policy::Scope("s")]);"#,
        ),
    ] {
        let (file, errors) = attribute(
            arguments,
            quote!(
                async fn handler() {}
            ),
        );
        let written = quote!(#file).to_string().replace(' ', "");
        assert_eq!(errors, 0, "{arguments}");
        assert!(written.contains(expected), "{written}");
    }
}

/// What only may be there counts: among other arguments a guard works alone as well, but not the other way round.
#[test]
fn guard_is_alone_where_there_is_certainly_no_other_argument() {
    for (item, is_alone) in [
        (
            quote!(
                async fn handler() {}
            ),
            true,
        ),
        (
            quote!(
                fn handler() -> Answer {}
            ),
            true,
        ),
        (
            quote!(
                async fn handler(a: A) {}
            ),
            false,
        ),
        (
            quote!(
                async fn handler(#[cfg(x)] a: A) {}
            ),
            false,
        ),
    ] {
        let (file, _) = attribute("public", item);
        let written = quote!(#file).to_string().replace(' ', "");
        let alone = ",::keycloak_auth::__private::Alone>){";
        let alone_with_future = ",::keycloak_auth::__private::Alone>)->";
        assert_eq!(
            written.contains(alone) || written.contains(alone_with_future),
            is_alone,
            "{written}"
        );
    }
}

#[test]
fn keeps_what_is_no_function() {
    for item in [
        quote!(
            struct A;
        ),
        quote!(
            const A: u8 = 1;
        ),
        quote!(impl A { fn f(&self) {} }),
        quote!(
            mod a {
                fn f() {}
            }
        ),
    ] {
        let expanded = expand::attribute(tokens("public"), item.clone(), RealmCheck::default()).to_string();
        assert!(expanded.ends_with(&item.to_string()), "{expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
    }
}

#[test]
fn cfgs_of_the_handler_are_those_of_its_policy() {
    let (file, errors) = attribute(
        "public",
        quote!(
            #[cfg(unix)]
            async fn handler() {}
        ),
    );
    assert_eq!(errors, 0);
    let written = quote!(#file).to_string();
    assert_eq!(written.matches("# [cfg (unix)]").count(), file.items.len(), "{written}");
}

/// Every sequence of up to four of these is read without a panic, and is either a policy or at least one error.
#[test]
fn never_panics_and_never_stays_silent() {
    const PARTS: &[&str] = &[
        "public",
        "any",
        "roles",
        "client_roles",
        "all",
        "not",
        "claim",
        "owner",
        "max_age",
        "client_role",
        "crate",
        "orders",
        "ORDERS",
        "=",
        ",",
        ";",
        "::",
        "|",
        "-",
        "!",
        "\"a\"",
        "\" /\"",
        "7",
        "true",
        "[\"a\", b]",
        "()",
        "(\"a\" = 1)",
        "(\"c\", \"r\")",
        "(role(\"a\"),)",
        "{}",
    ];
    let mut count = 0;
    for first in PARTS {
        for second in PARTS {
            for third in PARTS {
                for fourth in ["", "any", "(\"a\")"] {
                    let text = format!("{first} {second} {third} {fourth}");
                    let written = expand::policy(tokens(&text), RealmCheck::default()).to_string();
                    let is_error = written.contains("compile_error");
                    assert!(
                        is_error || syn::parse_str::<syn::Expr>(&written).is_ok(),
                        "{text}: {written}"
                    );
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, PARTS.len().pow(3) * 3);
}

#[test]
fn never_panics_on_any_item() {
    for item in [
        "",
        "fn",
        "fn f",
        "async fn f()",
        "fn f();",
        "fn f(self) {}",
        "fn f(&self);",
        "x",
        "1 + 1",
        "|x| x",
        "let x = 1;",
        "async fn f(a, b) {}",
        "async fn f<T>(a: impl Into<T>) -> ! { loop {} }",
        "#[keycloak] async fn f() {}",
        "pub(in a::b) const unsafe extern \"C\" fn f(a: u8, ...) {}",
        "default async fn f() {}",
        "macro_rules! f { () => {} }",
    ] {
        for arguments in ["", "public", "roles = [", "roles = admin"] {
            let Ok(arguments) = TokenStream::from_str(arguments) else {
                continue;
            };
            expand::attribute(arguments, tokens(item), RealmCheck::default());
        }
    }
}
