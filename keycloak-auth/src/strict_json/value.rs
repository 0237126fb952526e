//! Scalars, and where arrays and objects begin.

use std::borrow::Cow;

use super::{Malformed, kind::Kind, reader::Reader};

/// A scalar, or the beginning of an array or object.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'j> {
    String(Cow<'j, str>),
    /// Of at most 18 digits, and not negative.
    Integer(u64),
    /// Every other number.
    Float(f64),
    Boolean(bool),
    Null,
    Array,
    Object,
}

impl<'j, K: Kind> Reader<'j, K> {
    /// Reads the next value, an array or object only up to its bracket.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'j>, Malformed> {
        let value;
        (value, *self) = self.any_value()?;
        Ok(value)
    }

    #[inline(never)]
    fn any_value(mut self) -> Result<(Value<'j>, Self), Malformed> {
        let value = match self.peek()? {
            b'"' => {
                self.at += 1;
                Value::String(self.string()?)
            }
            b'{' => {
                self.open()?;
                Value::Object
            }
            b'[' => {
                self.open()?;
                Value::Array
            }
            b'-' | b'0'..=b'9' => match self.usual_integer() {
                Some(number) => Value::Integer(number),
                None => self.unusual_number()?,
            },
            b't' => self.literal("true", Value::Boolean(true))?,
            b'f' => self.literal("false", Value::Boolean(false))?,
            b'n' => self.literal("null", Value::Null)?,
            _ => return Err(Malformed),
        };
        Ok((value, self))
    }

    /// Reads the next value; an array or object to its end.
    #[inline(always)]
    pub(crate) fn scalar(&mut self) -> Result<Value<'j>, Malformed> {
        self.peek()?;
        if let Some(number) = self.usual_integer() {
            return Ok(Value::Integer(number));
        }
        let value = self.value()?;
        self.skip(&value)?;
        Ok(value)
    }

    fn literal(&mut self, literal: &str, value: Value<'j>) -> Result<Value<'j>, Malformed> {
        if self.json.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            self.at += literal.len();
            Ok(value)
        } else {
            Err(Malformed)
        }
    }

    /// A whole number of at most 18 digits, if that is what comes next.
    #[inline(always)]
    fn usual_integer(&mut self) -> Option<u64> {
        let bytes = self.json.as_bytes();
        let mut number: u64 = 0;
        let mut end = self.at;
        while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            end += 1;
        }
        let is_usual = match end - self.at {
            1 => true,
            2..=18 => bytes[self.at] != b'0',
            _ => false,
        };
        if is_usual && !matches!(bytes.get(end), Some(b'.' | b'e' | b'E')) {
            self.at = end;
            return Some(number);
        }
        None
    }

    /// A number that is rare in tokens; one reader of them is enough, so that all agree on how they are rounded.
    #[cold]
    fn unusual_number(&mut self) -> Result<Value<'j>, Malformed> {
        let rest = &self.json[self.at..];
        let length = rest
            .find(|c| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let number = serde_json::from_str(&rest[..length]).map_err(|_| Malformed)?;
        self.at += length;
        Ok(Value::Float(number))
    }
}
