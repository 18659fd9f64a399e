//! The function that takes the place of the test.

use crate::bounds::Bounds;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error, ItemFn, ReturnType};

/// The test, as a function in a function that asks for its verdict.
pub(crate) fn test(bounds: &Bounds, mut function: ItemFn) -> syn::Result<TokenStream> {
    if let Some(argument) = function.sig.inputs.first() {
        return Err(Error::new_spanned(argument, "a test takes no arguments"));
    }
    let attributes = std::mem::take(&mut function.attrs);
    let is_async = function.sig.asyncness.is_some();
    let marker = match attributes.iter().any(is_test) {
        true => None,
        false if is_async => {
            let message = "an async test needs a run-time, whose attribute goes below this one: \
                           `#[tokio::test]`";
            return Err(Error::new_spanned(function.sig.fn_token, message));
        }
        false => Some(quote!(#[::core::prelude::v1::test])),
    };
    let mut signature = function.sig.clone();
    let returns_nothing = matches!(signature.output, ReturnType::Default);
    if !returns_nothing {
        signature.output = syn::parse_quote!(-> ::std::process::ExitCode);
    }
    let visibility = std::mem::replace(&mut function.vis, syn::Visibility::Inherited);
    let (name, bounds) = (&function.sig.ident, bounds.expand());
    let value = match is_async {
        true => quote!(heapsight_trial.future(#name()).await),
        false => quote!(heapsight_trial.run(#name)),
    };
    let end = returns_nothing.then(|| quote!(;));
    Ok(quote! {
        #marker
        #(#attributes)*
        #visibility #signature {
            #function
            let heapsight_trial = ::heapsight::testing::Trial::new();
            let heapsight_value = #value;
            heapsight_trial.finish(&#bounds, heapsight_value) #end
        }
    })
}

/// Whether the attribute makes the function a test already: `#[test]`, `#[tokio::test]`.
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(bounds: &str, item: &str) -> String {
        let bounds = syn::parse_str(bounds).expect("bounds");
        let function = syn::parse_str(item).expect("a function");
        test(&bounds, function).map_or_else(|error| error.to_string(), |code| code.to_string())
    }

    #[test]
    fn a_function_becomes_a_test_once() {
        let marker = ":: core :: prelude :: v1 :: test";
        assert!(expanded("", "fn a() {}").contains(marker));
        assert!(!expanded("", "#[tokio::test] async fn a() {}").contains(marker));
        assert!(!expanded("", "#[test] fn a() {}").contains(marker));
    }

    #[test]
    fn attributes_stay_with_the_outer_function() {
        let code = expanded("", "#[should_panic] #[ignore] fn a() { b() }");
        let (outer, inner) = code.split_once("fn a").expect("a function");
        assert!(outer.contains("should_panic") && outer.contains("ignore"), "{code}");
        assert!(!inner.contains("should_panic"), "{code}");
    }

    #[test]
    fn results_become_exit_codes_and_nothing_stays_nothing() {
        assert!(expanded("", "fn a() -> Result<(), E> { b() }").contains("ExitCode"));
        assert!(!expanded("", "fn a() { b() }").contains("ExitCode"));
    }

    #[test]
    fn what_cannot_be_a_test_is_refused() {
        assert!(expanded("", "async fn a() {}").contains("`#[tokio::test]`"));
        assert!(expanded("", "fn a(b: u8) {}").contains("no arguments"));
    }
}
