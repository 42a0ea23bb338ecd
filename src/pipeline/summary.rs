//! The running summary of a conversation, made in the background.

use crate::memory::{Message, Moment};
use crate::model::{ChatModel, ChatRequest, Finish, ModelError, Output, Turn, prompts};

/// A summary is made anew when this many messages were added since the last.
pub const EVERY: usize = 20;

/// Tokens that the model may answer with.
const MAX_TOKENS: u32 = 600;

/// Characters of one message that the prompt shows.
const MESSAGE_CHARS: usize = 1_000;

/// Asks the model to bring a summary up to date.
///
/// # Errors
/// When the model fails, refuses, or answers nothing.
pub async fn summarise(
    model: &dyn ChatModel,
    earlier: Option<&str>,
    messages: &[(Message, Moment)],
) -> Result<String, ModelError> {
    let mut prompt = String::new();
    if let Some(text) = earlier {
        prompt.push_str(&format!("## Earlier summary\n{text}\n\n"));
    }
    prompt.push_str("## New messages\n");
    for (message, time) in messages {
        let text: String = message.content.chars().take(MESSAGE_CHARS).collect();
        prompt.push_str(&format!(
            "{} ({}): {text}\n",
            message.speaker(),
            time.date()
        ));
    }
    let request = ChatRequest {
        system: prompts::SUMMARY.to_owned(),
        turns: vec![Turn::User(prompt.trim_end().to_owned())],
        output: Output::Text,
        max_tokens: MAX_TOKENS,
    };
    let reply = model.chat(&request).await?;
    let text = reply.content.trim();
    match (reply.finish, text.is_empty()) {
        (Finish::Refused, _) => Err(ModelError::Refused {
            model: model.name().to_owned(),
        }),
        (_, true) => Err(ModelError::Unreadable {
            model: model.name().to_owned(),
            reason: "the summary is empty".to_owned(),
        }),
        _ => Ok(text.to_owned()),
    }
}
