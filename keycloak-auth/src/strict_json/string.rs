//! Where a string ends, and what its escapes mean (RFC 8259 §7).

use super::Malformed;

/// In each byte of a word: its lowest bit.
const LOW: u64 = u64::from_ne_bytes([0x01; 8]);

/// In each byte of a word: its highest bit.
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Whether no byte of the text is a backslash or a control character, line breaks among them.
pub(super) fn is_plain(json: &str) -> bool {
    // Without a way out early, so that many bytes are compared at a time.
    let special = |found, byte: &u8| found | (*byte < 0x20) | (*byte == b'\\');
    !json.as_bytes().iter().fold(false, special)
}

/// Where the first quote stands at or behind `from`. Once for all callers: their code is not in the processor's cache when a new
/// token comes, so there should be little of it.
#[inline(never)]
pub(super) fn quote(bytes: &[u8], from: usize) -> Option<usize> {
    find(bytes, from, |word| equals(word, b'"'), |byte| byte == b'"')
}

/// Where the first quote, backslash or control character stands at or behind `from`.
#[inline]
pub(super) fn plain_end(bytes: &[u8], from: usize) -> Option<usize> {
    let in_word = |word: u64| word.wrapping_sub(LOW * 0x20) & !word | equals(word, b'"') | equals(word, b'\\');
    find(bytes, from, in_word, |byte| matches!(byte, b'"' | b'\\' | ..0x20))
}

/// Marks the bytes of a word that are `byte` by their highest bit. Above the lowest of them others may be marked too,
/// since a subtraction borrows from there.
#[inline]
fn equals(word: u64, byte: u8) -> u64 {
    let difference = word ^ (LOW * u64::from(byte));
    difference.wrapping_sub(LOW) & !difference
}

/// Where the first byte stands that both functions mean, one for eight bytes at a time and one for those that are left.
#[inline(always)]
fn find(bytes: &[u8], from: usize, in_word: impl Fn(u64) -> u64, means: impl Fn(u8) -> bool) -> Option<usize> {
    let mut rest = bytes.get(from..)?;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let found = in_word(u64::from_le_bytes(*word)) & HIGH;
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
        }
        rest = behind;
    }
    let at = rest.iter().position(|byte| means(*byte))?;
    Some(bytes.len() - rest.len() + at)
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
