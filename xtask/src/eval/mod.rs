//! `cargo xtask eval`: how well recall finds the evidence of questions about long conversations.

mod data;
mod embedder;
mod figures;
mod given;
mod progress;
mod space;

use std::path::PathBuf;
use std::rc::Rc;

use edgemem::model::Embedder;
use edgemem::model::builtin::StaticEmbedder;
use edgemem::operation::Channel;

use data::Conversation;
use figures::Figures;
use progress::Progress;

/// How to use it.
pub const HELP: &str = "\
cargo xtask eval --data FILE [options]

  --data FILE           conversations with facts and questions, in the shape that CONTRIBUTING.md tells
  --mode MODE           verbatim (turns), facts (the given facts), both            [verbatim]
  --embedder WHICH      builtin, or the base URL of an OpenAI-compatible endpoint  [builtin]
  --top-k N             hits asked for, at least 20                                [20]
  --channels            also what each channel finds alone
  --without CHANNELS    channels that are not asked: graph, time, standing, keyword, vector, with commas
  --json                print one JSON object";

type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Verbatim,
    Facts,
    Both,
}

struct Options {
    data: PathBuf,
    mode: Mode,
    embedder: String,
    top_k: usize,
    channels: bool,
    without: Vec<Channel>,
    json: bool,
}

/// Runs the evaluation and prints its figures.
///
/// # Errors
/// When an option or the data cannot be read, or a model fails.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let text = std::fs::read_to_string(&options.data)
        .map_err(|error| format!("--data {}: {error}", options.data.display()))?;
    let conversations: Vec<Conversation> = serde_json::from_str(&text)
        .map_err(|error| format!("--data {}: {error}", options.data.display()))?;
    let embedder: Rc<dyn Embedder> = match options.embedder.as_str() {
        "builtin" => Rc::new(builtin()?),
        url => Rc::new(embedder::remote(url)?),
    };
    let mut figures = Figures::default();
    let total: usize = conversations
        .iter()
        .map(|conversation| conversation.questions.len())
        .sum();
    let progress = Progress::new(total);
    for conversation in &conversations {
        space::evaluate(conversation, &options, &embedder, &mut figures, &progress)?;
    }
    progress.done();
    match options.json {
        true => println!("{}", figures.json()),
        false => figures.print(),
    }
    Ok(())
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options {
        data: PathBuf::new(),
        mode: Mode::Verbatim,
        embedder: "builtin".into(),
        top_k: 20,
        channels: false,
        without: Vec::new(),
        json: false,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or(format!("{argument} needs a value\n\n{HELP}"))
        };
        match argument.as_str() {
            "--data" => options.data = PathBuf::from(value()?),
            "--mode" => {
                options.mode = match value()?.as_str() {
                    "verbatim" => Mode::Verbatim,
                    "facts" => Mode::Facts,
                    "both" => Mode::Both,
                    other => {
                        return Err(
                            format!("--mode {other} is none of verbatim, facts, both").into()
                        );
                    }
                }
            }
            "--embedder" => options.embedder = value()?.clone(),
            "--top-k" => options.top_k = value()?.parse::<usize>()?.clamp(20, 1000),
            "--channels" => options.channels = true,
            "--without" => {
                let named = |name: &str| {
                    let channel = Channel::ALL.into_iter().find(|it| it.as_str() == name);
                    channel.ok_or(format!("--without {name}: there is no such channel"))
                };
                let names = value()?.split(',').map(str::trim);
                options.without = names.map(named).collect::<Result<_, _>>()?;
            }
            "--json" => options.json = true,
            "--help" | "-h" => return Err(HELP.into()),
            other => return Err(format!("unknown option {other}\n\n{HELP}").into()),
        }
    }
    match options.data.as_os_str().is_empty() {
        true => Err(format!("say which data to evaluate on\n\n{HELP}").into()),
        false => Ok(options),
    }
}

fn builtin() -> Result<StaticEmbedder, Failure> {
    let path = crate::project_root().join("models/builtin.bin");
    Ok(StaticEmbedder::from_bytes(std::fs::read(path)?)?)
}
