//! The few file operations that the standard library leaves out.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create `{}`", to.display()))?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if fs::metadata(entry.path())?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot copy to `{}`", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
pub(crate) fn link(original: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(original, link).with_context(|| format!("cannot link `{}`", link.display()))
}

#[cfg(not(unix))]
pub(crate) fn link(original: &Path, link: &Path) -> Result<()> {
    copy_tree(original, link)
}
