//! What stands in the parentheses of the attribute: `allocations <= 10, bytes <= 4096`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, Ident, Lit, Token};

/// All bounds.
pub(crate) struct Bounds {
    list: Punctuated<Bound, Token![,]>,
}

/// One of them.
struct Bound {
    quantity: &'static str,
    relation: &'static str,
    limit: Expr,
    text: String,
}

/// What is counted, as users and as the library call it.
const QUANTITIES: &[(&str, &str)] = &[
    ("allocations", "Allocations"),
    ("bytes", "Bytes"),
    ("frees", "Frees"),
    ("freed_bytes", "FreedBytes"),
];

impl Parse for Bounds {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { list: input.call(Punctuated::parse_terminated)? })
    }
}

impl Parse for Bound {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse().map_err(|error| {
            Error::new(error.span(), "expected a bound, as in `#[heapsight::test(bytes <= 4096)]`")
        })?;
        let known = QUANTITIES.iter().find(|(known, _)| name == known);
        let Some((_, quantity)) = known else {
            let message = format!(
                "`{name}` is not counted: a bound is on `allocations`, `bytes`, `frees` or \
                 `freed_bytes`"
            );
            return Err(Error::new(name.span(), message));
        };
        let (relation, sign) = relation(input)?;
        let limit: Expr = input.parse()?;
        let shown = match &limit {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.to_string(),
            other => quote!(#other).to_string(),
        };
        Ok(Self { quantity, relation, limit, text: format!("{name} {sign} {shown}") })
    }
}

fn relation(input: ParseStream<'_>) -> syn::Result<(&'static str, &'static str)> {
    // Longer ones first: `<=` begins with `<`.
    if input.parse::<Option<Token![<=]>>()?.is_some() {
        Ok(("AtMost", "<="))
    } else if input.parse::<Option<Token![==]>>()?.is_some() {
        Ok(("Equal", "=="))
    } else if input.parse::<Option<Token![!=]>>()?.is_some() {
        Ok(("NotEqual", "!="))
    } else if input.parse::<Option<Token![>=]>>()?.is_some() {
        Ok(("AtLeast", ">="))
    } else if input.parse::<Option<Token![<]>>()?.is_some() {
        Ok(("Less", "<"))
    } else if input.parse::<Option<Token![>]>>()?.is_some() {
        Ok(("Greater", ">"))
    } else {
        Err(input.error("expected `<`, `<=`, `==`, `!=`, `>=` or `>`, and a number"))
    }
}

impl Bounds {
    /// An array of the library's `Bound`.
    pub(crate) fn expand(&self) -> TokenStream {
        let items = self.list.iter().map(|bound| {
            let Bound { quantity, relation, limit, text } = bound;
            let [quantity, relation] =
                [quantity, relation].map(|name| Ident::new(name, proc_macro2::Span::call_site()));
            quote! {
                ::heapsight::testing::Bound {
                    quantity: ::heapsight::testing::Quantity::#quantity,
                    relation: ::heapsight::testing::Relation::#relation,
                    limit: #limit,
                    text: #text,
                }
            }
        });
        quote!([#(#items),*])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(source: &str) -> String {
        match syn::parse_str::<Bounds>(source) {
            Ok(_) => panic!("{source} is accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn bounds_keep_the_words_of_the_source() {
        let bounds: Bounds =
            syn::parse_str("allocations<=10, bytes < 4 * KIB, frees == 0,").expect("bounds");
        let texts: Vec<_> = bounds.list.iter().map(|bound| bound.text.as_str()).collect();
        assert_eq!(texts, ["allocations <= 10", "bytes < 4 * KIB", "frees == 0"]);
        assert!(syn::parse_str::<Bounds>("").expect("none").list.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        assert!(error_of("<= 10").contains("as in `#[heapsight::test(bytes <= 4096)]`"));
        assert!(error_of("blocks <= 10").contains("`blocks` is not counted"));
        assert!(error_of("bytes = 10").contains("expected `<`, `<=`"));
        assert!(error_of("bytes <=").contains("expected an expression"));
    }
}
