//! `cargo xtask dev`: the Worker served on this machine, with the sample conversation in it.

use std::thread;
use std::time::Duration;

use crate::app;
use crate::build;
use crate::failure::Failure;
use crate::process::{Service, ending, handle_interrupts, interrupted};
use crate::sample::Sample;
use crate::serving::{Serving, forget, free_port, model_server};
use crate::settings::Settings;
use crate::shell::{Project, say};
use crate::tools::BuildTools;

/// Where wrangler keeps the Durable Objects' databases.
const STATE: &str = ".wrangler/state";

struct Options {
    port: u16,
    fresh: bool,
    sample: bool,
}

impl Options {
    fn read(words: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            port: 8787,
            fresh: false,
            sample: true,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--fresh" => options.fresh = true,
                "--no-sample" => options.sample = false,
                "--port" => {
                    let port = words.next().and_then(|port| port.parse().ok());
                    options.port =
                        port.ok_or_else(|| Failure::Usage("--port needs a number".into()))?;
                }
                other => return Err(Failure::Usage(format!("`dev` takes no {other:?}"))),
            }
        }
        Ok(options)
    }
}

/// Runs the task until Ctrl-C.
pub fn run(project: &Project, words: &[String]) -> Result<(), Failure> {
    let options = Options::read(words)?;
    handle_interrupts()?;
    let tools = BuildTools::ready(project)?;
    build::worker(project, &tools, build::WORKER)?;
    build::table(project)?;
    app::build(project)?;
    let mut settings = Settings::read(project)?;
    let models = if settings.has_model() {
        None
    } else {
        say(
            "no model is configured: chat replies will be REPLAYED from files, not made by a model",
        );
        let (server, base) = model_server(project, &["samples/cassettes"])?;
        settings.use_replayed(&base);
        Some(server)
    };
    let state = project.root.join(STATE);
    if options.fresh && forget(&state)? {
        say("forgot everything from earlier runs");
    }
    let port = free_port(options.port)?;
    if options.port != 0 && port != options.port {
        say(format!("port {} is taken: using {port}", options.port));
    }
    let serving = Serving {
        port,
        state: &state,
        env_file: "dev.env",
    };
    let (worker, api) = serving.start(project, &tools.node, &settings)?;
    let url = format!("http://127.0.0.1:{port}");
    say("the Worker answers");

    let sample = Sample::read(project)?;
    if options.sample {
        sample.run(&api, &state).map_err(|error| match error {
            Failure::Answer { .. } | Failure::Unreachable { .. } => Failure::Served {
                what: error.to_string(),
                log: worker.log(),
            },
            other => other,
        })?;
    }
    println!(
        "{}",
        invitation(&url, &settings.key, &sample.user_id, models.is_some())
    );
    worker.show();
    stay(worker, models)
}

fn stay(mut worker: Service, mut models: Option<Service>) -> Result<(), Failure> {
    while !interrupted() {
        for service in [Some(&mut worker), models.as_mut()].into_iter().flatten() {
            if service.ended() {
                let what = ending(service);
                return Err(Failure::Served {
                    what,
                    log: service.log(),
                });
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    say("stopping");
    Ok(())
}

fn invitation(url: &str, key: &str, user: &str, replayed: bool) -> String {
    let curl = |path: &str, body: String| {
        format!(
            "  curl -s {url}{path} -H 'Authorization: Token {key}' -H 'Content-Type: application/json' \\\n    -d '{body}'\n"
        )
    };
    let add = format!(
        r#"{{"user_id":"{user}","async_mode":false,"messages":[{{"role":"user","content":"I live in Oakland now"}}]}}"#
    );
    let search = format!(r#"{{"query":"Where do I live?","filters":{{"user_id":"{user}"}}}}"#);
    let replies = if replayed {
        "Chat replies are REPLAYED from samples/cassettes: no model makes them, and other messages than those\n\
         are stored without facts. Set OPENAI_API_KEY (and OPENAI_BASE_URL) to use a model.\n"
    } else {
        "Chat replies come from the model that you configured.\n"
    };
    format!(
        "\nServing {url}   API key {key}\nThe app: {url}/app/#server asks for the key; {url}/app/ keeps memories in the browser\n{replies}\nGo on with:\n{}{}\nCtrl-C ends it.",
        curl("/v3/memories/add/", add),
        curl("/v3/memories/search/", search),
    )
}
