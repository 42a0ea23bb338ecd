//! `cargo xtask build`: the Worker as workerd runs it, the npm package, the app, and the WebAssembly component.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::app;
use crate::component;
use crate::failure::{Failure, While};
use crate::npm;
use crate::shell::{Project, output, path_with, say, which};
use crate::stamp;
use crate::tools::{self, BuildTools};

/// The Worker's crate.
pub const WORKER: &str = "crates/worker";
/// A Worker for tests: the storage conformance suite.
pub const STORAGE_TEST: &str = "tests/worker/storage";

/// The builtin embedder's table, and where the Worker finds it among its static assets.
pub const TABLE: &str = "models/builtin.bin";
const ASSET: &str = "www/models/builtin.bin";

/// `RUSTFLAGS` replaces the flags of `.cargo/config.toml`, so worker-build gets them here again.
const RUSTFLAGS: &str = "-Ctarget-feature=+simd128";

/// What every Worker is made of, besides its own folder.
const INPUTS: [&str; 6] = [
    "src",
    "package-lock.json",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo/config.toml",
];

/// Runs the task: all, or what is named.
pub fn run(project: &Project, words: &[String]) -> Result<(), Failure> {
    let parts = ["worker", "npm", "app", "component"];
    if let Some(word) = words.iter().find(|word| !parts.contains(&word.as_str())) {
        let what =
            format!("`build` has no part {word:?}; there are worker, npm, app and component");
        return Err(Failure::Usage(what));
    }
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    if wanted("worker") {
        let tools = BuildTools::ready(project)?;
        worker(project, &tools, WORKER)?;
        table(project)?;
    }
    if wanted("npm") {
        npm::build(project)?;
    }
    if wanted("app") {
        app::build(project)?;
    }
    if wanted("component") {
        component::build(project)?;
    }
    if wanted("worker") {
        sizes(project)?;
    }
    if wanted("npm") {
        npm::sizes(project)?;
    }
    if wanted("app") {
        app::sizes(project)?;
    }
    if wanted("component") {
        component::sizes(project)?;
    }
    Ok(())
}

/// How the panics of a Worker unwind. Without unwinding, a panic in a Durable Object leaves its caller
/// hanging instead of answered.
enum Unwinding {
    /// The standard library is rebuilt by the project's own compiler.
    Pinned,
    /// It is rebuilt by a nightly compiler.
    Nightly,
    /// It cannot be rebuilt.
    Off,
}

impl Unwinding {
    fn name(&self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Nightly => "nightly",
            Self::Off => "off",
        }
    }

    fn available(project: &Project) -> Self {
        if tools::rust_src(project) {
            return Self::Pinned;
        }
        if output(project.command("rustc").args(["+nightly", "--version"])).is_some() {
            return Self::Nightly;
        }
        eprintln!(
            "warning: the source of Rust's standard library is missing (`rustup component add rust-src`):\n\
             building without unwinding; a panic in a Durable Object will leave its caller without an answer"
        );
        Self::Off
    }
}

/// Builds the Worker of a crate into its `build` folder, unless nothing changed.
pub fn worker(project: &Project, tools: &BuildTools, krate: &str) -> Result<(), Failure> {
    let folder = project.root.join(krate);
    let stamp = folder.join("build/.edgemem");
    let inputs: Vec<&str> = INPUTS.into_iter().chain([krate]).collect();
    let unwinding = Unwinding::available(project);
    let digest = stamp::digest(
        &project.root,
        &inputs,
        &[RUSTFLAGS, tools::WORKER_BUILD, unwinding.name()],
    )?;
    if stamp::says(&stamp, &digest) && folder.join("build/index_bg.wasm").is_file() {
        say(format!("{krate} is up to date"));
        return Ok(());
    }
    say(format!("building {krate} for workerd"));
    let bin = project.root.join("node_modules/.bin");
    let mut path: Vec<PathBuf> = tools
        .node
        .program
        .parent()
        .map(Path::to_path_buf)
        .into_iter()
        .collect();
    let mut command = project.command(&tools.worker_build);
    command
        .current_dir(&folder)
        .arg("--release")
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("WASM_OPT_BIN", optimizer(project)?)
        .env("ESBUILD_BIN", bin.join("esbuild"))
        .env("RUSTFLAGS", RUSTFLAGS)
        // The tools after the linker read sections that it would strip; the optimizer strips instead.
        .env("CARGO_PROFILE_RELEASE_STRIP", "none");
    match unwinding {
        Unwinding::Pinned => {
            path.insert(0, shims(project)?);
            command.arg("--panic-unwind").env("RUSTC_BOOTSTRAP", "1");
        }
        Unwinding::Nightly => {
            command.arg("--panic-unwind");
        }
        Unwinding::Off => {}
    }
    crate::shell::run(command.env("PATH", path_with(path)))?;
    stamp::write(&stamp, &digest)?;
    say(format!("built {krate}"));
    Ok(())
}

/// worker-build unwinds by `cargo +nightly`. The project's own compiler does as well, when it is told to
/// allow unstable options: programs before it on the PATH drop the `+nightly`.
fn shims(project: &Project) -> Result<PathBuf, Failure> {
    let folder = project.tools.join("shims");
    fs::create_dir_all(&folder).trying(format!("making {}", folder.display()))?;
    let sysroot = tools::sysroot(project).unwrap_or_default();
    for name in ["cargo", "rustc"] {
        let own = sysroot.join("bin").join(name);
        let real = if own.is_file() {
            own
        } else {
            which(name).unwrap_or(own)
        };
        let real = real.display();
        let script = format!("#!/bin/sh\n[ \"$1\" = +nightly ] && shift\nexec \"{real}\" \"$@\"\n");
        executable(&folder.join(name), &script)?;
    }
    // Asked only whether rust-src is there, which we saw to.
    executable(
        &folder.join("rustup"),
        "#!/bin/sh\necho 'rust-src (installed)'\n",
    )?;
    Ok(folder)
}

/// worker-build keeps the names of functions, a tenth of the size: a program in its optimizer's place does not.
fn optimizer(project: &Project) -> Result<PathBuf, Failure> {
    let folder = project.tools.join("shims");
    fs::create_dir_all(&folder).trying(format!("making {}", folder.display()))?;
    let file = folder.join("wasm-opt");
    let real = project.root.join("node_modules/.bin/wasm-opt");
    let script = format!(
        "#!/bin/sh\n\
         for word do\n\
         \x20 shift\n\
         \x20 case $word in\n\
         \x20   -O) set -- \"$@\" -Oz ;;\n\
         \x20   --debuginfo) ;;\n\
         \x20   *) set -- \"$@\" \"$word\" ;;\n\
         \x20 esac\n\
         done\n\
         exec \"{}\" \"$@\"\n",
        real.display()
    );
    executable(&file, &script)?;
    Ok(file)
}

fn executable(file: &Path, script: &str) -> Result<(), Failure> {
    if fs::read_to_string(file).is_ok_and(|text| text == script) {
        return Ok(());
    }
    let doing = || format!("writing {}", file.display());
    fs::write(file, script).trying(doing())?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).trying(doing())
}

/// Puts the builtin embedder's table among the static assets.
pub fn table(project: &Project) -> Result<(), Failure> {
    let (from, to) = (project.root.join(TABLE), project.root.join(ASSET));
    let table = fs::read(&from).map_err(|error| Failure::Missing {
        what: format!("{TABLE} cannot be read: {error}"),
        advice: "it belongs to the repository; models/distill.py makes it anew".into(),
    })?;
    if fs::read(&to).is_ok_and(|old| old == table) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).trying(format!("making {}", folder.display()))?;
    }
    fs::write(&to, table).trying(format!("writing {ASSET}"))
}

fn sizes(project: &Project) -> Result<(), Failure> {
    let wasm = format!("{WORKER}/build/index_bg.wasm");
    let script = format!("{WORKER}/build/index.js");
    for (what, path) in [
        ("the Worker's wasm", wasm.as_str()),
        ("its script", &script),
        ("embedder's table, apart", TABLE),
    ] {
        let bytes = fs::read(project.root.join(path)).trying(format!("reading {path}"))?;
        let (raw, packed) = (kilobytes(bytes.len()), kilobytes(gzipped(&bytes)?));
        println!("  {what:<24} {raw:>8.1} KB, {packed:>8.1} KB gzipped   {path}");
    }
    Ok(())
}

/// The size of bytes, compressed.
pub fn gzipped(bytes: &[u8]) -> Result<usize, Failure> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).trying("compressing")?;
    Ok(encoder.finish().trying("compressing")?.len())
}

/// Bytes in thousands.
pub fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}
