//! `cargo xtask bench`: the vector index as WebAssembly under Node, beside an exact scan and its peers; and whole
//! recall, by all channels beside by two.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use edgemem::model::Embedder;
use edgemem::model::builtin::StaticEmbedder;
use futures_executor::block_on;

use crate::failure::{Failure, While};
use crate::shell::{Project, run as execute, say};
use crate::tools::{BuildTools, Node, chromium, wasm_bindgen};
use crate::{build, keywords, npm};

const PACKAGE: &str = "edgemem-bench-wasm";
const NATIVE: &str = "benches/native/Cargo.toml";
const PEERS: &str = "benches";

struct Options {
    texts: Option<PathBuf>,
    vectors: Option<(PathBuf, usize)>,
    counts: Option<String>,
    peers: bool,
    hnsw: bool,
    ef: Option<String>,
    perturb: bool,
    native: bool,
    worker: bool,
    keywords: bool,
    recall: bool,
    web: bool,
}

impl Options {
    fn read(words: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            texts: None,
            vectors: None,
            counts: None,
            peers: false,
            hnsw: false,
            ef: None,
            perturb: false,
            native: false,
            worker: false,
            keywords: false,
            recall: false,
            web: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next();
                value.ok_or_else(|| Failure::Usage(format!("{word} needs a value")))
            };
            match word.as_str() {
                "--texts" => options.texts = Some(value()?.into()),
                "--counts" => options.counts = Some(value()?.clone()),
                "--peers" => options.peers = true,
                "--hnsw" => options.hnsw = true,
                "--ef" => options.ef = Some(value()?.clone()),
                "--perturb" => options.perturb = true,
                "--native" => options.native = true,
                "--worker" => options.worker = true,
                "--keywords" => options.keywords = true,
                "--recall" => options.recall = true,
                "--web" => options.web = true,
                "--vectors" => {
                    let file = PathBuf::from(value()?);
                    let dimension = value()?.parse().map_err(|_| {
                        Failure::Usage("--vectors needs a file and its dimension".into())
                    })?;
                    options.vectors = Some((file, dimension));
                }
                other => return Err(Failure::Usage(format!("`bench` takes no {other:?}"))),
            }
        }
        Ok(options)
    }

    fn counts(&self) -> &str {
        let usual = if self.recall || self.web {
            "10000"
        } else {
            "1000,10000,50000"
        };
        self.counts.as_deref().unwrap_or(usual)
    }
}

/// Runs the task.
pub fn run(project: &Project, words: &[String]) -> Result<(), Failure> {
    let options = Options::read(words)?;
    if options.keywords {
        return keywords(&options);
    }
    let folder = project.tools.join("bench");
    fs::create_dir_all(&folder).trying(format!("making {}", folder.display()))?;
    if options.worker {
        return worker(project, &BuildTools::ready(project)?, &options, &folder);
    }
    if options.recall {
        return recall(project, &options, &folder);
    }
    if options.web {
        return web(project, &options, &folder);
    }
    let (vectors, dimension) = match &options.vectors {
        Some(given) => given.clone(),
        None => embedded(project, options.texts.as_deref(), &folder)?,
    };
    if options.native {
        return native(project, &vectors, dimension, options.counts());
    }
    let node = Node::ready(project)?;
    let wasm = wasm(project, &folder)?;
    let mut command = project.command(&node.program);
    command.env("PATH", node.path());
    command.arg("benches/vectors.mjs").arg("--wasm").arg(&wasm);
    command.arg("--vectors").arg(&vectors);
    command.args(["--dimension", &dimension.to_string()]);
    command.args(["--counts", options.counts()]);
    if options.hnsw {
        command.arg("--hnsw");
    }
    if let Some(ef) = &options.ef {
        command.args(["--ef", ef]);
    }
    if options.perturb {
        command.arg("--perturb");
    }
    if options.peers {
        let peers = project.root.join(PEERS);
        node.packages_with_scripts(project, &peers)?;
        command.arg("--peers").arg(peers);
    }
    execute(&mut command)
}

/// The keyword index on this machine.
fn keywords(options: &Options) -> Result<(), Failure> {
    let sentences = sentences(options.texts.as_deref())?;
    for count in options.counts().split(',') {
        let count = count.trim().parse();
        let count = count.map_err(|_| Failure::Usage("--counts needs numbers".into()))?;
        keywords::measure(&sentences, count);
    }
    Ok(())
}

/// Whole recall, by all channels beside by words and vectors alone.
fn recall(project: &Project, options: &Options, folder: &Path) -> Result<(), Failure> {
    let texts = texts_in_file(options.texts.as_deref(), folder)?;
    let node = Node::ready(project)?;
    let wasm = wasm(project, folder)?;
    let mut command = project.command(&node.program);
    command.env("PATH", node.path());
    command.arg("benches/recall.mjs").arg("--wasm").arg(&wasm);
    command.arg("--texts").arg(&texts);
    command.arg("--table").arg(project.root.join(build::TABLE));
    execute(command.args(["--counts", options.counts()]))
}

/// The npm package in Chromium.
fn web(project: &Project, options: &Options, folder: &Path) -> Result<(), Failure> {
    npm::build(project)?;
    let texts = texts_in_file(options.texts.as_deref(), folder)?;
    let node = Node::ready(project)?;
    let mut command = project.command(&node.program);
    command
        .env("PATH", node.path())
        .env("EDGEMEM_CHROMIUM", chromium()?);
    command.arg("benches/web.mjs").arg("--texts").arg(&texts);
    execute(command.args(["--counts", options.counts()]))
}

/// The Worker in workerd, from outside.
fn worker(
    project: &Project,
    tools: &BuildTools,
    options: &Options,
    folder: &Path,
) -> Result<(), Failure> {
    build::worker(project, tools, build::WORKER)?;
    build::table(project)?;
    let mut command = project.command(&tools.node.program);
    command
        .env("PATH", tools.node.path())
        .arg("benches/worker.mjs");
    match (&options.vectors, &options.texts) {
        (Some((vectors, dimension)), Some(texts)) => {
            command.arg("--texts").arg(texts);
            command.arg("--vectors").arg(vectors);
            command.args(["--dimension", &dimension.to_string()]);
        }
        (Some(_), None) => {
            let missing = "--worker --vectors needs --texts, the text of each vector";
            return Err(Failure::Usage(missing.into()));
        }
        (None, texts) => {
            let file = texts_in_file(texts.as_deref(), folder)?;
            command.arg("--texts").arg(&file);
        }
    }
    execute(command.args(["--counts", options.counts()]))
}

/// The indexes as this machine runs them, beside `hnsw_rs`.
fn native(
    project: &Project,
    vectors: &Path,
    dimension: usize,
    counts: &str,
) -> Result<(), Failure> {
    let vectors = std::path::absolute(vectors).trying("finding the vectors")?;
    let mut command = project.cargo();
    command.args(["bench", "--manifest-path", NATIVE]);
    command.env("EDGEMEM_BENCH_VECTORS", vectors);
    command.env("EDGEMEM_BENCH_DIMENSION", dimension.to_string());
    execute(command.env("EDGEMEM_BENCH_COUNTS", counts))
}

/// The core as a module that Node loads.
fn wasm(project: &Project, folder: &Path) -> Result<PathBuf, Failure> {
    let wasm_bindgen = wasm_bindgen(project)?;
    say("building the core as WebAssembly");
    let target = project.root.join("target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from);
    let build = [
        "build",
        "--release",
        "--target",
        "wasm32-unknown-unknown",
        "-p",
        PACKAGE,
    ];
    // wasm-bindgen reads sections that the linker would strip.
    let mut build_it = project.cargo();
    build_it
        .args(build)
        .env("CARGO_PROFILE_RELEASE_STRIP", "none");
    execute(&mut build_it)?;
    let file = format!(
        "wasm32-unknown-unknown/release/{}.wasm",
        PACKAGE.replace('-', "_")
    );
    let out = folder.join("wasm");
    let mut bindgen = project.command(&wasm_bindgen);
    bindgen
        .arg(target.join(file))
        .args(["--target", "nodejs", "--out-dir"]);
    execute(bindgen.arg(&out))?;
    Ok(out)
}

/// Texts as unit vectors of the builtin embedder, in a file, and their dimension.
fn embedded(
    project: &Project,
    texts: Option<&Path>,
    folder: &Path,
) -> Result<(PathBuf, usize), Failure> {
    let texts = sentences(texts)?;
    say(format!(
        "embedding {} sentences by the builtin embedder",
        texts.len()
    ));
    let unreadable = |reason: String| Failure::Unreadable {
        file: "models/builtin.bin".into(),
        reason,
    };
    let table = fs::read(project.root.join("models/builtin.bin")).trying("reading the embedder")?;
    let embedder = StaticEmbedder::from_bytes(table).map_err(|e| unreadable(e.to_string()))?;
    let vectors = block_on(embedder.embed(&texts)).map_err(|e| unreadable(e.to_string()))?;
    let dimension = vectors.first().map_or(0, Vec::len);
    let mut bytes = Vec::with_capacity(vectors.len() * dimension * 4);
    for value in vectors.iter().flatten() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    let file = folder.join("vectors.f32");
    fs::File::create(&file)
        .and_then(|mut file| file.write_all(&bytes))
        .trying(format!("writing {}", file.display()))?;
    Ok((file, dimension))
}

/// A file of the sentences to work with.
fn texts_in_file(texts: Option<&Path>, folder: &Path) -> Result<PathBuf, Failure> {
    let file = folder.join("sentences.txt");
    let texts = sentences(texts)?.join("\n");
    fs::write(&file, texts).trying(format!("writing {}", file.display()))?;
    Ok(file)
}

/// The lines of a file, else sentences that are at hand.
fn sentences(file: Option<&Path>) -> Result<Vec<String>, Failure> {
    match file {
        Some(file) => {
            let text = fs::read_to_string(file).trying(format!("reading {}", file.display()))?;
            Ok(text.lines().map(str::to_owned).collect())
        }
        None => sentences_of_dependencies(),
    }
}

/// Sentences that every machine has: the documentation in the sources of what this project depends on.
fn sentences_of_dependencies() -> Result<Vec<String>, Failure> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let sources = home.unwrap_or_default().join("registry/src");
    say(format!("collecting sentences from {}", sources.display()));
    let mut found = BTreeSet::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.extend(text.lines().filter_map(sentence));
            }
        }
    }
    if found.len() < 2_000 {
        return Err(Failure::Missing {
            what: format!("{} holds only {} sentences", sources.display(), found.len()),
            advice: "--texts FILE names a file with a sentence a line".into(),
        });
    }
    // Neighbours in the alphabet are alike: an order by hash spreads them, and is always the same.
    let mut sentences: Vec<(u64, String)> =
        found.into_iter().map(|text| (hash(&text), text)).collect();
    sentences.sort();
    Ok(sentences.into_iter().map(|(_, text)| text).collect())
}

/// The sentence in a line of documentation.
fn sentence(line: &str) -> Option<String> {
    let line = line.trim_start();
    let text = line
        .strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))?
        .trim();
    let starts = text.chars().next().is_some_and(char::is_uppercase);
    (starts && text.len() >= 25 && text.split(' ').count() >= 5).then(|| text.to_owned())
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
