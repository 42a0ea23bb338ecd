//! How far an evaluation is.

use std::cell::Cell;
use std::io::IsTerminal;

/// A line on the terminal that says how far it is; nothing where nobody looks.
pub struct Progress {
    total: usize,
    done: Cell<usize>,
    shown: bool,
}

impl Progress {
    /// Of this many questions.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            done: Cell::new(0),
            shown: std::io::stderr().is_terminal(),
        }
    }

    /// One question more.
    pub fn step(&self) {
        self.done.set(self.done.get() + 1);
        if self.shown {
            let filled = self.done.get() * 30 / self.total.max(1);
            let bar = format!("{:<30}", "█".repeat(filled));
            eprint!("\r[{bar}] {}/{} questions", self.done.get(), self.total);
        }
    }

    /// Wipes the line.
    pub fn done(&self) {
        if self.shown {
            eprint!("\r{:60}\r", "");
        }
    }
}
