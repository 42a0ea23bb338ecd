//! The project's folders, running commands in them, and telling what happens.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use crate::failure::{Failure, While};

static START: OnceLock<Instant> = OnceLock::new();

/// Starts the clock that [`say`] shows.
pub fn start_clock() {
    START.get_or_init(Instant::now);
}

/// Tells what is being done, with the seconds since the start.
pub fn say(text: impl AsRef<str>) {
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    println!("[{seconds:6.1}s] {}", text.as_ref());
}

/// The project's folders.
#[derive(Debug, Clone)]
pub struct Project {
    /// Where the workspace's Cargo.toml is.
    pub root: PathBuf,
    /// What the tasks install or remember: `.tools`, else what `EDGEMEM_TOOLS_DIR` names.
    pub tools: PathBuf,
}

impl Project {
    /// The project that this program was built from.
    pub fn find() -> Self {
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here
            .parent()
            .map_or_else(|| here.clone(), Path::to_path_buf);
        let tools = match std::env::var_os("EDGEMEM_TOOLS_DIR") {
            Some(folder) => root.join(folder),
            None => root.join(".tools"),
        };
        Self { root, tools }
    }

    /// A command that runs in the project's folder.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs this program.
    pub fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Reads a file of the project.
    pub fn read(&self, path: &str) -> Result<String, Failure> {
        std::fs::read_to_string(self.root.join(path)).trying(format!("reading {path}"))
    }
}

/// Runs a command that writes to the terminal itself.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .trying(format!("starting {}", shown(command)))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Command {
        command: shown(command),
        status: status.to_string(),
    })
}

/// What a command prints, or `None` when it cannot be started or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A program on the PATH.
pub fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The PATH with these folders before it.
pub fn path_with(folders: impl IntoIterator<Item = PathBuf>) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = folders
        .into_iter()
        .chain(std::env::split_paths(&path))
        .collect();
    // Only a folder with a colon in its name cannot be joined; then the PATH stays as it is.
    std::env::join_paths(folders).unwrap_or(path)
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}
