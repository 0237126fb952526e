//! Noticing a member that stands twice.

use std::{borrow::Cow, collections::HashSet};

use smallvec::SmallVec;

/// Objects with more members than this look their names up in a hash table, and so do names with escapes.
const LINEAR: usize = 8;

/// The member names of one object that were seen so far.
#[derive(Default)]
pub(crate) struct Members<'j> {
    few: SmallVec<[&'j str; LINEAR]>,
    many: Option<HashSet<Cow<'j, str>>>,
}

impl<'j> Members<'j> {
    pub(crate) fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_none()
    }

    /// Remembers `name`; `false`: it stood before.
    #[inline]
    #[must_use]
    pub(crate) fn insert(&mut self, name: Cow<'j, str>) -> bool {
        let seen = self.few.contains(&&*name) || self.many.as_ref().is_some_and(|many| many.contains(&name));
        if seen {
            return false;
        }
        match name {
            Cow::Borrowed(name) if self.few.len() < LINEAR => self.few.push(name),
            name => {
                self.many.get_or_insert_default().insert(name);
            }
        }
        true
    }
}
