//! Walking once through a text, value by value (RFC 8259).

use std::borrow::Cow;

use super::{
    Malformed, Members,
    kind::{Any, Kind, Plain},
    string,
    value::Value,
};

/// Arrays and objects lie in one another fewer times than this, as in `serde_json`.
const MAX_DEPTH: u8 = 128;

/// Reads JSON from front to back, refusing whatever is not exactly JSON.
///
/// Who reads drives it: [`value`](Self::value) reads a scalar, or opens an array or object, whose contents are then read to
/// their end by [`next_element`](Self::next_element) or [`next_member`](Self::next_member), or dropped by
/// [`skip`](Self::skip).
///
/// What is long or rare takes it by value: a loop over members keeps it in registers as long as nobody has its address.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'j, K = Any> {
    pub(super) json: &'j str,
    pub(super) at: usize,
    depth: u8,
    kind: K,
}

impl<'j> Reader<'j> {
    pub(crate) fn new(json: &'j str) -> Self {
        Self {
            json,
            at: 0,
            depth: 0,
            kind: Any {
                is_plain: string::is_plain(json),
            },
        }
    }

    /// The same, where nothing in the text has to be unescaped.
    pub(crate) fn plain(self) -> Option<Reader<'j, Plain>> {
        self.kind.is_plain.then_some(Reader {
            json: self.json,
            at: self.at,
            depth: self.depth,
            kind: Plain,
        })
    }
}

impl<'j, K: Kind> Reader<'j, K> {
    /// The same reader, as a variable of a function that it was passed to.
    #[inline(always)]
    pub(crate) fn in_registers(self) -> Self {
        Self {
            json: self.json,
            at: self.at,
            depth: self.depth,
            kind: self.kind,
        }
    }

    /// Reads the next value; `None` if it is no string.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Result<Option<Cow<'j, str>>, Malformed> {
        if self.is_at(b'"')? {
            self.at += 1;
            return self.string().map(Some);
        }
        self.skip_value()?;
        Ok(None)
    }

    /// Opens the next value if it is an array, and drops it otherwise.
    #[inline(always)]
    pub(crate) fn array(&mut self) -> Result<bool, Malformed> {
        self.opened(b'[')
    }

    /// Opens the next value if it is an object, and drops it otherwise.
    #[inline(always)]
    pub(crate) fn object(&mut self) -> Result<bool, Malformed> {
        self.opened(b'{')
    }

    #[inline(always)]
    fn opened(&mut self, bracket: u8) -> Result<bool, Malformed> {
        if self.is_at(bracket)? {
            self.open()?;
            return Ok(true);
        }
        self.skip_value()?;
        Ok(false)
    }

    /// Whether the next value begins with that byte.
    #[inline(always)]
    pub(crate) fn is_at(&mut self, byte: u8) -> Result<bool, Malformed> {
        Ok(self.peek()? == byte)
    }

    /// The name of the next member of an object that was opened, with its colon; the value is next. `None`: the object is
    /// over.
    ///
    /// Refuses a name that stands twice: `seen` belongs to this object alone.
    #[inline(always)]
    pub(crate) fn next_member(&mut self, seen: &mut Members<'j>) -> Result<Option<Cow<'j, str>>, Malformed> {
        let Some(name) = self.next_name(seen.is_empty())? else {
            return Ok(None);
        };
        if seen.insert(name.clone()) {
            Ok(Some(name))
        } else {
            Err(Malformed)
        }
    }

    /// As [`next_member`](Self::next_member), where the caller itself refuses what stands twice.
    #[inline(always)]
    pub(crate) fn next_name(&mut self, first: bool) -> Result<Option<Cow<'j, str>>, Malformed> {
        if !self.goes_on(first, b'}')? {
            return Ok(None);
        }
        self.expect(b'"')?;
        let name = self.string()?;
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// Whether the array that was opened has one more element, which is next then.
    #[inline(always)]
    pub(crate) fn next_element(&mut self, first: bool) -> Result<bool, Malformed> {
        self.goes_on(first, b']')
    }

    /// Reads what is left of a value, which may be nothing, and forgets it.
    #[inline]
    pub(crate) fn skip(&mut self, value: &Value<'j>) -> Result<(), Malformed> {
        if let Value::Array | Value::Object = value {
            *self = self.behind(value)?;
        }
        Ok(())
    }

    /// Where the text goes on behind an array or object that was opened.
    #[inline(never)]
    fn behind(self, value: &Value<'j>) -> Result<Self, Malformed> {
        let mut reader = self.in_registers();
        if let Value::Array = value {
            let mut first = true;
            while reader.next_element(first)? {
                first = false;
                reader.skip_value()?;
            }
        } else {
            let mut seen = Members::default();
            while reader.next_member(&mut seen)?.is_some() {
                reader.skip_value()?;
            }
        }
        Ok(reader)
    }

    /// Reads the next value to its end and forgets it.
    #[inline(always)]
    pub(crate) fn skip_value(&mut self) -> Result<(), Malformed> {
        if self.is_at(b'"')? {
            self.at += 1;
            self.string()?;
            return Ok(());
        }
        *self = self.behind_value()?;
        Ok(())
    }

    #[inline(never)]
    fn behind_value(mut self) -> Result<Self, Malformed> {
        let value = self.value()?;
        self.skip(&value)?;
        Ok(self)
    }

    /// Makes sure that nothing follows.
    pub(crate) fn end(mut self) -> Result<(), Malformed> {
        match self.peek() {
            Err(Malformed) if self.at == self.json.len() => Ok(()),
            _ => Err(Malformed),
        }
    }

    /// The next byte that is no whitespace, where it stands; an error at the end.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Result<u8, Malformed> {
        loop {
            match *self.json.as_bytes().get(self.at).ok_or(Malformed)? {
                byte if byte > b' ' => return Ok(byte),
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                _ => return Err(Malformed),
            }
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    #[inline(always)]
    pub(super) fn open(&mut self) -> Result<(), Malformed> {
        self.at += 1;
        self.depth += 1;
        if self.depth < MAX_DEPTH { Ok(()) } else { Err(Malformed) }
    }

    /// Goes past a comma, or past the bracket that closes.
    #[inline(always)]
    fn goes_on(&mut self, first: bool, close: u8) -> Result<bool, Malformed> {
        let byte = self.peek()?;
        if byte == close {
            self.at += 1;
            self.depth -= 1;
            Ok(false)
        } else if first {
            Ok(true)
        } else if byte == b',' {
            self.at += 1;
            Ok(true)
        } else {
            Err(Malformed)
        }
    }

    /// A string whose opening quote was read.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Cow<'j, str>, Malformed> {
        let start = self.at;
        if self.kind.is_plain() {
            let end = string::quote(self.json.as_bytes(), start).ok_or(Malformed)?;
            self.at = end + 1;
            return self.json.get(start..end).map(Cow::Borrowed).ok_or(Malformed);
        }
        let text;
        (text, self.at) = self.string_with_escapes()?;
        Ok(text)
    }

    /// A string of a text in which some have escapes, and where the text goes on.
    #[inline(never)]
    fn string_with_escapes(self) -> Result<(Cow<'j, str>, usize), Malformed> {
        let start = self.at;
        let end = string::plain_end(self.json.as_bytes(), start).ok_or(Malformed)?;
        if self.json.as_bytes()[end] == b'"' {
            return Ok((Cow::Borrowed(&self.json[start..end]), end + 1));
        }
        let (text, end) = string::unescape(self.json, start, end)?;
        Ok((Cow::Owned(text), end))
    }
}
