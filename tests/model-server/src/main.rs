//! The command line of the model server; see the library for what it serves.

use std::io::Write;
use std::process::ExitCode;

use model_server::{Options, Server, Upstream};

const USAGE: &str = "usage: model-server [--port N] [--cassettes FOLDER]... [--minilm FOLDER] [--files FOLDER]
                    [--record [--upstream URL] [--upstream-key-env NAME]]

  --port N                 0 takes a free port (the default)
  --cassettes FOLDER       replay the replies in FOLDER/*.json
  --minilm FOLDER          serve embeddings: the folder with model.safetensors and vocab.txt
  --files FOLDER           serve what is in FOLDER at /files/NAME, as files that messages name
  --record                 pass chat calls to the upstream and keep its replies in FOLDER/recorded-*.json
  --upstream URL           https://api.openai.com/v1
  --upstream-key-env NAME  the environment variable with the upstream's key: OPENAI_API_KEY";

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match Server::bind(&options) {
        Ok(server) => {
            println!("listening on http://{}", server.address());
            announce(&options, &server);
            let _ = std::io::stdout().flush();
            server.run();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn announce(options: &Options, server: &Server) {
    match &options.upstream {
        Some(upstream) => println!("chat replies come from {} and are recorded", upstream.url),
        None => {
            println!("chat replies are REPLAYED from files, not made by a model:");
            for file in server.cassettes() {
                println!("  {}", file.display());
            }
        }
    }
    match &options.minilm {
        Some(folder) => println!(
            "embeddings are computed by all-MiniLM-L6-v2 from {}",
            folder.display()
        ),
        None => println!("embeddings are off (see --minilm)"),
    }
}

/// The options; `None` when help is asked for.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options::default();
    let mut record = false;
    let mut url = "https://api.openai.com/v1".to_owned();
    let mut key_env = "OPENAI_API_KEY".to_owned();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--port" => {
                options.port = value()?
                    .parse()
                    .map_err(|_| "--port needs a number".to_owned())?
            }
            "--cassettes" => options.cassettes.push(value()?.into()),
            "--minilm" => options.minilm = Some(value()?.into()),
            "--files" => options.files = Some(value()?.into()),
            "--record" => record = true,
            "--upstream" => url = value()?,
            "--upstream-key-env" => key_env = value()?,
            "--help" | "-h" => return Ok(None),
            _ => return Err(format!("unknown option {word}")),
        }
    }
    if record {
        let key = std::env::var(key_env).ok().filter(|key| !key.is_empty());
        options.upstream = Some(Upstream {
            url: url.trim_end_matches('/').to_owned(),
            key,
        });
    }
    Ok(Some(options))
}
