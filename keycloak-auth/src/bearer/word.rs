//! Whether the bytes of a header are one token, and how many dots are in it: all that is to be found out by looking at each byte,
//! found out at once.

use super::HeaderFault;

/// The bytes of one token.
#[derive(Clone, Copy)]
pub(crate) struct Word<'r> {
    pub(crate) bytes: &'r [u8],
    /// How many of them are dots.
    pub(crate) dots: usize,
}

/// How many bytes of a token are looked at together: a processor does that with as many at once as its registers have.
const BLOCK: usize = 32;

impl<'r> Word<'r> {
    /// Reads bytes of a header, of which each is looked at once. They are ASCII when they are one word.
    pub(super) fn read(bytes: &'r [u8]) -> Result<Self, HeaderFault> {
        let (blocks, rest) = bytes.as_chunks();
        let mut seen = Seen::NOTHING;
        let (pairs, single) = blocks.as_chunks();
        for [one, other] in pairs {
            seen.look_at(one);
            seen.look_at(other);
        }
        single.iter().for_each(|block| seen.look_at(block));
        let mut last = [b'-'; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        seen.look_at(&last);
        if !seen.is_usual() {
            return unusual_word(bytes).map(Self::counted);
        }
        // Each number counts up to one a block.
        if blocks.len() >= usize::from(u8::MAX) {
            return Ok(Self::counted(bytes));
        }
        let dots = seen.dots();
        Ok(Self { bytes, dots })
    }

    pub(super) fn counted(bytes: &'r [u8]) -> Self {
        Self {
            bytes,
            dots: memchr::memchr_iter(b'.', bytes).count(),
        }
    }
}

/// What was seen at each place of the blocks.
struct Seen {
    least: [u8; BLOCK],
    greatest: [u8; BLOCK],
    dots: [u8; BLOCK],
}

impl Seen {
    const NOTHING: Self = Self {
        least: [u8::MAX; BLOCK],
        greatest: [0; BLOCK],
        dots: [0; BLOCK],
    };

    #[inline(always)]
    fn look_at(&mut self, block: &[u8; BLOCK]) {
        for (place, byte) in block.iter().enumerate() {
            self.least[place] = self.least[place].min(*byte);
            self.greatest[place] = self.greatest[place].max(*byte);
            self.dots[place] = self.dots[place].wrapping_add(u8::from(*byte == b'.'));
        }
    }

    /// Whether all bytes are in the range that those of a usual token are in; the comma is not.
    fn is_usual(&self) -> bool {
        !(self.least.iter().any(|least| *least < b'-') | self.greatest.iter().any(|greatest| *greatest > b'~'))
    }

    /// How many dots there are at all places.
    fn dots(&self) -> usize {
        self.dots.iter().map(|dots| usize::from(*dots)).sum()
    }
}

/// Looks again at bytes of which some are not those of a usual token.
#[cold]
fn unusual_word(bytes: &[u8]) -> Result<&[u8], HeaderFault> {
    // The least and the greatest of all bytes, and how near they come to a comma.
    let all = (u8::MAX, 0, u8::MAX);
    let (least, greatest, from_comma) = bytes.iter().fold(all, |(least, greatest, from_comma), byte| {
        (least.min(*byte), greatest.max(*byte), from_comma.min(*byte ^ b','))
    });
    if least >= b'!' && greatest <= b'~' && from_comma != 0 {
        Ok(bytes)
    } else {
        not_one_word(bytes)
    }
}

/// What is wrong with bytes that are not one word, unless they are a JSON object.
#[cold]
fn not_one_word(bytes: &[u8]) -> Result<&[u8], HeaderFault> {
    if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        Err(HeaderFault::Malformed)
    } else if bytes.starts_with(b"{") {
        // The JSON serialisation of a JWS: one credential, though not one that is accepted.
        Ok(bytes)
    } else if bytes.contains(&b',') {
        Err(HeaderFault::SeveralCredentials)
    } else {
        Err(HeaderFault::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_counted_wherever_they_are() {
        for length in (1..200).chain([4 * BLOCK * usize::from(u8::MAX), 300 * BLOCK + 7]) {
            for (every, byte) in [(1, b'.'), (3, b'.'), (BLOCK, b'.'), (2, b'~'), (5, b'-')] {
                let bytes: Vec<u8> = (0..length)
                    .map(|index| if index % every == 0 { byte } else { b'x' })
                    .collect();
                let word = Word::read(&bytes).expect("one word");
                assert_eq!(word.bytes, bytes);
                assert_eq!(
                    word.dots,
                    bytes.iter().filter(|byte| **byte == b'.').count(),
                    "{length} {every}"
                );
            }
        }
    }

    #[test]
    fn each_byte_is_looked_at() {
        for length in 1..200 {
            for index in 0..length {
                let mut bytes = vec![b'x'; length];
                for (byte, fault) in [
                    (b',', Some(HeaderFault::SeveralCredentials)),
                    (b' ', Some(HeaderFault::Malformed)),
                    (0x7f, Some(HeaderFault::Malformed)),
                    (0xff, Some(HeaderFault::Malformed)),
                    (b'!', None),
                    (b'~', None),
                ] {
                    bytes[index] = byte;
                    assert_eq!(Word::read(&bytes).err(), fault, "{byte} at {index} of {length}");
                }
            }
        }
    }
}
