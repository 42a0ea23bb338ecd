//! The provider against a scripted network.

mod chat;
mod embeddings;
mod rerank;
mod retries;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_executor::block_on;
use futures_util::future::LocalBoxFuture;
use http::{Request, Response};
use serde_json::{Value, json};

use super::*;
use crate::model::{
    self, ChatModel, ChatReply, ChatRequest, Embedder, Finish, Http, HttpError, ModelError, Output,
    ShownFile, ToolCall, ToolSpec, Turn,
};

type Answer = Result<Response<Vec<u8>>, HttpError>;

/// A network that gives the answers of a list and writes down what it was asked.
#[derive(Default)]
struct Script {
    answers: RefCell<VecDeque<Answer>>,
    requests: RefCell<Vec<Request<Vec<u8>>>>,
    slept: RefCell<Vec<u64>>,
    chance: Cell<f64>,
}

impl Http for Script {
    fn send(
        &self,
        request: model::Request,
        _: u64,
    ) -> LocalBoxFuture<'_, Result<model::Response, HttpError>> {
        self.requests.borrow_mut().push(request.try_into().unwrap());
        let answer = self
            .answers
            .borrow_mut()
            .pop_front()
            .expect("no more requests");
        Box::pin(async { answer.map(Into::into) })
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'_, ()> {
        self.slept.borrow_mut().push(ms);
        Box::pin(async {})
    }

    fn jitter(&self) -> f64 {
        self.chance.get()
    }
}

impl Script {
    fn new(answers: Vec<Answer>) -> Rc<Self> {
        let script = Script {
            answers: RefCell::new(answers.into()),
            ..Script::default()
        };
        script.chance.set(0.5);
        Rc::new(script)
    }

    fn bodies(&self) -> Vec<Value> {
        self.requests
            .borrow()
            .iter()
            .map(|request| serde_json::from_slice(request.body()).unwrap())
            .collect()
    }

    fn slept(&self) -> Vec<u64> {
        self.slept.borrow().clone()
    }

    /// Every answer has been used.
    fn is_done(&self) -> bool {
        self.answers.borrow().is_empty()
    }
}

fn answer(status: u16, body: impl ToString) -> Answer {
    Ok(Response::builder()
        .status(status)
        .body(body.to_string().into_bytes())
        .unwrap())
}

fn with_headers(status: u16, headers: &[(&str, &str)]) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(b"{}".to_vec()).unwrap())
}

fn refusal(status: u16, message: &str) -> Answer {
    answer(
        status,
        json!({"error": {"message": message, "type": "invalid_request_error"}}),
    )
}

fn says(content: &str) -> Answer {
    answer(
        200,
        json!({"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}),
    )
}

fn calls(name: &str, arguments: Value) -> Answer {
    let call =
        json!({"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}});
    answer(
        200,
        json!({"choices": [{"message": {"content": null, "tool_calls": [call]}, "finish_reason": "tool_calls"}]}),
    )
}

fn endpoint() -> Endpoint {
    Endpoint::new("http://model.test/v1/")
        .unwrap()
        .with_api_key(Secret::new("sk-very-secret"))
        .unwrap()
}

fn chat(script: &Rc<Script>, model: &str) -> OpenAiChat {
    OpenAiChat::new(script.clone(), endpoint(), model)
}

fn request(output: Output) -> ChatRequest {
    ChatRequest {
        system: "Find facts.".into(),
        turns: vec![
            Turn::User("I like tea.".into()),
            Turn::Assistant("{".into()),
            Turn::User("Again, please.".into()),
        ],
        output,
        max_tokens: 500,
    }
}

fn json_output() -> Output {
    let schema = json!({"type": "object", "properties": {"facts": {"type": "array", "items": {"type": "string"}}}, "required": ["facts"], "additionalProperties": false});
    Output::Json {
        name: "extraction",
        schema,
    }
}

fn tools_output() -> Output {
    let parameters = |member: &str| json!({"type": "object", "properties": {member: {"type": "integer"}}, "required": [member], "additionalProperties": false});
    Output::Tools(vec![
        ToolSpec {
            name: "add_memory",
            description: "Remembers a fact.",
            parameters: parameters("fact"),
        },
        ToolSpec {
            name: "delete_memory",
            description: "Forgets a memory.",
            parameters: parameters("memory"),
        },
    ])
}

fn ask(model: &OpenAiChat, output: Output) -> Result<ChatReply, ModelError> {
    block_on(model.chat(&request(output)))
}

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        name: name.into(),
        arguments: arguments.into(),
    }
}

#[test]
fn a_request_goes_to_the_right_place_with_the_key() {
    let script = Script::new(vec![says("hello")]);
    let endpoint = Endpoint::new("https://model.test/openai?api-version=2")
        .unwrap()
        .with_api_key(Secret::new("k-1"))
        .unwrap()
        .with_header("X-Title", "t")
        .unwrap();
    let model = OpenAiChat::new(script.clone(), endpoint, "m");
    assert_eq!(model.name(), "m at https://model.test/openai");
    assert_eq!(ask(&model, Output::Text).unwrap().content, "hello");
    let requests = script.requests.borrow();
    assert_eq!(requests[0].method(), "POST");
    assert_eq!(
        requests[0].uri(),
        "https://model.test/openai/chat/completions?api-version=2"
    );
    assert_eq!(requests[0].headers()["authorization"], "Bearer k-1");
    assert_eq!(requests[0].headers()["content-type"], "application/json");
    assert_eq!(requests[0].headers()["x-title"], "t");
}

#[test]
fn wire_shapes() {
    let fact = || says("{\"facts\": []}");
    let refuse = || refusal(400, "bad request");
    let script = Script::new(vec![says("x"), refuse(), refuse(), refuse(), fact()]);
    let model = chat(&script, "m");
    ask(&model, Output::Text).unwrap();
    ask(&model, json_output()).unwrap();
    let bodies = script.bodies();
    insta::assert_json_snapshot!("text", bodies[0]);
    insta::assert_json_snapshot!("json_schema", bodies[1]);
    insta::assert_json_snapshot!("json_object", bodies[2]);
    insta::assert_json_snapshot!("json_function", bodies[3]);
    insta::assert_json_snapshot!("json_text", bodies[4]);

    let script = Script::new(vec![
        refuse(),
        refuse(),
        says("{\"calls\": [{\"name\": \"add_memory\", \"arguments\": {\"fact\": 1}}]}"),
    ]);
    ask(&chat(&script, "m"), tools_output()).unwrap();
    let bodies = script.bodies();
    insta::assert_json_snapshot!("tools_required", bodies[0]);
    insta::assert_json_snapshot!("tools_auto", bodies[1]);
    insta::assert_json_snapshot!("tools_text", bodies[2]);

    let script = Script::new(vec![says("x")]);
    ask(&chat(&script, "openai/gpt-5-mini"), Output::Text).unwrap();
    insta::assert_json_snapshot!("reasoning_model", script.bodies()[0]);

    for (name, media_type) in [("image", "image/png"), ("document", "application/pdf")] {
        let script = Script::new(vec![says("x")]);
        let file = ShownFile {
            media_type,
            base64: "AAAA".into(),
        };
        let shown = ChatRequest {
            turns: vec![Turn::Shown {
                text: "What is this?".into(),
                file,
            }],
            ..request(Output::Text)
        };
        block_on(chat(&script, "m").chat(&shown)).unwrap();
        insta::assert_json_snapshot!(name, script.bodies()[0]);
    }

    let script = Script::new(vec![answer(200, json!({"data": [{"embedding": [1.0]}]}))]);
    block_on(OpenAiEmbedder::new(script.clone(), endpoint(), "e", Some(1)).embed(&["tea".into()]))
        .unwrap();
    insta::assert_json_snapshot!("embeddings", script.bodies()[0]);
}
