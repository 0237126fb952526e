//! Whether a text has escapes, so that a reader has code of its own for texts without.

/// What is known of the strings of a text.
pub(crate) trait Kind: Copy {
    /// Whether a string ends at the next quote, whatever stands before: nothing in the whole text could end it earlier.
    fn is_plain(self) -> bool;
}

/// Text of which it turns out when it is read.
#[derive(Clone, Copy)]
pub(crate) struct Any {
    pub(super) is_plain: bool,
}

/// Text without escapes, so that its strings are parts of it.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Kind for Any {
    #[inline(always)]
    fn is_plain(self) -> bool {
        self.is_plain
    }
}

impl Kind for Plain {
    #[inline(always)]
    fn is_plain(self) -> bool {
        true
    }
}
