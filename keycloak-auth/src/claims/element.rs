//! The elements of lists, so kept that most comparisons need not look at the text.

use super::{List, Text, position};

/// A string by its position in the text, with what tells it from most others: its length, and a mark of its bytes.
///
/// In the list of clients some stand for a list instead.
#[derive(Clone, Copy)]
pub(super) struct Element {
    start: u32,
    /// The length above the mark's bits.
    key: u32,
}

/// Strings are compared by their keys this many at once.
const AT_ONCE: usize = 8;

impl Element {
    /// The string at `text`, which has this [`mark`].
    pub(super) fn new(text: Text, mark: u8) -> Self {
        Self {
            start: text.start,
            key: (text.end.get() - text.start) << u8::BITS | u32::from(mark),
        }
    }

    pub(super) fn of_list(list: List) -> Self {
        Self {
            start: list.start,
            key: list.end,
        }
    }

    pub(super) fn list(self) -> List {
        List {
            start: self.start,
            end: self.key,
        }
    }

    /// The string, of the text that the element was made for.
    pub(super) fn of(self, text: &str) -> &str {
        let start = self.start as usize;
        &text[start..start + (self.key >> u8::BITS) as usize]
    }
}

/// A number that differs for most strings of the same length: names in a list often share their beginning.
pub(super) fn mark(text: &str) -> u8 {
    let bytes = text.as_bytes();
    match bytes {
        [.., one, two] => two ^ one.rotate_left(3) ^ bytes[bytes.len() / 2].rotate_left(5),
        [one] => *one,
        [] => 0,
    }
}

fn key(length: usize, mark: u8) -> u32 {
    position(length) << u8::BITS | u32::from(mark)
}

/// Whether one of the strings is `wanted`.
pub(super) fn contain(elements: &[Element], text: &str, wanted: &str) -> bool {
    // Has no key, when it is long enough.
    if wanted.len() > text.len() {
        return false;
    }
    let key = key(wanted.len(), mark(wanted));
    let text = text.as_bytes();
    let is_wanted = |element: &Element| {
        let start = element.start as usize;
        element.key == key && text.get(start..start + wanted.len()) == Some(wanted.as_bytes())
    };
    let (chunks, rest) = elements.as_chunks::<AT_ONCE>();
    chunks.iter().any(|chunk| {
        // Without a branch for each, so that they are compared side by side.
        let any = chunk.iter().fold(false, |any, element| any | (element.key == key));
        any && chunk.iter().any(is_wanted)
    }) || rest.iter().any(is_wanted)
}
