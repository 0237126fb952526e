//! A position in a list of tokens.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{Path, parse::Parser};

use crate::errors::Errors;

pub(crate) struct Cursor {
    trees: Vec<TokenTree>,
    position: usize,
}

impl Cursor {
    pub(crate) fn new(tokens: TokenStream) -> Self {
        let mut trees = Vec::new();
        flatten(tokens, &mut trees);
        Self { trees, position: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&TokenTree> {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, distance: usize) -> Option<&TokenTree> {
        self.trees.get(self.position + distance)
    }

    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        let tree = self.trees.get(self.position).cloned();
        self.position += usize::from(tree.is_some());
        tree
    }

    pub(crate) fn at_end(&self) -> bool {
        self.position == self.trees.len()
    }

    /// Whether an entry ends here, well or badly.
    pub(crate) fn at_separator(&self) -> bool {
        self.at_end() || self.peek_punct(',') || self.peek_punct(';')
    }

    pub(crate) fn peek_punct(&self, wanted: char) -> bool {
        self.is_punct_at(0, wanted)
    }

    pub(crate) fn is_punct_at(&self, distance: usize, wanted: char) -> bool {
        matches!(self.peek_at(distance), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
    }

    /// Whether `::` stands at `distance`.
    pub(crate) fn is_path_separator_at(&self, distance: usize) -> bool {
        self.is_punct_at(distance, ':') && self.is_punct_at(distance + 1, ':')
    }

    pub(crate) fn eat_punct(&mut self, wanted: char) -> Option<TokenTree> {
        self.peek_punct(wanted).then(|| self.next()).flatten()
    }

    pub(crate) fn eat_ident(&mut self) -> Option<Ident> {
        let Some(TokenTree::Ident(ident)) = self.peek() else {
            return None;
        };
        let ident = ident.clone();
        self.position += 1;
        Some(ident)
    }

    pub(crate) fn eat_group(&mut self, delimiter: Delimiter) -> Option<Group> {
        let Some(TokenTree::Group(group)) = self.peek() else {
            return None;
        };
        if group.delimiter() != delimiter {
            return None;
        }
        let group = group.clone();
        self.position += 1;
        Some(group)
    }

    /// `some::path`, `::some::path`.
    pub(crate) fn eat_path(&mut self) -> Option<TokenStream> {
        let start = self.position;
        if self.is_path_separator_at(0) {
            self.position += 2;
        }
        loop {
            if self.eat_ident().is_none() {
                self.position = start;
                return None;
            }
            if !self.is_path_separator_at(0) {
                break;
            }
            self.position += 2;
        }
        let path: TokenStream = self.trees[start..self.position].iter().cloned().collect();
        // Words of Rust are identifiers to this point.
        if Path::parse_mod_style.parse2(path.clone()).is_err() {
            self.position = start;
            return None;
        }
        Some(path)
    }

    /// All tokens, those that are read included.
    pub(crate) fn all(&self) -> TokenStream {
        self.trees.iter().cloned().collect()
    }

    /// The rest of the entry.
    pub(crate) fn eat_entry(&mut self) -> TokenStream {
        let start = self.position;
        while !self.at_separator() {
            self.position += 1;
        }
        self.trees[start..self.position].iter().cloned().collect()
    }

    /// Reads `item { "," item } [","]`. An item that returns `None` has reported its mistake; reading goes on behind the
    /// next comma.
    pub(crate) fn separated<T>(
        &mut self,
        errors: &mut Errors,
        mut item: impl FnMut(&mut Self, &mut Errors) -> Option<T>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        while !self.at_end() {
            if let Some(comma) = self.eat_punct(',') {
                errors.report(comma, "nothing stands before this comma", "remove the comma");
                continue;
            }
            let start = self.position;
            match item(self, errors) {
                Some(item) => items.push(item),
                None => drop(self.eat_entry()),
            }
            self.separator(start, errors);
        }
        items
    }

    /// What somebody means who writes an operator of Rust, or of English.
    pub(crate) fn operator(&self) -> Option<&'static str> {
        match self.peek()? {
            TokenTree::Punct(punct) if punct.as_char() == '|' => Some("any"),
            TokenTree::Punct(punct) if matches!(punct.as_char(), '&' | '+') => Some("all"),
            TokenTree::Ident(word) if word == "or" => Some("any"),
            TokenTree::Ident(word) if word == "and" => Some("all"),
            _ => None,
        }
    }

    /// Takes an operator that stands here; those of two signs as a whole.
    pub(crate) fn eat_operator(&mut self) -> TokenStream {
        let (first, second) = (self.next(), self.eat_punct('|').or_else(|| self.eat_punct('&')));
        [first, second].into_iter().flatten().collect()
    }

    /// Reads the comma behind the item that begins at `start`.
    fn separator(&mut self, start: usize, errors: &mut Errors) {
        if self.at_end() || self.eat_punct(',').is_some() {
            return;
        }
        if let Some(semicolon) = self.eat_punct(';') {
            errors.report(semicolon, "expected `,`, found `;`", "write a comma in its place");
            return;
        }
        if let Some(join) = self.operator() {
            self.position = start;
            self.joined(join, errors);
            self.eat_punct(',');
            return;
        }
        match self.peek() {
            Some(next @ TokenTree::Ident(word)) if super::is_known(word) => errors.report(
                next,
                format!("missing comma before `{next}`"),
                "separate the parts by commas",
            ),
            Some(next @ TokenTree::Literal(_)) => errors.report(
                next,
                format!("missing comma before `{next}`"),
                "separate the parts by commas",
            ),
            Some(next) => {
                errors.report(
                    next,
                    format!("expected `,`, found `{next}`"),
                    "nothing but a comma can follow here",
                );
                self.eat_entry();
                self.eat_punct(',');
            }
            None => {}
        }
    }

    /// Reports the operators in an entry such as `role("a") || role("b")`, on the first of them.
    pub(crate) fn joined(&mut self, join: &str, errors: &mut Errors) {
        let mut operands = vec![TokenStream::new()];
        let mut operators = Vec::new();
        let mut at = TokenStream::new();
        while !self.at_separator() {
            let Some(operator) = self.operator() else {
                let tree = self.next();
                if let Some(operand) = operands.last_mut() {
                    operand.extend(tree);
                }
                continue;
            };
            operators.push(operator);
            operands.push(TokenStream::new());
            let tokens = self.eat_operator();
            if at.is_empty() {
                at = tokens;
            }
        }
        let shown = text(&at);
        operands.retain(|operand| !operand.is_empty());
        let operands: Vec<_> = operands.iter().map(ToString::to_string).collect();
        if operands.len() == 1 {
            errors.report(
                at,
                format!("`{shown}` has nothing to join"),
                format!("remove it, or write `{join}({}, …)`", operands[0]),
            );
            return;
        }
        let is_one = operators.iter().all(|operator| *operator == join);
        // `roles = "a" or …` is no operand of an expression.
        let is_expression = operands.iter().all(|operand| !operand.contains(" = "));
        let help = if is_one && is_expression && !operands.is_empty() {
            format!("write `{join}({})`", operands.join(", "))
        } else {
            format!("write `{join}(…, …)` around them, or a list with `{join}` at the end")
        };
        errors.report(at, format!("`{shown}` does not join requirements"), help);
    }
}

/// Opens the invisible groups around what a `macro_rules!` macro passes on.
fn flatten(tokens: TokenStream, into: &mut Vec<TokenTree>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flatten(group.stream(), into);
            }
            tree => into.push(tree),
        }
    }
}

/// Tokens as somebody would write them, for messages: `order - admin` is `order-admin`.
pub(crate) fn text(tokens: &TokenStream) -> String {
    tokens.clone().into_iter().map(|tree| tree.to_string()).collect()
}
