//! The matrix as a table for a terminal.

use std::fmt;

use super::{Access, AccessMatrix};

/// One line for each route, in aligned columns.
impl fmt::Display for AccessMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.cells();
        let columns = lines.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = lines.iter().map(|line| line[column].chars().count());
                cells.max().unwrap_or_default()
            })
            .collect();
        for line in &lines {
            let mut text = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                text.push_str(&format!("{cell:width$}  "));
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

impl AccessMatrix {
    /// The table, its header first: method, path, a column for each subject, policy with notes, handler.
    pub(super) fn cells(&self) -> Vec<Vec<String>> {
        let mut header = vec!["method".to_owned(), "path".to_owned()];
        header.extend(self.subjects.iter().map(|subject| subject.name().to_owned()));
        header.extend(["policy".to_owned(), "handler".to_owned()]);
        let rows = self.rows.iter().map(|row| {
            let mut cells = vec![row.method().to_owned(), row.path().to_owned()];
            let access = |access: Access| access.word().to_owned();
            cells.extend(self.subjects.iter().map(|subject| access(subject.access(row.policy()))));
            let notes: String = row.notes().iter().map(|note| format!(" [{note}]")).collect();
            cells.push(format!("{}{notes}", row.policy()));
            cells.push(row.handler().unwrap_or_default().to_owned());
            cells
        });
        std::iter::once(header).chain(rows).collect()
    }
}
