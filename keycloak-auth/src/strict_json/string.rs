//! Where a string ends, and what its escapes mean (RFC 8259 §7).

use super::Malformed;

/// In each byte of a word: its lowest bit.
const LOW: u64 = u64::from_ne_bytes([0x01; 8]);

/// In each byte of a word: its highest bit.
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Where the first quote, backslash or control character stands at or behind `from`.
#[inline]
pub(super) fn plain_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return Some(at + special.trailing_zeros() as usize / 8);
        }
        at += size_of_val(word);
    }
    let rest = bytes.get(at..)?;
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
    Some(at + found)
}

/// The highest bit of each byte that is a quote, a backslash or a control character. Above the lowest such byte there may
/// be others: a subtraction borrows from there.
#[inline]
fn special(word: u64) -> u64 {
    let equals = |byte: u8| {
        let difference = word ^ (LOW * u64::from(byte));
        difference.wrapping_sub(LOW) & !difference
    };
    let control = word.wrapping_sub(LOW * 0x20) & !word;
    (control | equals(b'"') | equals(b'\\')) & HIGH
}

/// The text of the string that begins at `start` and is plain up to `at`, and where the JSON goes on behind its quote.
#[cold]
pub(super) fn unescape(json: &str, start: usize, mut at: usize) -> Result<(String, usize), Malformed> {
    let bytes = json.as_bytes();
    let mut text = json[start..at].to_owned();
    loop {
        match bytes[at] {
            b'"' => return Ok((text, at + 1)),
            b'\\' => {
                let (character, behind) = escape(bytes, at + 1)?;
                text.push(character);
                at = plain_end(bytes, behind).ok_or(Malformed)?;
                text.push_str(&json[behind..at]);
            }
            _ => return Err(Malformed),
        }
    }
}

/// What stands behind a backslash, and where the text goes on.
fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Malformed> {
    let character = match bytes.get(at).ok_or(Malformed)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point(bytes, at + 1),
        _ => return Err(Malformed),
    };
    Ok((character, at + 1))
}

/// A character by its number, or by two surrogates; one alone is none.
fn code_point(bytes: &[u8], at: usize) -> Result<(char, usize), Malformed> {
    let unit = code_unit(bytes, at)?;
    if let Some(character) = char::from_u32(u32::from(unit)) {
        return Ok((character, at + 4));
    }
    if bytes.get(at + 4..at + 6) != Some(br"\u".as_slice()) {
        return Err(Malformed);
    }
    let units = [unit, code_unit(bytes, at + 6)?];
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => Ok((character, at + 10)),
        _ => Err(Malformed),
    }
}

/// Four hexadecimal digits.
fn code_unit(bytes: &[u8], at: usize) -> Result<u16, Malformed> {
    let digits = bytes.get(at..at + 4).ok_or(Malformed)?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Malformed)?;
        Ok(unit << 4 | u16::try_from(digit).map_err(|_| Malformed)?)
    })
}
