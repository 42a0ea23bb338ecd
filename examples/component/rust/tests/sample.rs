//! The sample, told to the component in wasmtime with REPLAYED replies, leaves what it leaves on every other host.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use edgemem_in_wasmtime::host::memory::{Add, Event, EventStatus, Operation, Reply};
use edgemem_in_wasmtime::host::{Answer, Host, Memory, chat, types};
use jiff::Timestamp;
use model_server::cassette::Library;
use model_server::prompt::{Question, Task};
use model_server::reply;
use serde_json::Value;

/// What the recorded replies answer to a request.
fn answer(library: &Library, request: &chat::Request) -> Result<chat::Reply, chat::ModelError> {
    let task = match &request.output {
        chat::Output::Json(_) => Task::Extract,
        chat::Output::Tools(_) => Task::Update,
        chat::Output::Text => Task::Summary,
    };
    let question = Question {
        task,
        model: "replayed".to_owned(),
        prompt: request.turns[0].text.clone(),
        tools: Vec::new(),
        shows: Vec::new(),
        turns: String::new(),
    };
    let missed = |miss| chat::ModelError::Unreachable(format!("{miss:?}"));
    let (content, tool_calls) = match library.answer(&question).map_err(missed)? {
        reply::Reply::Json(value) => (value.to_string(), Vec::new()),
        reply::Reply::Text(text) => (text, Vec::new()),
        reply::Reply::Calls(calls) => {
            let calls = calls.into_iter().map(|call| chat::ToolCall {
                name: call.name,
                arguments: Value::Object(call.arguments).to_string(),
            });
            (String::new(), calls.collect())
        }
    };
    Ok(chat::Reply {
        content,
        tool_calls,
        finish: chat::Finish::Done,
    })
}

fn message(message: &Value) -> types::Message {
    types::Message {
        role: match message["role"].as_str() {
            Some("user") => types::Role::User,
            _ => types::Role::Assistant,
        },
        content: message["content"].as_str().unwrap().to_owned(),
        name: None,
        time: None,
    }
}

async fn event(memory: &mut Memory, operation: Operation) -> Event {
    match memory.apply(operation).await.unwrap() {
        Reply::Event(event) => event,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_stored_of_the_sample_is_what_every_host_stores() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let read = |file: &str| std::fs::read_to_string(root.join("samples").join(file)).unwrap();
    let library = Arc::new(Library::read(&root.join("samples/cassettes")).unwrap());
    let time = Arc::new(AtomicI64::new(0));
    let (clock, mut state) = (Arc::clone(&time), 7_u64);
    let mut host = Host::default();
    host.ask = Box::new(move |request| -> Answer {
        let answer = answer(&library, &request);
        Box::pin(async move { answer })
    });
    host.now = Box::new(move || clock.load(Ordering::Relaxed));
    host.bits = Box::new(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state
    });
    let path = |file: &str| root.join(file).to_str().unwrap().to_owned();
    let (component, table) = (
        path("crates/component/build/edgemem.wasm"),
        path("models/builtin.bin"),
    );
    let mut memory = Memory::load(&component, &table, host).await.unwrap();
    memory.open("storyteller", Some("replayed")).await.unwrap();

    let sample: Value = serde_json::from_str(&read("conversation.json")).unwrap();
    for session in sample["sessions"].as_array().unwrap() {
        let now: Timestamp = session["time"].as_str().unwrap().parse().unwrap();
        time.store(now.as_millisecond(), Ordering::Relaxed);
        let add = Add {
            messages: session["messages"]
                .as_array()
                .unwrap()
                .iter()
                .map(message)
                .collect(),
            time: Some(now.as_millisecond()),
            run_id: None,
            agent_id: None,
            app_id: None,
            infer: None,
            metadata: None,
            expires_at: None,
            immutable: None,
            instructions: None,
            includes: None,
            excludes: None,
            categories: None,
            structured_data_schema: None,
        };
        let id = event(&mut memory, Operation::Add(add)).await.id;
        for job in [Some(id.clone()), None] {
            memory.apply(Operation::RunJobs(job)).await.unwrap();
        }
        let ended = event(&mut memory, Operation::Event(id)).await;
        assert!(matches!(ended.status, EventStatus::Succeeded), "{ended:?}");
    }
    let expected: Value = serde_json::from_str(&read("digest.json")).unwrap();
    assert_eq!(
        expected["digest"].as_str(),
        Some(memory.digest().await.unwrap().as_str())
    );
}
