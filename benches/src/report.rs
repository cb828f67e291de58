//! [`Report`]: tables in Markdown, with the machine that they were measured on.

use std::{fmt, fs, io, path::Path, process::Command, thread::available_parallelism};

/// A table in Markdown.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", "---|".repeat(self.columns.len()))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// A page of results.
#[derive(Debug, Clone)]
pub struct Report(String);

impl Report {
    /// A page that begins with what was measured, on what machine, and of which commit.
    #[must_use]
    pub fn new(title: &str, text: &str, disk: &Path) -> Self {
        let processors = available_parallelism().map_or(0, usize::from);
        let memory = said("sh", &["-c", "awk '/MemTotal/ {print int($2 / 1048576 + 0.5)}' /proc/meminfo"]);
        let file_system = said("sh", &["-c", r#"df --output=fstype "$1" | tail -n 1"#, "sh", &disk.to_string_lossy()]);
        let system = said("uname", &["-sr"]);
        let commit = said("git", &["describe", "--always", "--dirty"]);
        let day = said("date", &["-u", "+%Y-%m-%d"]);
        Self(format!(
            "# {title}\n\n{text}\n\n{day}, commit {commit}, {processors} processors, {memory} GiB of memory, {system}, \
             file system {file_system}.\n"
        ))
    }

    /// Adds a section with a table.
    pub fn section(&mut self, title: &str, table: &Table) {
        self.0 += &format!("\n## {title}\n\n{table}");
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.0 += &format!("\n{text}\n");
    }

    /// Writes it as `NAME.md` in a directory.
    ///
    /// # Errors
    ///
    /// Where that cannot be written.
    pub fn write(&self, directory: &Path, name: &str) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        fs::write(directory.join(name).with_extension("md"), &self.0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a program of the system prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let printed = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&printed).trim().to_owned();
    if text.is_empty() { "unknown".to_owned() } else { text }
}
