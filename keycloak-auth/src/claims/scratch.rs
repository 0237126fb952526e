//! Room for the strings of a token while they are gathered.

/// How much text the claims of a usual token have, in bytes.
const USUAL: usize = 1024;

/// So much is copied at once, wherever a short string ends.
const AT_ONCE: usize = 32;

/// Text that is put together on the stack, unless it is unusually long.
pub(super) struct Scratch {
    usual: [u8; USUAL],
    /// Instead of `usual`, once the text does not fit in there.
    long: Vec<u8>,
    /// How much text there is.
    pub(super) len: usize,
}

impl Scratch {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            usual: [0; USUAL],
            long: Vec::new(),
            len: 0,
        }
    }

    /// Appends a part of `source`.
    #[inline(always)]
    pub(super) fn push_from(&mut self, source: &[u8], start: usize, length: usize) {
        let room = self.usual.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut);
        let bytes = source.get(start..).and_then(<[u8]>::first_chunk::<AT_ONCE>);
        if length <= AT_ONCE
            && let (Some(room), Some(bytes)) = (room, bytes)
        {
            // What lies behind the string is overwritten by the next one.
            *room = *bytes;
            self.len += length;
        } else {
            self.push(&source[start..start + length]);
        }
    }

    #[inline(never)]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        match self.usual.get_mut(self.len..end) {
            Some(room) => room.copy_from_slice(bytes),
            None => {
                if self.long.is_empty() {
                    self.long.extend_from_slice(&self.usual[..self.len]);
                }
                self.long.extend_from_slice(bytes);
            }
        }
        self.len = end;
    }

    /// All that was pushed.
    pub(super) fn text(&self) -> &str {
        let bytes = self.usual.get(..self.len).unwrap_or(&self.long);
        str::from_utf8(bytes).expect("strings were pushed, and nothing else")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_pushed_however_much_it_is() {
        let source = "0123456789abcdefghijklmnopqrstuvwxyzäöü".repeat(2);
        let source = source.as_str();
        for count in [0, 1, 10, 25, 26, 27, 40, 60, 100, 500] {
            let mut scratch = Scratch::new();
            let mut expected = String::new();
            for index in 0..count {
                let (start, length) = (index % 36, [0, 1, 31, 32, 33, 36][index % 6].min(36 - index % 36));
                scratch.push_from(source.as_bytes(), start, length);
                expected += &source[start..start + length];
                if index % 7 == 0 {
                    scratch.push("ü".as_bytes());
                    expected += "ü";
                }
                assert_eq!((scratch.len, scratch.text()), (expected.len(), &*expected));
            }
            let end = source.len() - "äöü".len();
            scratch.push_from(source.as_bytes(), end, "äöü".len());
            assert_eq!(scratch.text(), expected + "äöü");
        }
    }
}
