//! Room for the strings of a token while they are gathered.

/// How much text the claims of a usual token have, in bytes.
const USUAL: usize = 1024;

/// So much is copied at once, wherever a short string ends.
const AT_ONCE: usize = 32;

/// Text that is put together on the stack, unless it is unusually long.
pub(super) struct Scratch {
    usual: [u8; USUAL],
    /// How much of `usual` is in use: all of it, once the text is in `long`.
    used: usize,
    long: Vec<u8>,
}

impl Scratch {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            usual: [0; USUAL],
            used: 0,
            long: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        if self.long.is_empty() {
            self.used
        } else {
            self.long.len()
        }
    }

    /// Appends a part of `source`.
    #[inline(always)]
    pub(super) fn push_from(&mut self, source: &[u8], start: usize, length: usize) {
        let room = self.usual.get_mut(self.used..).and_then(<[u8]>::first_chunk_mut);
        let bytes = source.get(start..).and_then(<[u8]>::first_chunk::<AT_ONCE>);
        if length <= AT_ONCE
            && let (Some(room), Some(bytes)) = (room, bytes)
        {
            // What lies behind the string is overwritten by the next one.
            *room = *bytes;
            self.used += length;
        } else {
            self.push(&source[start..start + length]);
        }
    }

    #[inline(never)]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            let room = self.usual.get_mut(self.used..self.used + bytes.len());
            if let Some(room) = room {
                room.copy_from_slice(bytes);
                self.used += bytes.len();
                return;
            }
            self.long.extend_from_slice(&self.usual[..self.used]);
            self.used = USUAL;
        }
        self.long.extend_from_slice(bytes);
    }

    /// All that was pushed.
    pub(super) fn text(&self) -> &str {
        let bytes = if self.long.is_empty() {
            &self.usual[..self.used]
        } else {
            &self.long
        };
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
                assert_eq!((scratch.len(), scratch.text()), (expected.len(), &*expected));
            }
            let end = source.len() - "äöü".len();
            scratch.push_from(source.as_bytes(), end, "äöü".len());
            assert_eq!(scratch.text(), expected + "äöü");
        }
    }
}
